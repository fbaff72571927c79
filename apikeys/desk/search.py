"""What a term may say of a bot or a key. Of a key only what staff are shown: never a whole API key."""

import re
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apikeys.exchanges.registry import EXCHANGES
from apikeys.key_files import MARK
from notifications.desk.indexes import SearchIndex, for_search
from notifications.desk.search import Match, Way, best_first, by, ways_of

INDEXES = (
    *for_search("apikeys_bot", "bot_id", "upper(replace(bot_id, ' ', ''))"),
    SearchIndex("key_account_begin", "apikeys_apikey", "upper(account_id)", trigrams=False),
    SearchIndex("key_last_four", "apikeys_apikey", "upper(last_four)", trigrams=False),
)
_SHOWN = 4  # characters of an API key
# The shortest keys of an exchange have sixteen; what is shorter may as well be a name.
_LEAST_OF_SECRET = 16
_MIXED = re.compile(r"[0-9].*[A-Za-z]|[A-Za-z].*[0-9]")
_LEAST_OF_ACCOUNT = 4  # fewer digits begin too many account numbers to say anything


def bot_ways(term: str, prefix: str = "") -> list[Way]:
    """prefix: how the rows that are searched name the bot, such as `bot__`."""
    return best_first(ways_of("".join(term.split()), "BOT ID", "bot_id", prefix=prefix, spaced=False))


def key_ways(term: str, prefix: str = "") -> list[Way]:
    """By what is the key's own: its end, its account at the exchange, its number in our logs."""
    ways = [*_last_four(term.lstrip("….").strip(), prefix), *_number(term, prefix)]
    ways.append(by(Match.EXACT, "Account at the exchange", "account_id", term, prefix=prefix))
    if len(term) >= _LEAST_OF_ACCOUNT:
        ways.append(by(Match.BEGINNING, "Account at the exchange", "account_id", term, prefix=prefix))
    return best_first(ways)


def _last_four(term: str, prefix: str) -> list[Way]:
    if len(term) != _SHOWN:
        return []
    field = f"{prefix}last_four"

    def as_written(keys: "QuerySet[Any]") -> "QuerySet[Any]":
        return keys.filter(**{f"{field}__iexact": term, field: term})

    def in_other_case(keys: "QuerySet[Any]") -> "QuerySet[Any]":
        return keys.filter(**{f"{field}__iexact": term}).exclude(**{field: term})

    newest = "" if prefix else "submitted_at"
    return [
        Way(Match.EXACT, "Last four characters", as_written, newest),
        Way(Match.BEGINNING, "Last four characters, in other letter case", in_other_case, newest),
    ]


def _number(term: str, prefix: str) -> list[Way]:
    if not is_number(term):
        return []
    return [Way(Match.EXACT, "Key number", lambda keys: keys.filter(**{f"{prefix}pk": UUID(term)}))]


def seems_secret(term: str) -> bool:
    """Whether a part of it has the form of a whole API key or secret of some exchange, or of a key file.

    That is letters and digits in one piece, as ids and names hardly ever are. Our own numbers of keys have
    that form too: see `is_number`.
    """
    if MARK in term or '"privateKey"' in term:
        return True
    return any(_has_form_of_key(word) for word in term.split())


def is_number(term: str) -> bool:
    try:
        UUID(term)
    except ValueError:
        return False
    return True


def _has_form_of_key(word: str) -> bool:
    if len(word) < _LEAST_OF_SECRET or word.lower().startswith("0x") or not _MIXED.search(word):
        return False
    shapes = [adapter.shape for adapter in EXCHANGES.values()]
    patterns = {
        pattern for shape in shapes for pattern in (shape.key_pattern, shape.secret_pattern) if pattern
    }
    return any(re.fullmatch(pattern, word) for pattern in patterns)
