"""Keys in use are checked in lists, each key once, whatever becomes of lists, workers and exchanges."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts.acts import By, NotPossibleError
from accounts.models import User
from accounts.roles import Role
from apikeys.desk.coming import coming
from apikeys.exchanges import pace
from apikeys.exchanges.client import sweeping
from apikeys.exchanges.client.sweeping import in_flight
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows import breaker, check_again, lease
from apikeys.models import ApiKey, ExchangeState, KeyCheck
from apikeys.status import KeyStatus
from apikeys.tasks import check_key
from tests.apikeys.sweeping import again, api_key_of, copies_of, keys_in_use, leased, work
from tests.conftest import make_staff, signed_in
from tests.exchange_simulator.simulator import Simulator
from tests.stack import ROOT
from tests.whole.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = {"checked_at", "check_due_at"}


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at a time, so that a list is in the middle for long enough to meddle with it."""
    monkeypatch.setattr(sweeping, "MOST_IN_FLIGHT", 2)
    sweeping._background.stop()  # with the places of before


@pytest.fixture(autouse=True)
def own_loop() -> Iterator[None]:
    yield
    sweeping._background.stop()


def columns(key: ApiKey) -> dict[str, Any]:
    return {field.attname: getattr(key, field.attname) for field in ApiKey._meta.fields}


def in_thread(work_of: Any) -> Any:
    """As a worker does, which gives its connection back afterwards."""
    try:
        return work_of()
    finally:
        connection.close()


def test_only_times_move_where_nothing_changed(alice: User, simulator: Simulator) -> None:
    keys = keys_in_use(alice, simulator, "binance", 4)
    dead = keys[3]
    simulator.behave("binance", "refuse", api_key=api_key_of(3, "binance"), code="-2008")
    began = timezone.now()

    (todo,) = leased()
    assert work(todo) == 4

    rows = again(keys)
    for before, after in zip(keys[:3], rows[:3], strict=True):
        changed = {name for name, value in columns(after).items() if value != columns(before)[name]}
        assert changed == TIMES
        assert after.checked_at is not None
        assert after.checked_at >= began
        assert after.check_due_at is not None
        assert timedelta(hours=11) < after.check_due_at - began < timedelta(hours=37)
    assert [check.key_id for check in KeyCheck.objects.all()] == [dead.pk]
    assert rows[3].problem == "not_found"
    assert (rows[3].claim, rows[3].claimed_until) == (None, None)


def test_a_list_given_twice_is_worked_on_once(alice: User, simulator: Simulator) -> None:
    keys_in_use(alice, simulator, "binance", 6)
    before = simulator.number_of_calls("binance")
    (todo,) = leased()
    simulator.behave("binance", "delay", seconds=0.3)
    with ThreadPoolExecutor(2) as workers:
        asked = [*workers.map(lambda _: in_thread(lambda: work(todo)), range(2))]
    assert sorted(asked) == [0, 6]
    assert simulator.number_of_calls("binance") == before + 12
    assert work(todo) == 0, "nor when its message comes again"


def test_a_person_takes_a_key_out_of_a_list_until_a_worker_has_taken_it_up(
    alice: User, simulator: Simulator
) -> None:
    taken, left = keys_in_use(alice, simulator, "bybit", 2)
    (todo,) = leased()
    now, ann = timezone.now(), By(make_staff(Role.LEAD), "192.0.2.1", "Ticket 5")
    (told,) = (each for each in coming(again([taken])[0], now) if "list" in each.what)
    assert told.what == "In a list to be checked within minutes."
    desk = signed_in(ann.actor)
    where = f"/admin/apikeys/apikey/{taken.pk}/check/"
    assert "It is in a list to be checked within minutes" in desk.get(where).content.decode()
    desk.post(where, {"seen": "active", "reason": "Ticket 5"})
    simulator.behave("bybit", "hold")
    with ThreadPoolExecutor(1) as worker:
        working = worker.submit(lambda: in_thread(lambda: work(todo)))
        wait_until(lambda: simulator.held() == 1, "one is asked about")
        (asked_about,) = again([left])
        assert "at this very moment" in check_again.why_not(asked_about, now)
        with pytest.raises(NotPossibleError, match="at this very moment"):
            check_again.check_again(key_id=left.pk, by=ann)
        simulator.release()
        assert working.result() == 1
    assert check_key(str(taken.pk)) == "checked again"


def test_what_a_dead_worker_held_is_checked_by_another(
    alice: User, simulator: Simulator, narrow: None
) -> None:
    keys = keys_in_use(alice, simulator, "bybit", 5)
    (todo,) = leased()
    ending = threading.Event()
    simulator.behave("bybit", "hold")
    with ThreadPoolExecutor(1) as worker:
        late = worker.submit(lambda: in_thread(lambda: work(todo, ending)))
        wait_until(lambda: simulator.held() == 2, "two are asked about")
        assert leased() == [], "nothing is leased twice"
        # As if it had hung until the lease was over.
        ApiKey.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        (anew,) = leased()
        assert set(anew.key_ids) == {key.pk for key in keys}
        simulator.reset()
        assert work(anew) == 5
        checked_at = [key.checked_at for key in again(keys)]
        ending.set()
        late.result()
    # The one that was late changed nothing.
    assert [key.checked_at for key in again(keys)] == checked_at
    assert KeyCheck.objects.count() == 0


def test_a_worker_that_is_to_end_gives_back_what_it_has_not_begun(
    alice: User, simulator: Simulator, narrow: None
) -> None:
    keys_in_use(alice, simulator, "bybit", 5)
    (todo,) = leased()
    ending = threading.Event()
    simulator.behave("bybit", "hold")
    with ThreadPoolExecutor(1) as worker:
        ended = worker.submit(lambda: in_thread(lambda: work(todo, ending)))
        wait_until(lambda: simulator.held() == 2, "two are asked about")
        ending.set()
        simulator.release()
        assert ended.result() == 2
    assert ApiKey.objects.filter(check_due_at__gt=timezone.now()).count() == 2
    assert not ApiKey.objects.exclude(claim=None, claimed_until=None).exists()
    (rest,) = leased()
    assert work(rest) == 3


def test_a_key_that_was_replaced_meanwhile_is_left_as_it_is(alice: User, simulator: Simulator) -> None:
    (key,) = keys_in_use(alice, simulator, "bybit", 1)
    (todo,) = leased()
    simulator.behave("bybit", "hold")
    with ThreadPoolExecutor(1) as worker:
        asked = worker.submit(lambda: in_thread(lambda: work(todo)))
        wait_until(simulator.held, "it is asked about")
        retired = {"status": KeyStatus.RETIRED, "claim": None, "claimed_until": None, "check_due_at": None}
        ApiKey.objects.update(sealed=None, seal_id="", **retired)
        simulator.release()
        assert asked.result() == 1
    (now,) = again([key])
    assert (now.status, now.check_due_at, now.checked_at) == (KeyStatus.RETIRED, None, key.checked_at)


def test_it_stops_asking_an_exchange_that_answers_nobody(
    alice: User, simulator: Simulator, narrow: None
) -> None:
    keys = keys_in_use(alice, simulator, "bybit", 20)
    before = simulator.number_of_calls("bybit")
    simulator.behave("bybit", "http_status", status=503)
    (todo,) = leased()
    asked = work(todo)
    assert breaker.OPENS_AFTER <= asked <= breaker.OPENS_AFTER + 1, "what was in flight, and no more"
    assert simulator.number_of_calls("bybit") == before + asked
    # Those that were not asked about come back once somebody may ask again, without a mark.
    left = ApiKey.objects.filter(failed_checks=0)
    assert left.count() == 20 - asked
    assert all(key.check_due_at and key.check_due_at > timezone.now() for key in left)
    assert leased() == []

    ApiKey.objects.update(check_due_at=timezone.now() - timedelta(hours=1))
    (todo,) = leased()
    assert work(todo) == 0, "nobody goes while nobody may"
    assert simulator.number_of_calls("bybit") == before + asked

    ExchangeState.objects.update(open_until=timezone.now())
    ApiKey.objects.update(check_due_at=timezone.now() - timedelta(hours=1))
    (todo,) = leased()
    assert work(todo) == 1, "one goes to see, not a windowful"
    simulator.reset()
    ExchangeState.objects.update(open_until=timezone.now())
    ApiKey.objects.update(check_due_at=timezone.now() - timedelta(hours=1))
    (todo,) = leased()
    assert work(todo) == 20
    assert again(keys)[0].failed_checks == 0


def test_it_comes_again_when_it_is_told_to(alice: User, simulator: Simulator, narrow: None) -> None:
    keys_in_use(alice, simulator, "bybit", 8)
    simulator.behave("bybit", "rate_limit", retry_after=120)
    (todo,) = leased()
    now = timezone.now()
    assert work(todo) <= 2, "what was in flight, and no more"
    assert not ApiKey.objects.filter(check_due_at__lt=now + timedelta(seconds=120)).exists()
    assert not ApiKey.objects.filter(failed_checks__gt=0).exists()
    assert not ApiKey.objects.exclude(claim=None).exists()


def test_each_exchange_is_leased_no_more_than_it_can_be_asked_soon(alice: User, simulator: Simulator) -> None:
    (bitfinex,) = keys_in_use(alice, simulator, "bitfinex", 1)
    (binance,) = keys_in_use(alice, simulator, "binance", 1)
    copies_of(bitfinex, 400)
    copies_of(binance, 30)
    # As a version before wrote them.
    ApiKey.objects.filter(bot__bot_id__endswith="copy 7").update(exchange="")

    now = timezone.now()
    first, second, *others = leased(now)
    assert {first.exchange, second.exchange} == {"binance", "bitfinex"}, "they take turns"
    slow = [one for one in (first, second, *others) if one.exchange == "bitfinex"]
    # 1.5 calls a second, two for a key: three quarters of a key a second, a minute's worth in a list.
    assert [len(one.key_ids) for one in slow] == [45] * 5
    (quick,) = (one for one in (first, second, *others) if one.exchange == "binance")
    assert len(quick.key_ids) == 31
    keys = [key_id for one in (first, second, *others) for key_id in one.key_ids]
    assert len(keys) == len(set(keys))
    assert leased(now) == [], "there is work for five minutes"
    assert ApiKey.objects.filter(exchange="").count() == 0

    held = ApiKey.objects.filter(claim=slow[-1].claim)
    assert all(key.claimed_until > timezone.now() + timedelta(minutes=5) for key in held if key.claimed_until)
    lease.release(slow[0].claim)
    ExchangeState.objects.update(swept_until=F("swept_until") - timedelta(minutes=1))
    (anew,) = leased(now)
    assert set(anew.key_ids) == set(slow[0].key_ids), "the oldest first"


def test_two_that_plan_at_once_share_the_work(alice: User, simulator: Simulator) -> None:
    (key,) = keys_in_use(alice, simulator, "bybit", 1)
    copies_of(key, 2500)
    with ThreadPoolExecutor(2) as planners:
        both = [*planners.map(lambda _: in_thread(leased), range(2))]
    keys = [key_id for lists in both for one in lists for key_id in one.key_ids]
    assert len(keys) == len(set(keys)) == 2501


def test_it_finds_what_is_due_through_an_index(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite plans without regard to how many rows there are.")
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        try:
            due = ApiKey.objects.to_sweep("binance", timezone.now()).order_by("check_due_at")[:1000]
            plan = due.explain()
        finally:
            cursor.execute("RESET enable_seqscan")
    assert "keys_to_sweep" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_it_has_no_more_in_flight_than_get_their_turns_before_they_are_told_to_come_again(
    exchange: str,
) -> None:
    """A check takes up to 41 turns. Who waits too long ends the list for all that are behind."""
    adapter = EXCHANGES[exchange]
    before_the_last = (in_flight(adapter) - 1) / adapter.keys_per_second
    assert before_the_last + pace.SWEEP_AHEAD < pace.LONGEST_WAIT


def test_the_runbook_says_how_many_keys_a_day_each_exchange_allows() -> None:
    told = (ROOT / "docs" / "operations.md").read_text()
    for exchange, adapter in EXCHANGES.items():
        rate = adapter.keys_per_second
        assert f"| `{exchange}` | {rate:.2f} | {int(rate * 86_400):,} |" in told
