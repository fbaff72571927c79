"""Sealing and opening credentials. Only the public half of a seal key is in reach of web processes.

HPKE of RFC 9180 with the hybrid of ML-KEM-768 and X25519: a copy taken today stays closed to a quantum
computer of tomorrow. A key travels through the environment as `id:base64url`, several parted by commas,
newest first; the id is the first eight hex digits of the SHA-256 of the raw public key.

Raw public key: 1184 bytes ML-KEM-768, then 32 bytes X25519. Raw private key: 64 bytes ML-KEM-768 seed,
then 32 bytes X25519.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from django.conf import settings

from apikeys.exchanges.base import Credentials

PORTAL_PURPOSE = "sequence-portal/api-key/1"
ENGINE_PURPOSE = "sequence-portal/engine-handover/1"

_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.SHAKE256, hpke.AEAD.AES_256_GCM)
_MLKEM_PUBLIC_BYTES = 1184
_MLKEM_SEED_BYTES = 64
_KEY_ID = re.compile(r"[0-9a-f]{8}")


class SealError(Exception):
    """A seal key that is malformed or missing, or a sealed value that does not open. Carries no value."""


@dataclass(frozen=True, slots=True)
class Sealed:
    ciphertext: bytes  # plaintext length plus 1136 bytes
    seal_id: str


def generate_pair() -> tuple[str, str]:
    """A new private and public key, each in the form of the environment."""
    mlkem, x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    public = _public_raw(mlkem, x25519)
    private = mlkem.private_bytes_raw() + x25519.private_bytes_raw()
    key_id = _key_id(public)
    return _entry(key_id, private), _entry(key_id, public)


def seal(credentials: Credentials, *, key_id: UUID, bot_id: str, exchange: str) -> Sealed:
    """Encrypt to the newest public key, bound to the row, the bot and the exchange."""
    return _seal(_plaintext(credentials), _info(key_id, bot_id, exchange))


def seal_for_engine(credentials: Credentials, *, key_id: UUID, bot_id: str, exchange: str) -> Sealed | None:
    """A second copy that only the trading engine can open; None where no engine is configured.

    Its context names another purpose than the portal's own copy, so that neither passes for the other.
    """
    newest = next(iter(_public_keys(settings.ENGINE_PUBLIC_KEYS).items()), None)
    if newest is None:
        return None
    engine_key_id, public = newest
    info = _info(key_id, bot_id, exchange, purpose=ENGINE_PURPOSE)
    return Sealed(
        ciphertext=_SUITE.encrypt(_plaintext(credentials), public, info=info), seal_id=engine_key_id
    )


def open_sealed(sealed: bytes, seal_id: str, *, key_id: UUID, bot_id: str, exchange: str) -> Credentials:
    """Decrypt. Raises SealError where the private key is not here or anything was altered or moved."""
    plaintext = _open(sealed, seal_id, _info(key_id, bot_id, exchange))
    api_key, secret, passphrase = json.loads(plaintext)
    return Credentials(api_key=api_key, secret=secret, passphrase=passphrase)


def seal_anew(sealed: bytes, seal_id: str, *, key_id: UUID, bot_id: str, exchange: str) -> Sealed:
    """The same secret under the newest public key. Raises SealError like `open_sealed`."""
    info = _info(key_id, bot_id, exchange)
    return _seal(_open(sealed, seal_id, info), info)


def newest_seal_id() -> str:
    """The id of the key that `seal` encrypts to."""
    return next(iter(_public_keys(settings.SEAL_PUBLIC_KEYS)))


def known_seal_ids() -> frozenset[str]:
    """The ids of all seal keys that are still set, in either half."""
    public, private = _public_keys(settings.SEAL_PUBLIC_KEYS), _private_keys(settings.SEAL_PRIVATE_KEYS)
    return frozenset({*public, *private})


def fingerprint(exchange: str, api_key: str) -> str:
    """A keyed hash that is equal for the same API key at the same exchange; 64 hex digits."""
    message = f"{exchange}\0{api_key}".encode()
    return hmac.new(settings.FINGERPRINT_KEY.encode(), message, hashlib.sha256).hexdigest()


def check_keys() -> None:
    """Raise SealError where a key of the environment is malformed, or a private one lacks its public half."""
    public = _public_keys(settings.SEAL_PUBLIC_KEYS)
    private = _private_keys(settings.SEAL_PRIVATE_KEYS)
    _public_keys(settings.ENGINE_PUBLIC_KEYS)
    if not public:
        raise SealError("SEAL_PUBLIC_KEYS holds no key.")
    if private and next(iter(public)) not in private:
        raise SealError("SEAL_PRIVATE_KEYS lacks the private half of the newest public seal key.")


def _seal(plaintext: bytes, info: bytes) -> Sealed:
    seal_id = newest_seal_id()
    public = _public_keys(settings.SEAL_PUBLIC_KEYS)[seal_id]
    return Sealed(ciphertext=_SUITE.encrypt(plaintext, public, info=info), seal_id=seal_id)


def _open(sealed: bytes, seal_id: str, info: bytes) -> bytes:
    private = _private_keys(settings.SEAL_PRIVATE_KEYS).get(seal_id)
    if private is None:
        raise SealError(f"This process holds no private seal key {seal_id}.")
    try:
        return _SUITE.decrypt(bytes(sealed), private, info=info)
    except InvalidTag:
        raise SealError("A sealed value does not open: altered, or moved from another row.") from None


def _plaintext(credentials: Credentials) -> bytes:
    return json.dumps([credentials.api_key, credentials.secret, credentials.passphrase]).encode()


def _info(key_id: UUID, bot_id: str, exchange: str, *, purpose: str = PORTAL_PURPOSE) -> bytes:
    return json.dumps([purpose, str(key_id), bot_id, exchange]).encode()


def _public_raw(mlkem: MLKEM768PrivateKey, x25519: X25519PrivateKey) -> bytes:
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def _key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:8]


def _entry(key_id: str, raw: bytes) -> str:
    return f"{key_id}:{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"


def _parse(entries: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in entries.split(","))):
        key_id, _, encoded = entry.partition(":")
        if not _KEY_ID.fullmatch(key_id):  # errors name the id, and here it may be a key pasted without one
            raise SealError("A seal key is not in the form id:base64url.")
        try:
            found[key_id] = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except (binascii.Error, ValueError):
            raise SealError("A seal key is not in the form id:base64url.") from None
    return found


@cache
def _public_keys(entries: str) -> Mapping[str, hpke.MLKEM768X25519PublicKey]:
    keys = {}
    for key_id, raw in _parse(entries).items():
        if _key_id(raw) != key_id:
            raise SealError(f"The public seal key {key_id} does not match its id.")
        try:
            mlkem = MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES])
            x25519 = X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_BYTES:])
        except ValueError:
            raise SealError(f"The public seal key {key_id} has the wrong length.") from None
        keys[key_id] = hpke.MLKEM768X25519PublicKey(mlkem, x25519)
    return keys


@cache
def _private_keys(entries: str) -> Mapping[str, hpke.MLKEM768X25519PrivateKey]:
    keys = {}
    for key_id, raw in _parse(entries).items():
        try:
            mlkem = MLKEM768PrivateKey.from_seed_bytes(raw[:_MLKEM_SEED_BYTES])
            x25519 = X25519PrivateKey.from_private_bytes(raw[_MLKEM_SEED_BYTES:])
        except ValueError:
            raise SealError(f"The private seal key {key_id} has the wrong length.") from None
        if _key_id(_public_raw(mlkem, x25519)) != key_id:
            raise SealError(f"The private seal key {key_id} does not match its id.")
        keys[key_id] = hpke.MLKEM768X25519PrivateKey(mlkem, x25519)
    return keys
