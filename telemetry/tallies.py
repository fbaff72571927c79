"""Counts what happens, in a table that all processes share. One statement, after the commit of what it tells.

A row of a counter is held for the moment of that statement only: counted inside the transaction of an act,
workers would wait for one another's transactions.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from telemetry.models import EVER, Tally, What

logger = logging.getLogger(__name__)

# What a chart shows as one bar.
SLOT = timedelta(minutes=5)
# Bounds in seconds of the histogram of times from submit to verdict. The last one is no bound at all.
BOUNDS = ("1", "2.5", "5", "10", "30", "60", "300", "3600", "+Inf")

_UPSERT = """
INSERT INTO telemetry_tally (slot, what, subject, result, number, seconds) VALUES {rows}
ON CONFLICT (slot, what, subject, result) DO UPDATE
SET number = telemetry_tally.number + EXCLUDED.number, seconds = telemetry_tally.seconds + EXCLUDED.seconds
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """So many more of one thing; see `What` for what subject and result are. Never an id of a row."""

    what: What
    subject: str
    result: str = ""
    number: int = 1
    seconds: float = 0.0


def count(*counted: Counted) -> None:
    """Add to the counters. A database that cannot is logged: no act fails for want of its figure."""
    now = timezone.now()
    # In one order always, so that two who count the same rows wait for each other and never in a circle.
    rows = sorted(
        (slot, each.what.value, each.subject, each.result, each.number, each.seconds)
        for slot in (EVER, slot_of(now))
        for each in _summed(counted)
    )
    if not rows:
        return
    values = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(rows))
    adapted = [(connection.ops.adapt_datetimefield_value(row[0]), *row[1:]) for row in rows]
    try:
        # Where a caller has a transaction open, an error must not spoil it.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_UPSERT.format(rows=values), [value for row in adapted for value in row])
    except DatabaseError as error:
        logger.warning("Not counted: %s", type(error).__name__)


def verdict(seconds: float) -> Counted:
    """The time that a person waited from submitting a key to its verdict."""
    bound = next(bound for bound in BOUNDS if seconds <= float(bound))
    return Counted(What.VERDICT, bound, seconds=seconds)


def slot_of(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // SLOT.total_seconds() * SLOT.total_seconds(), tz=at.tzinfo)


def put(what: What, numbers: dict[str, int]) -> None:
    """Set the figures of one kind to what was counted elsewhere, and drop those that are not named."""
    figures = [Tally(slot=EVER, what=what, subject=name, number=number) for name, number in numbers.items()]
    with transaction.atomic():
        Tally.objects.filter(slot=EVER, what=what).exclude(subject__in=numbers).delete()
        Tally.objects.bulk_create(
            figures,
            update_conflicts=True,
            unique_fields=["slot", "what", "subject", "result"],
            update_fields=["number"],
        )


def forget(now: datetime) -> int:
    """Drop the slots that no chart shows any more; the counters of `EVER` stay. Says how many went."""
    old = Tally.objects.filter(slot__gt=EVER, slot__lt=now - settings.TALLIES_KEPT)
    return old.delete()[0]


def _summed(counted: Sequence[Counted]) -> list[Counted]:
    """One row may be named only once in an upsert."""
    sums: dict[tuple[What, str, str], tuple[int, float]] = {}
    for each in counted:
        name = (each.what, each.subject, each.result)
        number, seconds = sums.get(name, (0, 0.0))
        sums[name] = (number + each.number, seconds + each.seconds)
    return [Counted(*name, number=number, seconds=seconds) for name, (number, seconds) in sums.items()]
