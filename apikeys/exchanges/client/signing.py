"""Signs requests with ccxt, whose `sign` is pure: it opens nothing and loads nothing."""

import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import ccxt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from apikeys.exchanges.adapter import Call
from apikeys.exchanges.base import Credentials


@dataclass(frozen=True, slots=True)
class Signed:
    url: str = field(repr=False)
    method: str
    headers: Mapping[str, str] = field(repr=False)
    body: str | None = field(repr=False)


class Signer:
    """The ccxt class of one exchange.

    The instance is shared by all customers. Credentials are on it only inside `sign`, which never awaits:
    with an await in between, one customer's request would go out under another one's key.
    """

    def __init__(self, exchange: str) -> None:
        self.clock_shift_ms = 0.0  # what the exchange's clock is ahead of ours
        self._ccxt = getattr(ccxt, exchange)({"enableRateLimit": False})
        # ccxt's mark of a broker of its own, in which no customer's request has a part.
        self._ccxt.options.pop("partner", None)
        # Every timestamp and nonce that ccxt signs comes from one of these.
        self._ccxt.milliseconds = lambda: int(self._now_ms())
        self._ccxt.seconds = lambda: int(self._now_ms() / 1000)
        self._ccxt.microseconds = lambda: int(self._now_ms() * 1000)
        # ccxt's own counter never goes back, and is one for all keys: a clock of ours that was ahead for a
        # moment would from then on shut out the bots of all customers, which count in milliseconds as well.
        self._ccxt.incrementing_nonce = self._ccxt.nonce
        self._ccxt.jwt = _jwt
        self._ccxt.urlencode = _urlencode
        required = self._ccxt.requiredCredentials
        self._needed = tuple(name for name, needed in required.items() if needed)
        self._ccxt.check_required_credentials = self._check_credentials

    def sign(self, call: Call, credentials: Credentials) -> Signed | None:
        """None where these credentials cannot be signed with or sent."""
        try:
            self._ccxt.apiKey = credentials.api_key
            self._ccxt.secret = credentials.secret
            self._ccxt.password = credentials.passphrase
            signed = self._ccxt.sign(call.path, list(call.api), call.method, dict(call.params))
        except Exception:  # ccxt lets errors of many libraries through, and they quote the value
            return None
        finally:
            self._ccxt.apiKey = self._ccxt.secret = self._ccxt.password = ""
        headers = signed["headers"] or {}
        if not all(_is_sendable(value) for value in (signed["url"], *headers.values())):
            return None
        return Signed(signed["url"], signed["method"], headers, signed["body"])

    def unsigned(self, call: Call) -> Signed:
        """A public request, without any credential."""
        found = self._ccxt.sign(call.path, list(call.api), call.method, dict(call.params))
        return Signed(found["url"], found["method"], found["headers"] or {}, found["body"])

    def _check_credentials(self, error: bool = True) -> bool:
        """As ccxt's own, which looks at all that any exchange may need."""
        for name in self._needed:
            if not getattr(self._ccxt, name):
                return bool(type(self._ccxt).check_required_credentials(self._ccxt, error))
        return True

    def _now_ms(self) -> float:
        return time.time() * 1000 + self.clock_shift_ms


# What is signed is flat, so that nothing in it can be circular.
_json = json.JSONEncoder(check_circular=False).encode
_ES256 = ec.ECDSA(hashes.SHA256())
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _jwt(
    request: Mapping[str, Any],
    secret: bytes,
    algorithm: str = "sha256",
    is_rsa: bool = False,
    opts: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """As ccxt's own, with the elliptic curve by OpenSSL: in plain Python it costs half a millisecond."""
    if opts.get("alg") != "ES256":
        return str(ccxt.Exchange.jwt(request, secret, algorithm, is_rsa, opts))
    header = {"alg": "ES256", "typ": "JWT", "kid": opts["kid"], "nonce": opts["nonce"]}
    token = b"%b.%b" % (_part(_json(header).encode()), _part(_json(request).encode()))
    key = serialization.load_pem_private_key(secret, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError
    r, s = decode_dss_signature(key.sign(token, _ES256))
    return (b"%b.%b" % (token, _part(r.to_bytes(32, "big") + s.to_bytes(32, "big")))).decode()


def _part(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=")


def _urlencode(params: Mapping[str, Any], doseq: bool = False, sort: bool = False) -> str:
    """As ccxt's own, without the standard library's work for values of every type."""
    if not all(type(value) is str or type(value) is int for value in params.values()):
        return str(ccxt.Exchange.urlencode(params, doseq, sort))
    return "&".join([f"{_quoted(name)}={_quoted(str(value))}" for name, value in params.items()])


def _quoted(text: str) -> str:
    if not text.isascii():
        return quote(text, safe="")
    return text if text.isalnum() else text.translate(_QUOTED)


# By code, every ASCII character as it stands in a query: the unreserved ones of RFC 3986 for themselves.
_QUOTED = [quote(chr(code), safe="") for code in range(128)]


def _is_sendable(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()
