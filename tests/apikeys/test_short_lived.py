"""A secret that was opened for a check is held by nothing once the check is over."""

import gc
import time
from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import User
from apikeys.exchanges.base import Credentials
from apikeys.exchanges.client.signing import Signed
from apikeys.models import Bot
from apikeys.tasks import check_key
from tests.apikeys.sweeping import keys_in_use, leased, work
from tests.apikeys.test_hand_over import hand_over
from tests.exchange_simulator.simulator import Simulator

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What is in a cycle would wait for the collector, and that may take long."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def held(besides: frozenset[int] = frozenset()) -> list[object]:
    """besides: what was held before, such as constants of other tests."""
    found = [thing for thing in gc.get_objects() if type(thing) in (Credentials, Signed)]
    return [thing for thing in found if id(thing) not in besides]


@pytest.mark.parametrize("behaviour", ["ok", "refuse", "html", "hang_up", "huge"])
def test_nothing_holds_an_opened_secret_after_the_check(
    behaviour: str, as_alice: Client, bybit_bot: Bot, simulator: Simulator, no_collector: None
) -> None:
    key = hand_over(as_alice, bybit_bot, "good")
    simulator.behave("bybit", behaviour)
    before = frozenset(map(id, held()))
    check_key(str(key.pk))
    until = time.monotonic() + 5
    while held(before) and time.monotonic() < until:
        time.sleep(0.02)  # the loop's thread lets go of the call a moment after it gave the answer
    assert held(before) == []


@pytest.mark.parametrize("behaviour", ["ok", "html", "hang_up"])
def test_nothing_holds_an_opened_secret_after_a_sweep(
    behaviour: str, alice: User, simulator: Simulator, no_collector: None
) -> None:
    keys_in_use(alice, simulator, "bybit", 3)
    simulator.behave("bybit", behaviour)
    (todo,) = leased()
    before = frozenset(map(id, held()))
    assert work(todo) == 3
    until = time.monotonic() + 5
    while held(before) and time.monotonic() < until:
        time.sleep(0.02)
    assert held(before) == []


def test_it_would_find_one_that_is_held() -> None:
    before = frozenset(map(id, held()))
    kept = Credentials("a", "b")
    assert held(before) == [kept]
