"""Keys of each kind, signed by the real client, verified by the simulated exchange with their public half."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from apikeys import key_files
from apikeys.exchanges.base import Credentials, KeyReport, Trouble
from apikeys.findings import FindingCode
from tests.apikeys.exchanges.conftest import AskOnce
from tests.exchange_simulator.simulator import Simulator

NAMES = {"binance": "Ab1" + "k" * 61, "bybit": "Ab1" + "k" * 15, "bybiteu": "Ab1" + "k" * 15}
PEM = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def rsa_key() -> str:
    return rsa.generate_private_key(65537, 2048).private_bytes(*PEM).decode()


def ed25519_key() -> str:
    return ed25519.Ed25519PrivateKey.generate().private_bytes(*PEM).decode()


SECRETS = {
    "HMAC": ("Cd2" + "s" * 61, "Cd2" + "t" * 61),
    "Ed25519": (ed25519_key(), ed25519_key()),
    "RSA": (rsa_key(), rsa_key()),
}
SUPPORTED = [
    *(("binance", kind) for kind in SECRETS),
    *((exchange, kind) for exchange in ("bybit", "bybiteu") for kind in ("HMAC", "RSA")),
]


@pytest.mark.parametrize(("exchange", "kind"), SUPPORTED)
def test_it_signs_with_a_key_of_this_kind_and_with_no_other(
    exchange: str, kind: str, simulator: Simulator, client: AskOnce
) -> None:
    mine, another = SECRETS[kind]
    more = {"rsaPublicKey": "-----BEGIN PUBLIC KEY-----"} if kind == "RSA" and exchange != "binance" else {}
    simulator.register(exchange, NAMES[exchange], mine, **more)
    kept = key_files.read(mine).pem if kind != "HMAC" else mine
    report = client(exchange, Credentials(NAMES[exchange], kept))
    assert isinstance(report, KeyReport), report
    assert report.key_kind == kind
    wrong = client(exchange, Credentials(NAMES[exchange], another))
    assert isinstance(wrong, Trouble)
    assert wrong.code is FindingCode.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("exchange", "secret"),
    [
        ("binance", lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(*PEM).decode()),
        ("bybit", ed25519_key),
    ],
)
def test_it_sends_nothing_signed_with_a_kind_that_the_exchange_does_not_take(
    exchange: str, secret: Callable[[], str], simulator: Simulator, client: AskOnce
) -> None:
    """The form refuses it before; whatever comes past the form is no reason to send it."""
    answer = client(exchange, Credentials(NAMES[exchange], key_files.read(secret()).pem))
    assert isinstance(answer, Trouble)
    assert answer.code is FindingCode.MALFORMED
    assert simulator.number_of_calls(exchange) == 0
