"""What waits for a person, for the front page of the desk: counts that link to their lists.

Each is counted through a partial index of just those rows, and no further than to `_MOST`, all of them in one
statement: it takes the same time at a million keys as at a hundred, also when all have the same trouble. A
new queue is one line of `_QUEUES`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import IntegerField, QuerySet, Subquery
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import AddressChange, MailboxHold, User
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import RETRIED, FindingCode
from apikeys.models import ApiKey, BotRequest, ExchangeState, Handover, Job
from apikeys.pages import words
from notifications.models import Mail

_MOST = 1_000
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Queue:
    """note: what to do, or by when. tone: bad where money is at risk, warn, or empty."""

    name: SafeString | str
    number: int
    url: str
    note: SafeString | str
    tone: str = ""

    @property
    def shown(self) -> str:
        return f"{_MOST:,}+" if self.number > _MOST else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class Rows:
    """A queue of rows. It links to the list of `model` as `query` filters it, for those who may see that."""

    model: str  # as in the name of its list, such as apikeys_apikey
    query: Mapping[str, str]
    rows: Callable[[datetime], QuerySet[Any]]
    name: SafeString | str
    note: str
    tone: str = ""

    @property
    def permission(self) -> str:
        app, model = self.model.split("_")
        return f"{app}.view_{model}"


def queues(user: User, now: datetime) -> list[Queue]:
    """For whoever may see the list behind each. What waits comes first, in the order of the tables below."""
    sees_keys = user.has_perm("apikeys.view_apikey")
    unknown_rights = _unknown_rights() if sees_keys else ()
    seen = [*(rows for rows in _QUEUES if user.has_perm(rows.permission)), *unknown_rights]
    numbers = _counted([rows.rows(now) for rows in seen], user)
    found = [
        Queue(rows.name, number, _list(rows.model, **rows.query), rows.note, rows.tone)
        for rows, number in zip(seen, numbers, strict=True)
    ]
    if sees_keys:
        found += _away(now)
    return sorted(found, key=lambda queue: not queue.number)


_QUEUES: tuple[Rows, ...] = (
    Rows(
        "apikeys_apikey",
        {"needs": "revoke"},
        lambda now: ApiKey.objects.about_to_be_revoked(),
        "A right to withdraw or transfer appeared",
        "Call the customer. Each is revoked 72 hours after it was seen; the list says when.",
        "bad",
    ),
    Rows(
        "apikeys_apikey",
        {"needs": "account"},
        lambda now: ApiKey.objects.held(),
        "Keys of another exchange account",
        "Or of one that is not told. Speak to the customer, then confirm or turn down.",
        "bad",
    ),
    Rows(
        "apikeys_job",
        {"status__exact": Job.Status.ASKED},
        lambda now: Job.objects.filter(status=Job.Status.ASKED),
        "Acts that wait for a second lead",
        "Nothing happens until another lead agrees, and they end by themselves within the hour.",
        "bad",
    ),
    Rows(
        "accounts_mailboxhold",
        {"status__exact": MailboxHold.Status.ASKED},
        lambda now: MailboxHold.objects.filter(status=MailboxHold.Status.ASKED),
        "Microsoft mailboxes to clear or change",
        "They wait to hand over a key.",
        "warn",
    ),
    Rows(
        "apikeys_botrequest",
        {"status__exact": BotRequest.Status.ASKED},
        lambda now: BotRequest.objects.open(),
        "Bots that customers asked for",
        "Launch each under a BOT ID, or decline it.",
    ),
    Rows(
        "accounts_addresschange",
        {"open": "1"},
        lambda now: AddressChange.objects.open(),
        "Address changes under way",
        "On hold for a day once confirmed; a second lead may shorten it.",
    ),
    Rows(
        "apikeys_apikey",
        {"needs": "retried"},
        lambda now: ApiKey.objects.unanswered(now),
        "New keys retried for too long",
        "The exchange gives no answer. Tried again by itself for a day, then refused.",
        "warn",
    ),
    Rows(
        "apikeys_apikey",
        {"needs": "refused"},
        lambda now: ApiKey.objects.given_up(now),
        "Refused, and nothing new for a day",
        "Write to them: the page of the key says what was wrong.",
    ),
    Rows(
        "notifications_mail",
        {"needs": "undelivered"},
        lambda now: Mail.objects.undelivered(now),
        "Mail that could not be delivered",
        "Our warnings do not reach them. Ask for another address.",
        "warn",
    ),
    Rows(
        "apikeys_handover",
        {"waiting": "late"},
        lambda now: Handover.objects.late(now) if settings.ENGINE_PUBLIC_KEYS else Handover.objects.none(),
        "Hand-overs that the engine leaves waiting",
        "For longer than 15 minutes. Does the engine fetch?",
        "warn",
    ),
    # Of these the customers are told nothing.
    Rows(
        "apikeys_apikey",
        {"needs": "moved"},
        lambda now: ApiKey.objects.of_concern().filter(concern=FindingCode.WRONG_ACCOUNT),
        "Active keys that moved to another account",
        "Ask the customer what changed there.",
        "warn",
    ),
    Rows(
        "apikeys_apikey",
        {"needs": "silent"},
        lambda now: ApiKey.objects.of_concern().filter(concern__in=RETRIED),
        "Active keys without an answer for a day",
        "They trade on, if the exchange lets them. Look at the exchange, and at our addresses there.",
        "warn",
    ),
)


def _unknown_rights() -> Iterator[Rows]:
    """One for each of the first names, since an exchange that adds a name adds it to all its keys."""
    unknown = ApiKey.objects.with_unknown_rights()
    names = _first_names(unknown)
    for each in names:
        name = format_html("Unknown right {} on active keys", words.as_written(each or "not stated"))
        yield _of_unknown_rights(f"unknown:{each}", unknown.filter(unknown_rights=each), name)
    if not names:
        yield _of_unknown_rights("unknown", unknown, "Unknown rights on active keys")
    elif len(names) == _NAMES_SHOWN:
        others = unknown.filter(unknown_rights__gt=names[-1])
        yield _of_unknown_rights("unknown", others, "Other unknown rights on active keys")


def _of_unknown_rights(needs: str, keys: QuerySet[ApiKey], name: SafeString | str) -> Rows:
    note = "Find out what it allows. It stays so until its adapter knows the name."
    return Rows("apikeys_apikey", {"needs": needs}, lambda now: keys, name, note, "warn")


def _first_names(unknown: QuerySet[ApiKey]) -> list[str]:
    """In alphabetical order, each by one look at an index: to group the keys would read every one of them."""
    names: list[str] = []
    while len(names) < _NAMES_SHOWN:
        further = unknown.filter(unknown_rights__gt=names[-1]) if names else unknown
        found = further.order_by("unknown_rights").values_list("unknown_rights", flat=True).first()
        if found is None:
            break
        names.append(found)
    return names


def _away(now: datetime) -> Iterator[Queue]:
    away = ExchangeState.objects.away(now).values_list("exchange", flat=True)
    names = [EXCHANGES[exchange].name for exchange in away if exchange in EXCHANGES]
    note = f"{', '.join(names)}. Checks go on by themselves once an answer comes."
    yield Queue("Exchanges that do not answer", len(names), _list("apikeys_exchangestate"), note, "warn")


class _CountOf(Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


def _counted(rows: Sequence[QuerySet[Any]], user: User) -> Sequence[int]:
    """One statement for all of them; the row of whoever asks is what carries it."""
    counts = [_CountOf(each.order_by().values("pk")[: _MOST + 1]) for each in rows]
    found: Sequence[int] = User.objects.filter(pk=user.pk).values_list(*counts).get()
    return found


def _list(model: str, **query: str) -> str:
    return reverse(f"admin:{model}_changelist", query=query or None)
