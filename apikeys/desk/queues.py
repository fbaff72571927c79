"""What waits for a person, for the front page of the desk: counts that link to their lists.

Each is counted through a partial index of just those rows, and no further than to `_MOST`, all of them in one
statement: it takes the same time at a million keys as at a hundred. A new queue is one line of `_QUEUES`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, IntegerField, QuerySet, Subquery
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import AddressChange, MailboxHold, User
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import FindingCode
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
    name: str
    note: str
    tone: str = ""

    @property
    def permission(self) -> str:
        app, model = self.model.split("_")
        return f"{app}.view_{model}"


def queues(user: User, now: datetime) -> list[Queue]:
    """For whoever may see the list behind each. What waits comes first, in the order of the tables below."""
    seen = [rows for rows in _QUEUES if user.has_perm(rows.permission)]
    numbers = _counted([rows.rows(now) for rows in seen], user)
    found = [
        Queue(rows.name, number, _list(rows.model, **rows.query), rows.note, rows.tone)
        for rows, number in zip(seen, numbers, strict=True)
    ]
    if user.has_perm("apikeys.view_apikey"):
        found += [*_concerns(), *_away(now)]
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
        "Speak to the customer, then confirm or turn down.",
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
)


def _concerns() -> Iterator[Queue]:
    """Active keys with something that only the desk is told: one statement for all of it."""
    groups = ApiKey.objects.of_concern().order_by().values("concern", "unknown_rights")
    unknown: list[tuple[str, int]] = []
    others: Counter[str] = Counter()
    for group in groups.annotate(number=Count("*")).order_by("-number"):
        if group["concern"] == FindingCode.UNPROVEN_PERMISSION:
            unknown.append((group["unknown_rights"], group["number"]))
        else:
            others[group["concern"]] += group["number"]
    yield from _unknown_rights(unknown)
    moved = others.pop(FindingCode.WRONG_ACCOUNT, 0)
    note = "Ask the customer what changed there."
    yield Queue("Active keys that moved to another account", moved, _keys("moved"), note, "warn")
    note = "They trade on, if the exchange lets them. Look at the exchange, and at our addresses there."
    yield Queue("Active keys without an answer for a day", others.total(), _keys("silent"), note, "warn")


def _unknown_rights(groups: Sequence[tuple[str, int]]) -> Iterator[Queue]:
    """Grouped by name, since an exchange that adds a name adds it to all its keys."""
    note = "Find out what it allows. It stays so until its adapter knows the name."
    for names, number in groups[:_NAMES_SHOWN]:
        name = format_html("Unknown right {} on active keys", words.as_written(names or "not stated"))
        yield Queue(name, number, _keys(f"unknown:{names}"), note, "warn")
    rest = sum(number for _, number in groups[_NAMES_SHOWN:])
    if rest or not groups:
        others = "Other unknown rights on active keys" if groups else "Unknown rights on active keys"
        yield Queue(others, rest, _keys("unknown"), note, "warn")


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


def _keys(needs: str) -> str:
    return _list("apikeys_apikey", needs=needs)


def _list(model: str, **query: str) -> str:
    return reverse(f"admin:{model}_changelist", query=query or None)
