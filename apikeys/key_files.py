"""Private keys as text (PEM): read however they were pasted, written in one form.

A box of one line takes the line ends out of a pasted file, JSON writes them as \\n, and editors add their
own. The signing library tells kinds apart by the length of the text, so one canonical form matters:
unencrypted PKCS #8 with plain line ends and none at its own end.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from enum import Enum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from apikeys.exchanges.base import KeyKind

MARK = "-----BEGIN"
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
# RFC 1421 headers, such as those of an encrypted key in the old form.
_HEADER = re.compile(r"^[A-Za-z-]+:.*$", re.MULTILINE)
_LINE = 64
_PKCS8 = "-----BEGIN PRIVATE KEY-----\n"
# Object identifiers, as they stand in the file (RFC 8410, RFC 8017, RFC 5480).
_ALGORITHMS = {
    KeyKind.ED25519: bytes.fromhex("06032b6570"),
    KeyKind.RSA: bytes.fromhex("06092a864886f70d010101"),
    KeyKind.EC: bytes.fromhex("06072a8648ce3d0201"),
}
# Binance and Bybit name 2048 and 4096; a larger one would only cost time.
_RSA_BITS = (2048, 4096)


class Fault(Enum):
    """Why a text is no private key that can be used."""

    NO_KEY = "no key"
    PUBLIC_HALF = "the public half"
    ENCRYPTED = "encrypted with a password"
    CERTIFICATE = "a certificate"
    OPENSSH = "in the form of OpenSSH"
    BROKEN = "broken"
    OTHER_KIND = "of a kind that no exchange takes"


class KeyFileError(Exception):
    """Carries the fault, and nothing of the text."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class PrivateKey:
    kind: KeyKind
    pem: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class JsonFile:
    """The two values of a downloaded file."""

    name: str = field(repr=False)
    private_key: str = field(repr=False)


def read(text: str) -> PrivateKey:
    """Raises KeyFileError."""
    found = _PEM.search(text.replace("\\r", "").replace("\\n", "\n"))
    if found is None:
        raise KeyFileError(Fault.BROKEN if MARK in text else Fault.NO_KEY)
    label, body = found.groups()
    _refuse_by_label(label, body)
    inside = "".join(_HEADER.sub("", body).split())
    if not _BASE64.fullmatch(inside):
        raise KeyFileError(Fault.BROKEN)
    lines = "\n".join(inside[start : start + _LINE] for start in range(0, len(inside), _LINE))
    return _load(f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")


def kind_of(secret: str) -> KeyKind:
    """How a stored secret signs. Key files are stored in the form that `read` gives."""
    if not secret.startswith(_PKCS8):
        return KeyKind.HMAC
    # Its beginning names the algorithm; 48 characters hold it for every kind.
    start = len(_PKCS8)
    try:
        head = base64.b64decode(secret[start : start + 48])
    except binascii.Error:
        return KeyKind.HMAC
    return next((kind for kind, algorithm in _ALGORITHMS.items() if algorithm in head), KeyKind.HMAC)


def read_json(text: str) -> JsonFile | None:
    """The values of a downloaded JSON file with a key's name and private key; None where it is none.

    Coinbase's file has `name` and `privateKey` (its documentation on API keys), an older one `id`.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    name, private_key = found.get("name", found.get("id")), found.get("privateKey")
    if not isinstance(name, str) or not isinstance(private_key, str):
        return None
    return JsonFile(name=name.strip(), private_key=private_key)


def is_raw_ed25519(secret: str) -> bool:
    """32 or 64 raw bytes in base64, as some portals hand Ed25519 keys out."""
    try:
        return len(base64.b64decode(secret, validate=True)) == 64
    except (binascii.Error, ValueError):
        return False


def _refuse_by_label(label: str, body: str) -> None:
    if "PUBLIC" in label:
        raise KeyFileError(Fault.PUBLIC_HALF)
    if "CERTIFICATE" in label:
        raise KeyFileError(Fault.CERTIFICATE)
    if "ENCRYPTED" in label or "ENCRYPTED" in body:
        raise KeyFileError(Fault.ENCRYPTED)
    if "OPENSSH" in label:
        raise KeyFileError(Fault.OPENSSH)


def _load(pem: str) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(Fault.BROKEN) from None  # the cause quotes nothing, and is of no use to anybody
    if isinstance(key, ed25519.Ed25519PrivateKey):
        kind = KeyKind.ED25519
    elif isinstance(key, rsa.RSAPrivateKey) and _RSA_BITS[0] <= key.key_size <= _RSA_BITS[1]:
        kind = KeyKind.RSA
    elif isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        kind = KeyKind.EC
    else:
        raise KeyFileError(Fault.OTHER_KIND)
    written = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return PrivateKey(kind, written.decode().strip())
