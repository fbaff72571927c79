"""Who can open what: the portal no envelope, the engine no copy of the portal's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from engine_client import CannotOpenError, Key, Keyring
from pytest_django import Settings

from apikeys import vault
from apikeys.exchanges.base import Credentials
from apikeys.models import ApiKey, Bot, Handover
from apikeys.status import KeyStatus
from tests.apikeys.test_hand_over import checked, hand_over
from tests.engine.conftest import Engine
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import CHECKS, MAIL, SWEEPS, WEB, Stack

pytestmark = pytest.mark.django_db

# Tries every private key that its environment and settings hold on every envelope, and counts what opens.
THIEF = """
import django; django.setup()
import os
from django.conf import settings
from engine_client import CannotOpenError, Key, Keyring, SetupError
from apikeys import vault
from apikeys.models import Handover

texts = [*os.environ.values(), *(str(getattr(settings, name)) for name in dir(settings) if name.isupper())]
opened = tried = 0
for handover in Handover.objects.exclude(envelope=None).select_related("key__bot"):
    key, envelope = handover.key, bytes(handover.envelope)
    context = {"key_id": key.pk, "bot_id": key.bot.bot_id, "exchange": key.bot.exchange}
    for seal_id in (handover.engine_key_id, key.seal_id):
        try:
            vault.open_sealed(envelope, seal_id, **context)
            opened += 1
        except vault.SealError:
            tried += 1
    for text in texts:
        try:
            ring = Keyring(text)
        except SetupError:
            continue
        for held in ring._keys:
            found = Key(str(key.pk), "", 1, key.bot.bot_id, key.bot.exchange, "", held, envelope, "")
            try:
                ring.open(found)
                opened += 1
            except CannotOpenError:
                tried += 1
print(opened, tried)
"""


@pytest.fixture
def handover(as_alice: Client, bybit_bot: Bot, simulator: Simulator, engine_private: str) -> Handover:
    key = checked(hand_over(as_alice, bybit_bot, "good"))
    assert key.status == KeyStatus.READY
    return Handover.objects.select_related("key__bot").get(key=key)


def sealed(handover: Handover, **other: str | bytes) -> Key:
    key = handover.key
    fields = {
        "key_id": str(key.pk),
        "bot_id": key.bot.bot_id,
        "exchange": key.bot.exchange,
        "engine_key_id": handover.engine_key_id,
        "envelope": bytes(handover.envelope or b""),
    }
    return Key(handover_id="", number=1, market="", taken_over_at="", **(fields | other))  # type: ignore[arg-type]


def test_it_opens_for_the_engine_alone(handover: Handover, engine_private: str) -> None:
    good = DEMO_KEYS["bybit"]["good"]
    opened = Keyring(engine_private).open(sealed(handover))
    assert (opened.api_key, opened.secret) == (good.api_key, good.secret)

    ours = os.environ["SEAL_PRIVATE_KEYS"]
    seal_id = handover.key.seal_id
    with pytest.raises(CannotOpenError):
        Keyring(ours).open(sealed(handover, engine_key_id=seal_id))
    context = {"bot_id": handover.key.bot.bot_id, "exchange": handover.key.bot.exchange}
    for name in (seal_id, handover.engine_key_id):
        with pytest.raises(vault.SealError):
            vault.open_sealed(bytes(handover.envelope or b""), name, key_id=handover.key.pk, **context)


def test_it_keeps_the_own_copy_of_the_portal_from_the_engine(
    handover: Handover, engine_private: str, settings: Settings
) -> None:
    key = handover.key
    own = bytes(key.sealed or b"")
    with pytest.raises(CannotOpenError):
        Keyring(engine_private).open(sealed(handover, envelope=own))
    context: dict[str, Any] = {"key_id": key.pk, "bot_id": key.bot.bot_id, "exchange": key.bot.exchange}
    assert vault.open_sealed(own, key.seal_id, **context).api_key == DEMO_KEYS["bybit"]["good"].api_key
    # Even where both were one key pair, the purpose tells them apart.
    one = settings.SEAL_PUBLIC_KEYS
    settings.ENGINE_PUBLIC_KEYS = one
    envelope = vault.seal_for_engine(Credentials("key", "secret"), **context)
    assert envelope is not None
    with pytest.raises(vault.SealError):
        vault.open_sealed(envelope.ciphertext, envelope.seal_id, **context)
    with pytest.raises(CannotOpenError):
        Keyring(settings.SEAL_PRIVATE_KEYS).open(sealed(handover, envelope=own, engine_key_id=key.seal_id))


@pytest.mark.parametrize(
    "other",
    [
        {"key_id": "00000000-0000-4000-8000-000000000000"},
        {"bot_id": "0x1A2 / AliceDoe / BTC-1"},
        {"exchange": "binance"},
    ],
)
def test_it_does_not_open_what_was_moved(
    other: dict[str, str], handover: Handover, engine_private: str
) -> None:
    with pytest.raises(CannotOpenError):
        Keyring(engine_private).open(sealed(handover, **other))


@pytest.mark.parametrize("place", [0, 700, 1119, 1121, -17, -1])
def test_it_does_not_open_what_was_flipped(place: int, handover: Handover, engine_private: str) -> None:
    envelope = bytearray(bytes(handover.envelope or b""))
    envelope[place] ^= 1
    with pytest.raises(CannotOpenError):
        Keyring(engine_private).open(sealed(handover, envelope=bytes(envelope)))


@pytest.mark.parametrize("length", [0, 1, 1119, 1136, -1])
def test_it_does_not_open_what_was_cut_short(length: int, handover: Handover, engine_private: str) -> None:
    with pytest.raises(CannotOpenError):
        Keyring(engine_private).open(sealed(handover, envelope=bytes(handover.envelope or b"")[:length]))


@pytest.mark.parametrize("name", [WEB, CHECKS, SWEEPS, MAIL])
@pytest.mark.django_db(transaction=True)
def test_it_can_be_opened_by_no_process_of_the_portal_with_the_database(
    name: str, handover: Handover, engine_private: str, settings: Settings, tmp_path: Path
) -> None:
    extra = {
        "ENGINE_PUBLIC_KEYS": settings.ENGINE_PUBLIC_KEYS,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with MailSink() as sink, Simulator() as simulator:
        environ = Stack(tmp_path, simulator, sink, extra=extra).environment(name)
    raw = engine_private.partition(":")[2]
    assert raw not in json.dumps(environ)
    ran = subprocess.run(
        [sys.executable, "-c", THIEF], env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    opened, tried = (int(number) for number in ran.stdout.split())
    assert opened == 0
    # Check and sweep workers hold private keys of the portal's, and try them.
    assert tried >= (3 if name in (CHECKS, SWEEPS) else 2)


def test_it_wipes_the_envelope_when_the_key_is_taken_back(as_alice: Client, handover: Handover) -> None:
    as_alice.post(f"/keys/{handover.key.pk}/take-back/")
    handover.refresh_from_db()
    assert handover.envelope is None


def test_it_wipes_the_envelope_when_the_key_is_retired(
    as_alice: Client, bybit_bot: Bot, simulator: Simulator, engine: Engine
) -> None:
    old = checked(hand_over(as_alice, bybit_bot, "old"))
    engine.client.run_once()
    assert Handover.objects.get(key=old).envelope is not None
    checked(hand_over(as_alice, bybit_bot, "good"))
    engine.client.run_once()
    assert ApiKey.objects.get(pk=old.pk).status == KeyStatus.RETIRED
    assert Handover.objects.get(key=old).envelope is None
