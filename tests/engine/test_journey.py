"""From the form to the engine and back: the worker's task in this process, the engine over HTTP."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from engine_client import PortalAwayError
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from apikeys.flows.revoke import revoke_all
from apikeys.models import ApiKey, Bot, Handover
from apikeys.status import KeyStatus
from notifications.models import Mail
from notifications.render import render_stored
from sequence_portal import backlogs
from tests.apikeys.test_hand_over import checked, hand_over, verbs
from tests.engine.conftest import Engine, MakeEngine
from tests.engine.rows import make_ready_keys
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.exchange_simulator.simulator import Simulator


@pytest.fixture
def old(as_alice: Client, bybit_bot: Bot, simulator: Simulator, engine: Engine) -> ApiKey:
    """What the bot trades with already, taken over by the engine as any other."""
    key = checked(hand_over(as_alice, bybit_bot, "old"))
    engine.client.run_once()
    key.refresh_from_db()
    assert key.status == KeyStatus.ACTIVE
    return key


@pytest.fixture
def new(as_alice: Client, bybit_bot: Bot, old: ApiKey) -> ApiKey:
    """Proved, and waiting for the engine."""
    return checked(hand_over(as_alice, bybit_bot, "good"))


def status_of(*keys: ApiKey) -> list[str]:
    for key in keys:
        key.refresh_from_db()
    return [key.status for key in keys]


def trades_with(engine: Engine, bot: Bot) -> str:
    """The API key that the bot uses, or nothing."""
    credentials = engine.client.credentials_of(bot.bot_id)
    return credentials.api_key if credentials else ""


def page_of(client: Client, key: ApiKey) -> str:
    return client.get(f"/keys/{key.pk}/").content.decode()


OLD, GOOD = DEMO_KEYS["bybit"]["old"].api_key, DEMO_KEYS["bybit"]["good"].api_key


def test_it_activates_a_key_once_the_engine_has_it(
    as_alice: Client, bybit_bot: Bot, old: ApiKey, new: ApiKey, engine: Engine
) -> None:
    assert status_of(old, new) == ["active", "ready"]
    assert 'data-key-status="ready"' in page_of(as_alice, new)
    assert 'data-bot-status="checking"' in as_alice.get("/").content.decode()
    assert not Mail.objects.filter(kind="api_refresh").exists()

    engine.client.fetch_once()
    bot_id, credentials = engine.took[-1]
    good = DEMO_KEYS["bybit"]["good"]
    assert (bot_id, credentials.api_key, credentials.secret, credentials.passphrase) == (
        bybit_bot.bot_id,
        good.api_key,
        good.secret,
        "",
    )
    assert status_of(old, new) == ["active", "ready"], "fetched is not taken over"

    engine.client.settle()
    assert status_of(old, new) == ["retired", "active"]
    assert (old.sealed, new.replaces) == (None, old)
    assert verbs(new) == [
        *("key_submitted", "key_accepted", "key_offered", "key_fetched"),
        *("key_taken_over", "key_activated"),
    ]
    mail = render_stored(Mail.objects.get(kind="api_refresh"))
    for words in ("0x1A2 / AliceDoe", bybit_bot.bot_id, "You can now delete the old key"):
        assert words in mail.text
    assert 'data-key-status="active"' in page_of(as_alice, new)
    assert trades_with(engine, bybit_bot) == GOOD


def test_it_waits_while_the_engine_is_away_and_says_so(
    as_alice: Client, old: ApiKey, new: ApiKey, engine: Engine, settings: Settings
) -> None:
    late = Handover.objects.late(timezone.now() + settings.ENGINE_LATE - timedelta(seconds=30))
    assert not late.exists()
    Handover.objects.filter(key=new).update(created_at=timezone.now() - settings.ENGINE_LATE)
    assert status_of(old, new) == ["active", "ready"]
    assert [found.key for found in Handover.objects.late(timezone.now())] == [new]
    assert backlogs.read(timezone.now()).handovers_late.number == 1
    assert "waiting for your bot" in page_of(as_alice, new)
    engine.client.run_once()
    assert status_of(old, new) == ["retired", "active"]
    assert not Handover.objects.late(timezone.now()).exists()


def test_it_goes_on_when_the_engine_was_restarted_between_fetch_and_ack(
    bybit_bot: Bot, old: ApiKey, new: ApiKey, engine: Engine
) -> None:
    engine.client.fetch_once()
    engine.restart()
    assert status_of(old, new) == ["active", "ready"]
    assert trades_with(engine, bybit_bot) == GOOD
    engine.client.run_once()
    assert status_of(old, new) == ["retired", "active"]
    assert [credentials.api_key for _, credentials in engine.took] == [OLD, GOOD], "taken over once"
    assert Mail.objects.filter(kind="api_refresh").count() == 1


def test_it_takes_what_is_delivered_again_for_one(
    bybit_bot: Bot, old: ApiKey, new: ApiKey, engine: Engine
) -> None:
    for _ in range(2):
        assert engine.client.fetch_once() == (1, None)
    engine.restart()
    assert engine.client.fetch_once() == (1, None)
    assert [credentials.api_key for _, credentials in engine.took] == [OLD, GOOD]
    engine.client.settle()
    engine.client.settle()
    assert status_of(old, new) == ["retired", "active"]
    assert verbs(new).count("key_fetched") == 1
    assert trades_with(engine, bybit_bot) == GOOD


def test_it_goes_on_when_the_portal_was_away(
    bybit_bot: Bot, new: ApiKey, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.client.fetch_once()
    with monkeypatch.context() as patched:
        patched.setattr(engine.client._door, "_base", "http://127.0.0.1:9/engine/v1")
        with pytest.raises(PortalAwayError):
            engine.client.run_once()
    assert status_of(new) == ["ready"]
    engine.client.run_once()
    assert status_of(new) == ["active"]


def test_it_keeps_no_secret_in_the_engine_state_file(new: ApiKey, engine: Engine) -> None:
    engine.client.run_once()
    engine.stop()
    kept = b"".join(file.read_bytes() for file in engine.state.parent.glob(f"{engine.state.name}*"))
    assert str(new.pk).encode() in kept
    for key in DEMO_KEYS["bybit"].values():
        assert key.api_key.encode() not in kept
        assert key.secret.encode() not in kept


def test_it_takes_an_ack_twice_for_one(old: ApiKey, new: ApiKey, engine: Engine, door: Client) -> None:
    engine.client.run_once()
    handover = Handover.objects.get(key=new)
    again = {"taken_over_at": "2030-01-01T00:00:00Z"}
    for _ in range(2):
        answer = door.post(f"/engine/v1/handovers/{handover.id}/ack", again, content_type="application/json")
        assert answer.json() == {"id": str(handover.id), "state": "acked"}
    assert verbs(new).count("key_activated") == 1
    assert verbs(new).count("key_taken_over") == 1
    assert Mail.objects.filter(kind="api_refresh").count() == 1
    handover.refresh_from_db()
    assert handover.engine_time is not None
    assert handover.engine_time.year != 2030


def test_it_takes_acks_out_of_order(old: ApiKey, new: ApiKey, engine: Engine, door: Client) -> None:
    """The old key's ack comes once more after the new one's."""
    engine.client.run_once()
    first = Handover.objects.get(key=old)
    answer = door.post(
        f"/engine/v1/handovers/{first.id}/ack",
        {"taken_over_at": "2026-11-23T17:46:31Z"},
        content_type="application/json",
    )
    assert answer.json()["state"] == "acked"
    assert status_of(old, new) == ["retired", "active"]


def test_it_answers_an_ack_after_a_take_back_with_revoked(
    as_alice: Client, bybit_bot: Bot, old: ApiKey, new: ApiKey, engine: Engine
) -> None:
    engine.client.fetch_once()
    as_alice.post(f"/keys/{new.pk}/take-back/")
    assert status_of(old, new) == ["active", "revoked"]
    engine.client.settle()
    assert status_of(old, new) == ["active", "revoked"]
    assert trades_with(engine, bybit_bot) == OLD, "it goes on with the key before"
    revocation = Handover.objects.get(kind=Handover.Kind.REVOCATION)
    assert (revocation.key, revocation.settled_at) == (new, None)
    assert engine.client.run_once() == 1
    assert engine.client.run_once() == 0
    assert trades_with(engine, bybit_bot) == OLD
    assert not Mail.objects.filter(kind="api_refresh").exists()
    assert verbs(new)[-3:] == ["key_revoked", "revocation_fetched", "revocation_acked"]


def test_it_offers_nothing_of_a_key_that_was_taken_back_before_the_engine_came(
    as_alice: Client, new: ApiKey, engine: Engine
) -> None:
    as_alice.post(f"/keys/{new.pk}/take-back/")
    assert engine.client.fetch_once() == (0, None)
    handover = Handover.objects.get(key=new)
    assert (handover.outcome, handover.envelope) == (Handover.Outcome.WITHDRAWN, None)


@pytest.mark.parametrize("reason", ["cannot_open", "market_closed"])
def test_it_keeps_the_old_key_when_the_engine_rejects_the_new_one(
    reason: str, as_alice: Client, bybit_bot: Bot, old: ApiKey, new: ApiKey, engine: Engine
) -> None:
    handover = Handover.objects.get(key=new)
    if reason == "cannot_open":
        envelope = bytearray(bytes(handover.envelope or b""))
        envelope[-1] ^= 1
        Handover.objects.filter(pk=handover.pk).update(envelope=bytes(envelope))
    else:
        engine.refuses = reason
    engine.client.run_once()
    assert status_of(old, new) == ["active", "revoked"]
    handover.refresh_from_db()
    assert (handover.outcome, handover.reason, handover.envelope) == ("rejected", reason, None)
    assert (new.sealed, new.seal_id) == (None, "")
    assert trades_with(engine, bybit_bot) == OLD
    mail = render_stored(Mail.objects.get(kind="api_rejected"))
    assert f"Your bot goes on trading with the key ending …{old.last_four}. Keep it." in mail.text
    assert bybit_bot.bot_id in mail.text
    page = page_of(as_alice, new)
    assert 'data-key-status="revoked"' in page
    assert "Your bot could not take this key over" in page
    assert engine.client.run_once() == 0
    assert verbs(new)[-1] == "key_rejected"


def test_it_leaves_an_envelope_for_another_private_key_alone(
    new: ApiKey, make_engine: MakeEngine, settings: Settings
) -> None:
    """The key that opens it may be on its way to the engine; a rejection would wipe what is good."""
    Handover.objects.filter(key=new).update(engine_key_id="00000000")
    make_engine("other.sqlite3").client.run_once()
    assert status_of(new) == ["ready"]


def test_it_reaches_the_engine_with_the_end_of_many_keys(
    engine: Engine, alice: User, transactional_db: None
) -> None:
    make_ready_keys(30, customers=2)
    assert engine.client.run_once() == 30
    gone = User.objects.get(client_id="0x0 / Customer0")
    list(revoke_all(customer=gone))
    assert engine.client.run_once() == 15, "all of it at the next fetch; bench/handovers.py measures how soon"
    for bot in Bot.objects.all():
        assert bool(trades_with(engine, bot)) == (bot.customer_id != gone.pk)
    list(revoke_all(exchange="binance"))
    assert engine.client.run_once() == 15
    assert not any(trades_with(engine, bot) for bot in Bot.objects.all())
    assert not Handover.objects.pending().exists()


def test_it_activates_at_once_where_no_engine_is_configured(
    as_alice: Client, bybit_bot: Bot, simulator: Simulator, settings: Settings, live_server: LiveServer
) -> None:
    settings.ENGINE_PUBLIC_KEYS = ""
    key = checked(hand_over(as_alice, bybit_bot, "good"))
    assert key.status == KeyStatus.ACTIVE
    assert not Handover.objects.exists()
