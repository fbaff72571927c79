"""Several engines at once, and an engine against a customer: one outcome wins, on both sides."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django.live_server_helper import LiveServer

from accounts.models import AuditEvent
from apikeys.engine import handovers
from apikeys.flows.revoke import revoke_all, take_back
from apikeys.models import ApiKey, Bot, Handover
from apikeys.status import KeyStatus
from notifications.models import Mail
from tests.engine.conftest import Engine, MakeEngine
from tests.engine.rows import api_key_of, make_ready_keys

HANDOVERS = 200


def at_once(*acts: Callable[[], Any]) -> Sequence[Any]:
    """Run these at the same moment, each with a database connection of its own; gives what each gave."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(30)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [found.result(120) for found in [pool.submit(run, act) for act in acts]]


def drain(make_engine: MakeEngine, name: str) -> Callable[[], Engine]:
    def run() -> Engine:
        engine = make_engine(name)  # its state file belongs to this thread
        while engine.client.run_once():
            pass
        return engine

    return run


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handovers, "PAGE", 30)
    monkeypatch.setattr("engine_client.ACKS_AT_ONCE", 30)


def count_of(verb: str) -> set[int]:
    """How often each key has this event."""
    keys = AuditEvent.objects.filter(verb=verb).values_list("key_id", flat=True)
    return set(Counter(keys).values())


def test_it_hands_each_key_over_once_to_four_clients_at_once(
    make_engine: MakeEngine, small_pages: None
) -> None:
    make_ready_keys(HANDOVERS)
    engines = at_once(*(drain(make_engine, f"{number}.sqlite3") for number in range(4)))

    wanted = {key.bot.bot_id: api_key_of(key) for key in ApiKey.objects.active().select_related("bot")}
    assert len(wanted) == HANDOVERS
    took: dict[str, set[str]] = {}
    for engine in engines:
        for bot_id, credentials in engine.took:
            took.setdefault(bot_id, set()).add(credentials.api_key)
    assert took == {bot_id: {api_key} for bot_id, api_key in wanted.items()}
    assert sum(len(engine.took) for engine in engines) > HANDOVERS, "no double fetch came about"

    assert ApiKey.objects.filter(status=KeyStatus.RETIRED).count() == HANDOVERS
    assert not Handover.objects.pending().exists()
    for verb in ("key_fetched", "key_taken_over", "key_activated"):
        assert AuditEvent.objects.filter(verb=verb).count() == HANDOVERS
        assert count_of(verb) == {1}
    causes = Mail.objects.filter(kind="api_refresh").values_list("cause", flat=True)
    assert len(set(causes)) == len(causes) == HANDOVERS


def test_it_gets_no_deadlock_when_all_keys_end_while_they_are_taken_over(
    make_engine: MakeEngine, small_pages: None
) -> None:
    make_ready_keys(HANDOVERS)
    done = at_once(
        drain(make_engine, "0.sqlite3"),
        drain(make_engine, "1.sqlite3"),
        lambda: sum(1 for _ in revoke_all(exchange="binance")),
    )
    assert done[-1] >= 1
    assert not ApiKey.objects.live().exists()
    engine = make_engine("0.sqlite3")
    engine.client.run_once()
    assert not Handover.objects.pending().exists()
    for name in ("0.sqlite3", "1.sqlite3"):
        other = make_engine(name)
        other.client.run_once()
    assert not any(engine.client.credentials_of(bot.bot_id) for bot in Bot.objects.all())
    assert count_of("key_revoked") == {1}


def test_it_gives_out_the_rest_while_somebody_holds_one(engine: Engine) -> None:
    """Whoever fetches waits for nobody, so that it can be in no deadlock."""
    make_ready_keys(3)
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no locks of rows.")
    with transaction.atomic():
        assert Handover.objects.select_for_update().earliest("number")
        assert engine.client.fetch_once() == (2, None)
    assert engine.client.fetch_once() == (3, None)


def test_it_lets_one_of_ack_and_take_back_win(live_server: LiveServer, make_engine: MakeEngine) -> None:
    make_ready_keys(12)
    engine = make_engine("engine.sqlite3")
    engine.client.fetch_once()
    outcomes = set()
    for handover in Handover.objects.select_related("key__bot__customer").order_by("number"):
        key, customer = handover.key, handover.key.bot.customer
        url, body = f"handovers/{handover.id}/ack", {"taken_over_at": "2026-11-23T17:46:31Z"}

        def ack(url: str = url, body: dict[str, str] = body) -> Any:
            return engine.client._door.post(url, body)["state"]

        def undo(key: ApiKey = key, customer: Any = customer) -> bool:
            return take_back(key=key, customer=customer, address="127.0.0.1")

        state, taken_back = at_once(ack, undo)
        key.refresh_from_db()
        old = ApiKey.objects.get(
            bot=key.bot, submitted_at__lte=key.submitted_at, activated_at__lt=key.ready_at
        )
        told = Handover.objects.filter(key=key, kind=Handover.Kind.REVOCATION).exists()
        outcome = (state, taken_back, key.status, old.status, told)
        assert outcome in {
            ("acked", False, "active", "retired", False),
            ("revoked", True, "revoked", "active", True),
        }
        outcomes.add(state)
    engine.client.run_once()
    for key in ApiKey.objects.filter(handovers__kind=Handover.Kind.KEY).select_related("bot"):
        held = engine.client.credentials_of(key.bot.bot_id)
        assert (held is not None) == (key.status == KeyStatus.ACTIVE)
