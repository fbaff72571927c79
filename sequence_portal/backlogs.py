"""What waits, of every kind, read at once.

Each is an index's first entry and a count that stops at `AT_MOST`, all of them in one statement: a million
keys cost no more than a thousand, and one more exchange costs no more round trip.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Max, QuerySet

from accounts.models import AuditEvent, AuditLink
from apikeys.exchanges.registry import EXCHANGES
from apikeys.models import ApiKey, Handover
from apikeys.status import KeyStatus
from notifications.models import Mail

# Nobody acts differently on ten thousand and on a million that wait.
AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: how much, up to `AT_MOST`, and for how many seconds the oldest has."""

    number: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Backlogs:
    """checks: keys of people who wait, whose check is due. rechecks: active keys of each exchange whose daily
    check is due, one that a sweep holds included. revocations: keys that may move money, and that should have
    been revoked by now. mail: what no server has taken yet; mail_untried: of that, what nobody has tried to
    hand in, unlike what a mailbox puts off again and again. handovers: what the trading engine has not
    settled; handovers_late: of that, what it should have. events: those behind the last one that is linked.
    """

    checks: Backlog
    rechecks: Mapping[str, Backlog]
    revocations: Backlog
    mail: Backlog
    mail_untried: Backlog
    handovers: Backlog
    handovers_late: Backlog
    events: Backlog


@dataclass(frozen=True, slots=True)
class _Waiting:
    """since: the column with the time from which a row waits. order: another one that finds the oldest."""

    rows: QuerySet[Any]
    since: str
    order: str = ""


def read(now: datetime) -> Backlogs:
    """In two statements. The first finds the last linked event: the planner has to know its number."""
    last = AuditLink.objects.aggregate(last=Max("event_id"))["last"] or 0
    waiting_mail = Mail.objects.filter(status=Mail.Status.WAITING)
    due = ApiKey.objects.active().filter(check_due_at__lte=now)
    wanted = {
        "checks": _Waiting(ApiKey.objects.due(now).filter(status=KeyStatus.CHECKING), "check_due_at"),
        "revocations": _Waiting(ApiKey.objects.to_revoke(now), "revoke_at"),
        "mail": _Waiting(waiting_mail, "created_at"),
        "mail_untried": _Waiting(waiting_mail.filter(tries=0), "created_at"),
        "handovers": _Waiting(Handover.objects.pending(), "created_at"),
        "handovers_late": _Waiting(Handover.objects.late(now), "created_at"),
        # Numbered in the order of their times but for a moment, and found by their number.
        "events": _Waiting(AuditEvent.objects.filter(pk__gt=last), "at", order="pk"),
    }
    # One exchange at a time, as the index of sweeps has them.
    by_exchange = [_Waiting(due.filter(exchange=exchange), "check_due_at") for exchange in EXCHANGES]
    found = _read([*wanted.values(), *by_exchange], now)
    named = dict(zip(wanted, found, strict=False))
    return Backlogs(rechecks=dict(zip(EXCHANGES, found[len(wanted) :], strict=True)), **named)


def _read(wanted: Sequence[_Waiting], now: datetime) -> list[Backlog]:
    parts: list[str] = []
    parameters: list[Any] = []
    for each in wanted:
        few = each.rows.order_by().values("pk")[:AT_MOST]
        oldest = each.rows.order_by(each.order or each.since).values(each.since)[:1]
        for form, rows in (("(SELECT COUNT(*) FROM ({}) AS few)", few), ("({})", oldest)):
            sql, values = rows.query.sql_with_params()
            parts.append(form.format(sql))
            parameters += values
    with connection.cursor() as cursor:
        # Written by Django from querysets, values apart.
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        row = cursor.fetchone()
    pairs = zip(row[::2], row[1::2], strict=True)
    return [Backlog(number, _seconds(oldest, now) if number else 0.0) for number, oldest in pairs]


def _seconds(since: datetime | str | None, now: datetime) -> float:
    """SQLite has times as text, in UTC. A row without one waits from now on."""
    at = datetime.fromisoformat(since) if isinstance(since, str) else since or now
    return max(0.0, (now - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds())
