"""Leaves an exchange alone that does not answer anybody, and finds out when it does again.

Only what says something about the exchange as a whole counts: no connection, no answer in time, 5xx, "too
many requests". What one key can bring about by itself does not, or a stranger could hold up all checks.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from apikeys.exchanges.base import KeyReport, Trouble
from apikeys.findings import FindingCode
from apikeys.models import ExchangeState

logger = logging.getLogger(__name__)

OPENS_AFTER = 5  # outages in a row
# For how long nobody asks; doubled with each look that finds it still away.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=5)
# Whoever goes to see has this long before the next one may.
LOOK = timedelta(seconds=30)
# In place of an exchange's code: it was not asked.
HELD_BACK = "breaker"


def held_back(exchange: str, now: datetime) -> Trouble | None:
    """Why this check must not ask at all, or None where it may."""
    state = ExchangeState.objects.filter(exchange=exchange, failures__gte=OPENS_AFTER).first()
    if state is None or state.open_until is None:
        return None
    if now >= state.open_until:
        # One goes to see how things are. Who comes second finds the row moved on.
        mine = ExchangeState.objects.filter(exchange=exchange, open_until=state.open_until)
        if mine.update(open_until=now + LOOK):
            return None
        return _held_back(LOOK)
    return _held_back(state.open_until - now)


def is_open(exchange: str) -> bool:
    """Whether it did not answer anybody when it was last asked, by now or before."""
    return ExchangeState.objects.filter(exchange=exchange, failures__gte=OPENS_AFTER).exists()


def _held_back(for_: timedelta) -> Trouble:
    return Trouble(
        FindingCode.EXCHANGE_UNAVAILABLE, exchange_code=HELD_BACK, retry_after=for_.total_seconds()
    )


def record(
    exchange: str, answer: KeyReport | Trouble, now: datetime, *, began: datetime | None = None
) -> None:
    """Count an outage, or the end of one. Costs a good exchange no write.

    began: what `held_back` was told as now before this call; without it, now.
    """
    if isinstance(answer, Trouble) and answer.outage:
        _count_outage(exchange, now, began or now)
    elif isinstance(answer, KeyReport) or answer.code is not FindingCode.EXCHANGE_UNAVAILABLE:
        ended = ExchangeState.objects.filter(exchange=exchange, failures__gt=0)
        if ended.update(failures=0, failing_since=None, open_until=None, answered_at=now):
            logger.warning("%s answers again", exchange)


def _count_outage(exchange: str, now: datetime, began: datetime) -> None:
    """What was on its way as the pause began says nothing new: with many calls at once, that one outage would
    be counted many times, and the pause be doubled each time. So from then on only the look counts.
    """
    ExchangeState.objects.get_or_create(exchange=exchange)
    rows = ExchangeState.objects.filter(exchange=exchange)
    counting = rows.filter(Q(open_until=None) | Q(open_until=began + LOOK))
    if not counting.update(failures=F("failures") + 1, failing_since=Coalesce("failing_since", Value(now))):
        return
    failures = rows.values_list("failures", flat=True).get()
    if failures >= OPENS_AFTER:
        pause = min(FIRST_PAUSE * 2 ** min(failures - OPENS_AFTER, 10), LONGEST_PAUSE)
        if counting.update(open_until=now + pause):
            logger.error("%s does not answer: nobody asks for %d s", exchange, pause.total_seconds())


def record_clock(exchange: str, ahead_ms: float, now: datetime) -> None:
    """Keep how far the exchange's clock is ahead of ours, for the desk and the metrics."""
    ExchangeState.objects.update_or_create(
        exchange=exchange, defaults={"clock_ahead_ms": ahead_ms, "clock_measured_at": now}
    )
