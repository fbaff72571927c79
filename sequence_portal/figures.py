"""The figures that `/metrics` and the wallboard show beside the backlogs, read when asked.

Each is a few shared rows. None of them names a person, a bot or a key.
"""

from datetime import datetime
from typing import Any, NamedTuple

from celery import current_app
from django.conf import settings
from kombu.exceptions import KombuError

from apikeys import vault
from apikeys.models import ExchangeState
from telemetry.models import EVER, Heartbeat, Tally, What


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
            with broker.channel() as channel:
                return {queue: _length(broker, channel, queue) for queue in settings.QUEUES}
    except away:
        return {}


def _length(broker: Any, channel: Any, queue: str) -> int:
    try:
        return int(channel.queue_declare(queue=queue, passive=True).message_count)
    except broker.channel_errors:  # there is none: with Redis an empty queue, with AMQP an unused one
        return 0


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
