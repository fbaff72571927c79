"""Private keys as they are pasted, and what is pasted in their place."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from apikeys import key_files
from apikeys.exchanges.base import KeyKind
from apikeys.exchanges.registry import EXCHANGES
from apikeys.forms import KeyForm
from apikeys.key_files import Fault, KeyFileError
from apikeys.models import Bot

LOCKED = BestAvailableEncryption(b"a password")
Private = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


@cache
def made(kind: KeyKind) -> Private:
    if kind is KeyKind.RSA:
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate() if kind is KeyKind.ED25519 else ec.generate_private_key(P256)


P256 = ec.SECP256R1()
PKCS8, TRADITIONAL, OPENSSH = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH
OPEN = NoEncryption()


def pem(
    key: Private | x25519.X25519PrivateKey,
    form: PrivateFormat = PKCS8,
    locked: KeySerializationEncryption = OPEN,
) -> str:
    return key.private_bytes(Encoding.PEM, form, locked).decode()


def public(key: Private) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def certificate() -> str:
    key = made(KeyKind.ED25519)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    begun = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = begun.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=1))
    return dated.sign(key, None).public_bytes(Encoding.PEM).decode()


def without_line_ends(text: str) -> str:
    """As a box of one line takes it."""
    return text.replace("\n", "")


PASTED: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "in one line": without_line_ends,
    "in one line with spaces": lambda text: text.replace("\n", " "),
    "escaped": lambda text: text.replace("\n", "\\n"),
    "escaped, of Windows": lambda text: text.replace("\n", "\\r\\n"),
    "indented": lambda text: text.replace("\n", "\n    "),
    "with words around": lambda text: f"my key:\n{text}\nkeep safe",
    "with empty lines": lambda text: text.replace("\n", "\n\n"),
}
KINDS = [
    *((KeyKind.RSA, PKCS8), (KeyKind.RSA, TRADITIONAL), (KeyKind.ED25519, PKCS8)),
    *((KeyKind.EC, PKCS8), (KeyKind.EC, TRADITIONAL)),
]


@pytest.mark.parametrize("how", PASTED)
@pytest.mark.parametrize(("kind", "form"), KINDS)
def test_it_reads_a_key_however_it_was_pasted_and_writes_it_in_one_form(
    kind: KeyKind, form: PrivateFormat, how: str
) -> None:
    found = key_files.read(PASTED[how](pem(made(kind), form)))
    assert found.kind is kind
    assert found.pem == pem(made(kind)).strip()
    assert key_files.kind_of(found.pem) is kind
    assert found.pem.splitlines()[1] not in repr(found)


def cut(text: str) -> str:
    return text[: len(text) // 2]


def cut_inside(text: str) -> str:
    lines = text.splitlines()
    return "\n".join([lines[0], *lines[2:-2], lines[-1]])


def rsa_of(bits: int) -> str:
    return pem(rsa.generate_private_key(65537, bits))


FAULTS: list[tuple[str, Callable[[], str], Fault]] = [
    ("public half", lambda: public(made(KeyKind.RSA)), Fault.PUBLIC_HALF),
    ("public half of Ed25519", lambda: public(made(KeyKind.ED25519)), Fault.PUBLIC_HALF),
    ("locked", lambda: pem(made(KeyKind.RSA), locked=LOCKED), Fault.ENCRYPTED),
    ("locked, old form", lambda: pem(made(KeyKind.RSA), TRADITIONAL, LOCKED), Fault.ENCRYPTED),
    (
        "locked, old form, in one line",
        lambda: without_line_ends(pem(made(KeyKind.RSA), TRADITIONAL, LOCKED)),
        Fault.ENCRYPTED,
    ),
    ("of OpenSSH", lambda: pem(made(KeyKind.ED25519), OPENSSH), Fault.OPENSSH),
    ("certificate", certificate, Fault.CERTIFICATE),
    ("cut", lambda: cut(pem(made(KeyKind.RSA))), Fault.BROKEN),
    ("without its first line", lambda: pem(made(KeyKind.RSA)).split("\n", 1)[1], Fault.NO_KEY),
    ("cut inside", lambda: cut_inside(pem(made(KeyKind.RSA))), Fault.BROKEN),
    ("nothing inside", lambda: "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----", Fault.BROKEN),
    ("another letter", lambda: pem(made(KeyKind.EC)).replace("M", "Ж", 1), Fault.BROKEN),
    ("two ends", lambda: pem(made(KeyKind.EC)).replace("END P", "END EC P"), Fault.BROKEN),
    ("short RSA", lambda: rsa_of(1024), Fault.OTHER_KIND),
    ("another curve", lambda: pem(ec.generate_private_key(ec.SECP256K1())), Fault.OTHER_KIND),
    ("X25519", lambda: pem(x25519.X25519PrivateKey.generate()), Fault.OTHER_KIND),
    ("no key", lambda: "hello", Fault.NO_KEY),
]


@pytest.mark.parametrize(
    ("text", "fault"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_it_says_why_a_text_is_no_key_that_can_be_used(text: Callable[[], str], fault: Fault) -> None:
    with pytest.raises(KeyFileError) as raised:
        key_files.read(text())
    assert raised.value.fault is fault
    assert "MII" not in repr(raised.value)


def test_it_takes_a_text_that_is_no_key_file_for_a_shared_secret() -> None:
    assert key_files.kind_of("Cd2" + "s" * 61) is KeyKind.HMAC
    assert key_files.kind_of(public(made(KeyKind.RSA))) is KeyKind.HMAC


@pytest.mark.parametrize(
    ("secret", "is_raw"),
    [
        (base64.b64encode(bytes(64)).decode(), True),
        (base64.b64encode(bytes(63)).decode(), False),
        ("s" * 88, False),
        ("not base64", False),
        ("Ж", False),
    ],
)
def test_it_knows_the_raw_ed25519_keys_that_some_portals_hand_out(secret: str, is_raw: bool) -> None:
    assert key_files.is_raw_ed25519(secret) is is_raw


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", "{}", '{"name": 1, "privateKey": "x"}', '{"name": "x"}', "[" * 5000]
)
def test_it_takes_no_other_json_for_a_downloaded_key(text: str) -> None:
    assert key_files.read_json(text) is None


KEYS_OF = {"binance": "Ab1" + "k" * 61, "binanceus": "Ab1" + "k" * 61}


def form(exchange: str, secret: str, **pasted: str) -> KeyForm:
    bot = Bot(bot_id="0x1A2 / JaneDoe / BTC-1", exchange=exchange, market="spot")
    api_key = KEYS_OF.get(exchange, "Ab1" + "k" * 15)
    return KeyForm(bot, {"api_key": api_key, "secret": secret, **pasted})


TAKEN = [(name, kind) for name in ("binance", "bybit", "bybiteu") for kind in EXCHANGES[name].shape.key_files]


@pytest.mark.parametrize("how", PASTED)
@pytest.mark.parametrize(("exchange", "kind"), TAKEN)
def test_the_form_takes_a_key_however_it_was_pasted(exchange: str, kind: KeyKind, how: str) -> None:
    found = form(exchange, PASTED[how](pem(made(kind))))
    assert found.is_valid(), found.errors
    assert found.credentials.secret == pem(made(kind)).strip()


def sentence(found: KeyForm, name: str = "secret") -> str:
    assert not found.is_valid()
    assert list(found.errors) == [name]
    return str(found.errors[name][0])


@pytest.mark.parametrize(
    ("exchange", "kind", "words"),
    [
        (
            *("binance", KeyKind.EC),
            "This is an EC key. Binance takes another kind: Ed25519 or RSA (2048 to 4096 bits).",
        ),
        (
            *("bybit", KeyKind.ED25519),
            "This is an Ed25519 key. Bybit takes another kind: RSA (2048 to 4096 bits).",
        ),
        ("bybiteu", KeyKind.EC, "This is an EC key. Bybit EU takes another kind: RSA (2048 to 4096 bits)."),
        (
            *("binanceus", KeyKind.ED25519),
            "This is a key file (PEM). Here the two values are needed that Binance.US shows when it makes the"
            " key for you.",
        ),
    ],
)
def test_the_form_has_a_sentence_for_each_wrong_kind(exchange: str, kind: KeyKind, words: str) -> None:
    assert sentence(form(exchange, pem(made(kind)))) == words


WORDS = {
    Fault.PUBLIC_HALF: "This is the public half of your key pair, which Binance has.",
    Fault.ENCRYPTED: "This key file is locked with a password.",
    Fault.CERTIFICATE: "This is a certificate.",
    Fault.OPENSSH: "This is a key in the form of OpenSSH.",
    Fault.BROKEN: "This key file is not complete.",
    Fault.OTHER_KIND: "This is a private key of a kind that Binance does not take: Ed25519 or RSA",
}


# Without a first line it is judged as a shared secret.
MARKED = [each for each in FAULTS if each[2] is not Fault.NO_KEY]


@pytest.mark.parametrize(
    ("text", "fault"), [fault[1:] for fault in MARKED], ids=[fault[0] for fault in MARKED]
)
def test_the_form_says_what_was_pasted_in_place_of_a_key(text: Callable[[], str], fault: Fault) -> None:
    pasted = text()
    found = sentence(form("binance", pasted))
    assert found.startswith(WORDS[fault])
    assert not any(line in found for line in pasted.splitlines() if len(line) > 30)


def test_the_form_sends_a_private_key_to_the_other_box() -> None:
    found = form("binance", "Cd2" + "s" * 61, api_key=pem(made(KeyKind.RSA)))
    assert (
        sentence(found, "api_key") == "This is a private key. It belongs into the other box, as the secret."
    )
    assert "BEGIN" not in str(found["api_key"])
