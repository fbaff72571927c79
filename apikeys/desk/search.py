"""What a term may say of a bot or a key. Of a key only what staff are shown: never a whole API key."""

import re
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import AddressChange, MailboxHold, User
from apikeys.models import ApiKey, Bot
from notifications.desk.indexes import SearchIndex, for_search
from notifications.desk.search import Match, Way, best_first, by, ways_of

INDEXES = (
    *for_search("apikeys_bot", "bot_id", "upper(replace(bot_id, ' ', ''))"),
    SearchIndex("key_account_begin", "apikeys_apikey", "upper(account_id)", trigrams=False),
    SearchIndex("key_last_four", "apikeys_apikey", "upper(last_four)", trigrams=False),
)
_SHOWN = 4  # characters of an API key
# Of what seems a key, how much may stand in a statement: too little to be of use to anybody.
_LOOKED_FOR = 6
_MOST_COMPARED = 10_000  # rows with that beginning
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


def is_number(term: str) -> bool:
    try:
        UUID(term)
    except ValueError:
        return False
    return True


def is_ours(token: str, *, people: bool, keys: bool) -> bool:
    """Whether what seems a secret is an id, an address, an account or a number that there is, or half of one.

    people, keys: what the person who asks may see. Rows are compared here, since a database may log its
    statements: those have no more of the token than its beginning.
    """
    token = token.strip("/")
    whole = re.compile(rf"(?<![\w+=-]){re.escape(token)}(?![\w+=-])", re.IGNORECASE)
    begin = token[:_LOOKED_FOR]
    values = [value for rows, field in _named(people) for value in _with(begin, rows, field)]
    if keys:
        values += ApiKey.objects.filter(account_id__istartswith=begin).values_list("account_id", flat=True)
        values += _numbers(token)
    return any(whole.search("".join(value.split())) for value in values)


def _named(people: bool) -> "list[tuple[QuerySet[Any], str]]":
    """Where ids and addresses are. Names of people have no digits."""
    of_people: list[tuple[QuerySet[Any], str]] = [
        (User.objects.all(), "client_id"),
        (User.objects.all(), "email"),
        (MailboxHold.objects.all(), "email"),
        (AddressChange.objects.all(), "old_email"),
        (AddressChange.objects.all(), "new_email"),
    ]
    return [(Bot.objects.all(), "bot_id"), *(of_people if people else ())]


def _with(begin: str, rows: "QuerySet[Any]", field: str) -> list[str]:
    way = by(Match.INSIDE, "", field, begin, spaced=not field.endswith("_id"))
    return list(way.narrow(rows.order_by()).values_list(field, flat=True)[:_MOST_COMPARED])


def _numbers(token: str) -> list[str]:
    if not is_number(token):
        return []
    begin = UUID(token).hex[:_LOOKED_FOR]
    ends = (UUID(begin.ljust(32, "0")), UUID(begin.ljust(32, "f")))
    return [str(pk) for pk in ApiKey.objects.filter(pk__range=ends).values_list("pk", flat=True)]
