"""An exchange that answers nobody is left alone; one key by itself cannot bring that about."""

from datetime import UTC, datetime, timedelta

import pytest

from apikeys.exchanges.base import KeyReport, Right, Trouble
from apikeys.findings import FindingCode
from apikeys.flows import breaker
from apikeys.models import ExchangeState

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OUTAGE = Trouble(FindingCode.EXCHANGE_UNAVAILABLE, outage=True)
GOOD = KeyReport(rights=dict.fromkeys(Right, False))


def away(times: int) -> None:
    for _ in range(times):
        breaker.record("kraken", OUTAGE, NOW)


def test_it_asks_until_the_fifth_outage_in_a_row() -> None:
    away(4)
    assert breaker.held_back("kraken", NOW) is None
    away(1)
    held_back = breaker.held_back("kraken", NOW)
    assert held_back is not None
    assert (held_back.code, held_back.retry_after) == (FindingCode.EXCHANGE_UNAVAILABLE, 15)
    assert breaker.held_back("binance", NOW) is None
    assert [state.exchange for state in ExchangeState.objects.away(NOW)] == ["kraken"]


def test_it_lets_one_go_and_see_and_doubles_the_pause_if_nothing_changed() -> None:
    away(5)
    later = NOW + timedelta(seconds=15)
    assert breaker.held_back("kraken", later) is None, "one goes to see"
    assert breaker.held_back("kraken", later) is not None, "and only one"
    breaker.record("kraken", OUTAGE, later)
    held_back = breaker.held_back("kraken", later)
    assert held_back is not None
    assert held_back.retry_after == 30
    for _ in range(10):
        later += timedelta(seconds=310)
        assert breaker.held_back("kraken", later) is None
        breaker.record("kraken", OUTAGE, later + timedelta(seconds=9), began=later)
    held_back = breaker.held_back("kraken", later + timedelta(seconds=9))
    assert held_back is not None
    assert held_back.retry_after == 300, "never longer than five minutes"


def test_it_counts_one_outage_once_however_many_calls_were_on_their_way() -> None:
    away(200)
    held_back = breaker.held_back("kraken", NOW)
    assert held_back is not None
    assert held_back.retry_after == 15
    later = NOW + timedelta(seconds=15)
    assert breaker.held_back("kraken", later) is None, "one goes to see"
    breaker.record("kraken", OUTAGE, later, began=NOW)
    assert ExchangeState.objects.get().open_until == later + breaker.LOOK, "which that late answer is not"


@pytest.mark.parametrize("answer", [GOOD, Trouble(FindingCode.NOT_FOUND, "-2008")])
def test_it_ends_with_the_first_answer(answer: KeyReport | Trouble) -> None:
    away(9)
    breaker.record("kraken", answer, NOW)
    assert breaker.held_back("kraken", NOW) is None
    state = ExchangeState.objects.get()
    assert (state.failures, state.failing_since, state.answered_at) == (0, None, NOW)


def test_what_one_key_brings_about_holds_nobody_back() -> None:
    for _ in range(50):
        breaker.record("kraken", Trouble(FindingCode.EXCHANGE_UNAVAILABLE, "HTTP 400"), NOW)
    assert breaker.held_back("kraken", NOW) is None
    assert not ExchangeState.objects.exists(), "a good exchange costs no row"


def test_it_keeps_how_far_a_clock_is_away() -> None:
    breaker.record_clock("kraken", 812.5, NOW)
    breaker.record_clock("kraken", -3.0, NOW)
    assert ExchangeState.objects.get().clock_ahead_ms == -3.0
