"""Counts what was handed over and decided each day, for the charts of the desk. Idempotent."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from apikeys.flows.check import HOLD
from apikeys.models import ApiKey, DayFigures
from apikeys.status import KeyStatus

DAYS_SHOWN = 30
_DAY = timedelta(days=1)
# No verdict comes later than this after the submission: the hold for a person, and a day of retries after it.
_LATEST_VERDICT = HOLD + 2 * _DAY


def count_days(now: datetime) -> None:
    """Bring the last days' figures up to date: today's each time, a past day's once it is over.

    This runs every few minutes, and nearly every verdict comes within a day of the submission. So for today
    the keys of today and yesterday are read; the few that waited longer, for a person or an exchange, are in
    the figures once the day is over, when the keys of more than a week are read once.
    """
    today = now.astimezone(UTC).date()
    shown = [today - back * _DAY for back in range(DAYS_SHOWN)]
    counted = dict(DayFigures.objects.filter(day__in=shown).values_list("day", "counted_at"))
    for day in shown:
        if day not in counted or counted[day] < _begin(day + _DAY):
            _count(day, now)


def _count(day: date, now: datetime) -> None:
    begin, end = _begin(day), _begin(day + _DAY)
    # By time of submission, since that is what the keys are indexed by.
    of_day = ApiKey.objects.filter(submitted_at__gte=begin, submitted_at__lt=end)
    decided_at = Coalesce("ready_at", "ended_at")
    looks_back = _LATEST_VERDICT if now >= end else _DAY
    decided = (
        ApiKey.objects.filter(submitted_at__gte=begin - looks_back, submitted_at__lt=end)
        .filter(Q(ready_at__isnull=False) | Q(status=KeyStatus.REFUSED))
        .annotate(decided_at=decided_at)
        .filter(decided_at__gte=begin, decided_at__lt=end)
        .values_list("ready_at", F("decided_at"), "submitted_at")
    )
    waited: list[float] = []
    accepted = 0
    for ready_at, verdict_at, submitted_at in decided.iterator(5_000):
        accepted += ready_at is not None
        waited.append((verdict_at - submitted_at).total_seconds())
    waited.sort()
    DayFigures.objects.update_or_create(
        day=day,
        defaults={
            "submitted": of_day.count(),
            "accepted": accepted,
            "refused": len(waited) - accepted,
            "half_s": _within(waited, 0.5),
            "most_s": _within(waited, 0.95),
            "counted_at": now,
        },
    )


def _within(waited: Sequence[float], share: float) -> float | None:
    """The time within which this share of them was decided, from the sorted times."""
    return waited[max(math.ceil(len(waited) * share) - 1, 0)] if waited else None


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
