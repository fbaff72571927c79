"""The figures that `/metrics` and the wallboard show, read when asked.

Each is an index's first entry, a few shared rows, or a count that stops at `AT_MOST`: a million keys cost no
more than a thousand. None of them names a person, a bot or a key.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from celery import current_app
from django.conf import settings
from django.db.models import Max, QuerySet
from kombu.exceptions import KombuError

from accounts.models import AuditEvent, AuditLink
from apikeys import vault
from apikeys.exchanges.registry import EXCHANGES
from apikeys.models import ApiKey, ExchangeState, Handover
from apikeys.status import KeyStatus
from notifications.models import Mail
from telemetry.models import EVER, Heartbeat, Tally, What

# Nobody acts differently on ten thousand and on a million that wait.
AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: how much, up to `AT_MOST`, and for how many seconds the oldest has."""

    number: int
    oldest_seconds: float


class Total(NamedTuple):
    number: int
    seconds: float


# Subject and result, to what was counted.
Labelled = dict[tuple[str, str], Total]


def heartbeats() -> dict[str, Heartbeat | None]:
    """For each queue the last heartbeat that a worker took, None where there never was one."""
    seen = Heartbeat.objects.in_bulk()
    return {queue: seen.get(queue) for queue in settings.QUEUES}


def queue_lengths() -> dict[str, int]:
    """How many messages lie on each queue; empty while the broker is away."""
    broker = current_app.connection_for_read(connect_timeout=1)
    away: tuple[type[BaseException], ...] = (OSError, KombuError, *broker.connection_errors)
    try:
        with broker:
            broker.ensure_connection(max_retries=0, timeout=1)
            return {queue: _length(broker, queue) for queue in settings.QUEUES}
    except away:
        return {}


def _length(broker: Any, queue: str) -> int:
    # A channel for each: where a queue does not exist, which with Redis is an empty one, an error ends it.
    with broker.channel() as channel:
        try:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except broker.channel_errors:
            return 0


def checks_waiting(now: datetime) -> Backlog:
    """Keys of people who wait, whose check is due."""
    return _backlog(ApiKey.objects.due(now).filter(status=KeyStatus.CHECKING), "check_due_at", now)


def rechecks_due(now: datetime) -> dict[str, Backlog]:
    """Active keys of each exchange whose daily check is due, one that a sweep holds included.

    One exchange at a time, as the index of sweeps has them.
    """
    active = ApiKey.objects.active().filter(check_due_at__lte=now)
    return {
        exchange: _backlog(active.filter(exchange=exchange), "check_due_at", now) for exchange in EXCHANGES
    }


def revocations_due(now: datetime) -> Backlog:
    """Keys that may move money, and that should have been revoked by now."""
    return _backlog(ApiKey.objects.to_revoke(now), "revoke_at", now)


def mail_waiting(now: datetime) -> Backlog:
    """Mail that no server has taken yet."""
    return _backlog(Mail.objects.filter(status=Mail.Status.WAITING), "created_at", now)


def mail_untried(now: datetime) -> Backlog:
    """Mail that nobody has tried to hand in, unlike what a mailbox puts off again and again."""
    return _backlog(Mail.objects.filter(status=Mail.Status.WAITING, tries=0), "created_at", now)


def handovers_pending(now: datetime) -> Backlog:
    """What the trading engine has not settled."""
    return _backlog(Handover.objects.pending(), "created_at", now)


def handovers_late(now: datetime) -> int:
    return _count(Handover.objects.late(now))


def events_unlinked(now: datetime) -> Backlog:
    """Audit events that came after the last one that is linked."""
    last = AuditLink.objects.aggregate(last=Max("event_id"))["last"] or 0
    # Numbered in the order of their times but for a moment, and found by their number.
    return _backlog(AuditEvent.objects.filter(pk__gt=last), "at", now, order="pk")


def totals() -> dict[What, Labelled]:
    """Counters since ever, by what they count."""
    found: dict[What, Labelled] = {what: {} for what in What}
    for row in Tally.objects.filter(slot=EVER).order_by("subject", "result"):
        found[What(row.what)][row.subject, row.result] = Total(row.number, row.seconds)
    return found


def exchanges() -> list[ExchangeState]:
    return list(ExchangeState.objects.order_by("exchange"))


def unknown_seals(numbers: Labelled) -> set[str]:
    """Seal keys that keys are sealed under and that this process was not told of: nothing opens those."""
    return {seal_id for seal_id, _ in numbers} - vault.known_seal_ids()


def since(at: datetime) -> list[Tally]:
    """Counters of the slots from then on, oldest first."""
    return list(Tally.objects.filter(slot__gte=at).order_by("slot"))


def _backlog(rows: QuerySet[Any], since: str, now: datetime, *, order: str = "") -> Backlog:
    """since: the column with the time from which a row waits. order: another one that finds the oldest."""
    number = _count(rows)
    if not number:
        return Backlog(0, 0.0)
    oldest = rows.order_by(order or since).values_list(since, flat=True).first() or now
    return Backlog(number, max(0.0, (now - oldest).total_seconds()))


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:AT_MOST].count()
