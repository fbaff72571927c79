"""What happened to one customer or one key, newest first: events, checks and mails as one list.

The three tables are read apart and merged, each from where the page before ended: a place is (time, table,
primary key), so rows of one moment are never shown twice nor left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, TextChoices
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import AuditEvent, User
from apikeys.desk.key_mails import mails_about
from apikeys.models import ApiKey, KeyCheck
from apikeys.pages import words
from notifications.kinds import MailKind
from notifications.models import Mail

_PAGE = 30
_BY_STAFF = Q(actor_kind=AuditEvent.Actor.STAFF)
# All that a line says of a check. A key has thirty columns more, and one of them is nobody's to see.
_OF_CHECK = (
    *("finished_at", "outcome", "exchange_code", "findings_json"),
    *("key__last_four", "key__exchange", "key__bot__bot_id", "key__bot__exchange"),
)
_SIGN_INS = (
    Verb.SIGNED_IN,
    Verb.SIGNED_OUT,
    Verb.SESSION_ENDED,
    Verb.OTHER_SESSIONS_ENDED,
    Verb.CODES_USED_UP,
    Verb.FACTOR_TRIES_USED_UP,
    Verb.RECOVERY_CODE_USED,
)
_BAD_VERBS = {Verb.KEY_REFUSED, Verb.KEY_REJECTED, Verb.KEY_REVOKED, Verb.CODES_USED_UP}
_CHECK_TONES = {
    KeyCheck.Outcome.REFUSED: "bad",
    KeyCheck.Outcome.PROBLEM: "bad",
    KeyCheck.Outcome.HELD: "warn",
    KeyCheck.Outcome.CONCERN: "warn",
    KeyCheck.Outcome.RETRY: "warn",
    KeyCheck.Outcome.DOUBT: "warn",
}
CHECK_WORDS = {
    KeyCheck.Outcome.ACCEPTED: "accepted",
    KeyCheck.Outcome.REFUSED: "refused",
    KeyCheck.Outcome.HELD: "waits for support",
    KeyCheck.Outcome.RETRY: "no answer, tried again",
    KeyCheck.Outcome.IN_ORDER: "in order",
    KeyCheck.Outcome.PROBLEM: "needs attention",
    KeyCheck.Outcome.CONCERN: "in order for the customer, not for the desk",
    KeyCheck.Outcome.DOUBT: "refused without a reason, looked at again",
}


class Kind(TextChoices):
    SIGN_IN = "sign-in", "Sign-ins"
    SUBMISSION = "submission", "Submissions"
    CHECK = "check", "Checks"
    DECISION = "decision", "Decisions"
    MAIL = "mail", "Mail"
    STAFF = "staff", "Staff acts"
    ACCOUNT = "account", "Account"


_WORDS = {
    Kind.SIGN_IN: "Sign-in",
    Kind.SUBMISSION: "Submission",
    Kind.CHECK: "Check",
    Kind.DECISION: "Decision",
    Kind.MAIL: "Mail",
    Kind.STAFF: "Staff act",
    Kind.ACCOUNT: "Account",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. lines: what belongs to it, such as findings. reason: what staff wrote beside their act."""

    at: datetime
    kind: Kind
    what: SafeString
    who: str
    lines: tuple[SafeString, ...] = ()
    reason: str = ""
    tone: str = ""
    url: str = ""

    @property
    def kind_word(self) -> str:
        return _WORDS[self.kind]


@dataclass(frozen=True, slots=True)
class Timeline:
    """next: the place to go on from, as `?before=` takes it; empty at the end."""

    entries: tuple[Entry, ...]
    next: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a row stands. rank is of its table: of one moment, the higher ones come first."""

    at: datetime
    rank: int
    pk: int | UUID

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC).isoformat()}~{self.rank}~{self.pk}"


@dataclass(frozen=True, slots=True)
class _Source:
    """One table. time: its column to order by."""

    rank: int
    time: str
    rows: QuerySet[Any]
    entry: Callable[[Any], Entry]

    def after(self, place: _Place | None, since: datetime | None) -> list[tuple[_Place, Any]]:
        """As many rows as one page may need, the newest first. since: none that is older is needed."""
        rows = self.rows.order_by(f"-{self.time}", "-pk")
        if since is not None:
            rows = rows.filter(**{f"{self.time}__gte": since})
        if place is not None:
            earlier = Q(**{f"{self.time}__lt": place.at})
            if self.rank < place.rank:
                earlier |= Q(**{self.time: place.at})
            elif self.rank == place.rank:
                earlier |= Q(**{self.time: place.at, "pk__lt": place.pk})
            rows = rows.filter(earlier)
        return [(_Place(getattr(row, self.time), self.rank, row.pk), row) for row in rows[: _PAGE + 1]]


def of_customer(
    customer: User, kind: str, before: str, *, reason_of: Callable[[AuditEvent], str]
) -> Timeline:
    """Everything about one customer. kind: one of `Kind`; anything else stands for all."""
    return _timeline(
        AuditEvent.objects.filter(customer=customer),
        KeyCheck.objects.filter(key__bot__customer=customer),
        Mail.objects.of(customer.pk),
        kind,
        before,
        reason_of,
    )


def of_key(key: ApiKey, kind: str, before: str, *, with_people: bool) -> Timeline:
    """Everything about one key. with_people: for those who may see who did what, and who was written to."""
    return _timeline(
        AuditEvent.objects.filter(key_id=key.pk) if with_people else AuditEvent.objects.none(),
        KeyCheck.objects.filter(key=key),
        mails_about(key),
        kind,
        before,
        lambda event: str(event.detail.get("reason", "")),
        with_address=with_people,
    )


def _timeline(
    events: QuerySet[Any],
    checks: QuerySet[KeyCheck],
    mails: QuerySet[Mail],
    kind: str,
    before: str,
    reason_of: Callable[[AuditEvent], str],
    *,
    with_address: bool = True,
) -> Timeline:
    place = _parsed(before)
    happened = _of_kind(events, kind).select_related("actor")
    looked = checks.select_related("key__bot").only(*_OF_CHECK)
    sources = {
        2: _Source(2, "at", happened, lambda event: _of_event(event, reason_of(event))),
        1: _Source(1, "finished_at", looked, _of_check),
        0: _Source(
            0,
            "created_at",
            mails.defer("context", "text", "html"),
            partial(_of_mail, with_address=with_address),
        ),
    }
    asked = {Kind.CHECK: (1,), Kind.MAIL: (0,)}.get(Kind(kind), (2,)) if kind in Kind.values else (2, 1, 0)
    rows: list[tuple[_Place, Any]] = []
    for rank in asked:
        rows += sources[rank].after(place, rows[_PAGE][0].at if len(rows) > _PAGE else None)
        rows.sort(key=lambda row: (row[0].at, row[0].rank, row[0].pk), reverse=True)
    shown = rows[:_PAGE]
    return Timeline(
        entries=tuple(sources[found.rank].entry(row) for found, row in shown),
        next=str(shown[-1][0]) if len(rows) > _PAGE else "",
    )


def _parsed(text: str) -> _Place | None:
    """A place as `_Place` writes it; anything else is the beginning."""
    at_text, _, rest = text.partition("~")
    rank, _, pk = rest.partition("~")
    try:
        at = parse_datetime(at_text)
        if at is None or at.tzinfo is None:
            return None
        if rank == "0":
            return _Place(at.astimezone(UTC), 0, UUID(pk))
        if rank in ("1", "2") and pk.isascii() and pk.isdigit():
            return _Place(at.astimezone(UTC), int(rank), int(pk[:18]))
    except (ValueError, OverflowError):
        pass
    return None


def _of_kind(events: QuerySet[Any], kind: str) -> QuerySet[Any]:
    match kind:
        case Kind.STAFF:
            return events.filter(_BY_STAFF)
        case Kind.SIGN_IN:
            return events.filter(verb__in=_SIGN_INS).exclude(_BY_STAFF)
        case Kind.SUBMISSION:
            return events.filter(verb=Verb.KEY_SUBMITTED).exclude(_BY_STAFF)
        case Kind.DECISION:
            return events.filter(key_id__isnull=False).exclude(verb=Verb.KEY_SUBMITTED).exclude(_BY_STAFF)
        case Kind.ACCOUNT:
            return events.filter(key_id=None).exclude(verb__in=_SIGN_INS).exclude(_BY_STAFF)
    return events


def _kind_of(event: AuditEvent) -> Kind:
    """The same as `_of_kind`, of one event. A new verb falls where it belongs by itself."""
    if event.actor_kind == AuditEvent.Actor.STAFF:
        return Kind.STAFF
    if event.verb in _SIGN_INS:
        return Kind.SIGN_IN
    if event.key_id is None:
        return Kind.ACCOUNT
    return Kind.SUBMISSION if event.verb == Verb.KEY_SUBMITTED else Kind.DECISION


def _of_event(event: AuditEvent, reason: str) -> Entry:
    return Entry(
        at=event.at,
        kind=_kind_of(event),
        what=words.marked(audit.sentence(event)),
        who=_who(event),
        reason=reason,
        tone="bad" if event.verb in _BAD_VERBS else "",
        url=_key_url(event.key_id) if event.key_id else "",
    )


def _who(event: AuditEvent) -> str:
    """As the desk may know it: a colleague by address, and from where everybody came."""
    if event.actor_kind == AuditEvent.Actor.STAFF:
        name = event.actor.email if event.actor else "Staff"
    elif event.actor_kind == AuditEvent.Actor.CUSTOMER:
        name = "Customer"
    else:
        name = "Somebody" if event.address else "Portal"
    return f"{name}, {event.address}" if event.address else name


def _of_check(check: KeyCheck) -> Entry:
    outcome = KeyCheck.Outcome(check.outcome)
    key = check.key
    lines = [f"{item.looked_at}: {item.found}. Needed: {item.needed}." for item in check.findings()]
    if check.exchange_code:
        lines.append(f"{key.adapter.name} answered {check.exchange_code}.")
    what = f"Key …{key.last_four} of {key.bot.short_name} checked: {CHECK_WORDS[outcome]}"
    return Entry(
        at=check.finished_at,
        kind=Kind.CHECK,
        what=words.marked(what),
        who=key.adapter.name,
        lines=tuple(words.marked(line) for line in lines),
        tone=_CHECK_TONES.get(outcome, ""),
        url=_key_url(key.pk),
    )


def _of_mail(mail: Mail, *, with_address: bool) -> Entry:
    status = Mail.Status(mail.status)
    line = f"To {mail.to}. " if with_address else ""
    line += status.label
    if mail.accepted_at:
        line += f" {mail.accepted_at.astimezone(UTC):%H:%M:%S}"
    if status is not Mail.Status.ACCEPTED and mail.last_answer:
        line += f", tried {mail.tries} times: {mail.last_answer}"
    return Entry(
        at=mail.created_at,
        kind=Kind.MAIL,
        what=words.marked(mail.subject or mail.get_kind_display()),
        who="Portal",
        lines=(words.marked(f"{line}."),),
        tone="bad" if status is Mail.Status.FAILED else "",
        url=_mail_url(mail),
    )


def _mail_url(mail: Mail) -> str:
    """Of a letter the page with its words and document, which nobody could find again otherwise."""
    if mail.kind == MailKind.LETTER:
        return reverse("admin:letter", args=[mail.owner_id, mail.pk])
    return reverse("admin:notifications_mail_change", args=[mail.pk])


@lru_cache(maxsize=1_000)
def _key_url(key_id: UUID) -> str:
    """Remembered: most lines of a page are about a few keys."""
    return reverse("admin:apikeys_apikey_change", args=[key_id])
