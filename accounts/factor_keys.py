"""What second factors are kept under: keys derived from CODE_KEY, which no database holds.

They are derived and not configured, so that no process needs one more secret, and each has a label of its
own, so that no value made for one purpose is of use for another. A stolen database alone yields neither the
secret of an authenticator app nor a recovery code. A new CODE_KEY makes both useless; passkeys go on working.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE_BYTES = 12


class WrongKeyError(Exception):
    """The value was encrypted under another CODE_KEY, for another person, or was changed."""


def encrypt(secret: bytes, *, owner: str) -> bytes:
    """`owner` is bound in: the value opens for the same owner only."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_key("authenticator secret")).encrypt(nonce, secret, owner.encode())


def decrypt(sealed: bytes, *, owner: str) -> bytes:
    """Raises WrongKeyError."""
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(_key("authenticator secret")).decrypt(nonce, rest, owner.encode())
    except (InvalidTag, ValueError):
        raise WrongKeyError from None


def digest(code: str, *, owner: str) -> str:
    """Of a recovery code, in hex. Drawn codes have 60 random bits, so a keyed hash is slow enough."""
    return _mac("recovery code", owner, code).hex()


def passkey_bytes(*parts: str) -> bytes:
    """32 bytes that nobody else can compute, the same for the same parts."""
    return _mac("passkey", *parts)


def _mac(label: str, *parts: str) -> bytes:
    return hmac.new(_key(label), "\0".join(parts).encode(), hashlib.sha256).digest()


def _key(label: str) -> bytes:
    derivation = HKDF(SHA256(), length=32, salt=None, info=f"sequence portal, {label}".encode())
    return derivation.derive(settings.CODE_KEY.encode())
