"""What a simulated exchange is made of."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

CREATED_MS = 1_763_800_000_000
CREATED = "2025-11-22T08:26:40Z"
OUR_ADDRESS = "203.0.113.10"


@dataclass(frozen=True)
class SimulatedKey:
    """reply: laid over the reply about its rights; more: over others, by path. None takes a field out.

    host: where the key is known; empty: at the exchange's first host.
    """

    exchange: str
    api_key: str
    secret: str = field(repr=False)
    reply: Mapping[str, Any] = field(default_factory=dict)
    passphrase: str = field(default="", repr=False)
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    host: str = ""


@dataclass(frozen=True)
class Asked:
    """One request, as a signature covers it. path begins with /; query is raw, without the question mark."""

    method: str
    path: str
    query: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: str
    host: str  # the host that was meant


@dataclass(frozen=True)
class Refusal:
    status: int
    body: Any


Reply = Callable[[SimulatedKey, Asked], Any]
"""The JSON of a well signed call; a Refusal where the exchange refuses it for other reasons."""


@dataclass(frozen=True)
class SimulatedExchange:
    """id: of the registry. The first host is the usual one.

    private: by method and path. public: by path, GET.
    caller: the API key of a request, empty where there is none.
    verify: why a call is refused (key None: unknown), or None where it is well signed.
    refusal: the exchange's error of this code, as it writes it. too_many: its answer to too many requests.
    wrong_type: laid over a good reply, it makes one field of a type that it never has.
    unknown_key, wrong_secret: the finding codes that such a key ends with.
    fresh: the n-th of many good keys, whose reply tells it from every other one's.
    demo_keys: by what each is there to show: old, good, can_withdraw, read_only, and what the exchange has
    beside. "old" is what a demo bot trades with at the start.
    """

    id: str
    hosts: tuple[str, ...]
    private: Mapping[tuple[str, str], Reply]
    public: Mapping[str, Callable[[], Any]]
    caller: Callable[[Asked], str]
    verify: Callable[[Asked, SimulatedKey | None], Refusal | None]
    refusal: Callable[[str], Refusal]
    too_many: Refusal
    wrong_type: Mapping[str, Any]
    unknown_key: str
    wrong_secret: str
    fresh: Callable[[int], SimulatedKey]
    demo_keys: Mapping[str, SimulatedKey]


def hex_hmac(secret: str, text: str, digest: str = "sha256") -> str:
    return hmac.new(secret.encode(), text.encode(), digest).hexdigest()


def base64_hmac(secret: str | bytes, text: str | bytes, digest: str = "sha256") -> str:
    key = secret.encode() if isinstance(secret, str) else secret
    message = text.encode() if isinstance(text, str) else text
    return base64.b64encode(hmac.new(key, message, digest).digest()).decode()


def is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def is_signed_with(private_pem: str, text: str, signature: str) -> bool:
    """A base64 signature by the public half of a key file: Ed25519, RSA (PKCS #1 v1.5, SHA-256) or EC."""
    public = serialization.load_pem_private_key(private_pem.encode(), None).public_key()
    message = text.encode()
    try:
        raw = base64.b64decode(signature)
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(raw, message)
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(raw, message, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(raw, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


# How far the clocks of all simulated exchanges go ahead.
clock_ahead_ms = 0.0


def now_ms() -> int:
    return int(time.time() * 1000 + clock_ahead_ms)


def overlaid(reply: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in over.items():
        if value is None:
            reply.pop(name, None)
        elif isinstance(value, dict) and isinstance(reply.get(name), dict):
            reply[name] = overlaid(dict(reply[name]), value)
        else:
            reply[name] = value
    return reply


def random_looking(*seed: str) -> str:
    """64 letters and digits that look like a key's, the same at every start."""
    return hashlib.sha256(" ".join(seed).encode()).hexdigest()


def readable(text: str, length: int) -> str:
    """Readable at its beginning, told apart by its end: pages and mails show the last four characters."""
    return text.ljust(length - 4, "0") + hashlib.sha256(text.encode()).hexdigest()[:4]
