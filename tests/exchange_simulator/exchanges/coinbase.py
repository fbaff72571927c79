"""Coinbase Advanced: "Get API Key Permissions", "API key authentication" (JWT, ES256)."""

import base64
import hashlib
import json
from functools import cache
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.exchange_simulator.model import (
    Asked,
    Refusal,
    SimulatedExchange,
    SimulatedKey,
    now_ms,
    overlaid,
)

PERMISSIONS = "/api/v3/brokerage/key_permissions"
UNAUTHORIZED = Refusal(401, "Unauthorized")
LIFE_SECONDS = 120


def refusal(code: str) -> Refusal:
    if code == "401":
        return UNAUTHORIZED
    status = {"PERMISSION_DENIED": 403, "RESOURCE_EXHAUSTED": 429}.get(code, 400)
    return Refusal(status, {"error": code, "code": 7, "message": "Something", "details": []})


def caller(asked: Asked) -> str:
    """Whoever the token says it is of; what it says is looked at in `verify`."""
    try:
        kid = _decoded(_token(asked).split(".")[0]).get("kid", "")
    except ValueError:
        return ""
    return kid if isinstance(kid, str) else ""


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    try:
        head, body, signature = _token(asked).split(".")
        header, claims = _decoded(head), _decoded(body)
    except ValueError:
        return UNAUTHORIZED
    now = now_ms() / 1000
    right = (
        key is not None
        and header.get("alg") == "ES256"
        and claims.get("sub") == header.get("kid") == key.api_key
        and claims.get("iss") in ("cdp", "coinbase-cloud")
        and claims.get("uri") == f"{asked.method} {asked.host}{asked.path}"
        and claims["nbf"] - 5 <= now < claims["exp"] <= claims["nbf"] + LIFE_SECONDS
        and _is_signed(key.secret, f"{head}.{body}", signature)
    )
    return None if right else UNAUTHORIZED


def _token(asked: Asked) -> str:
    return asked.headers.get("Authorization", "").removeprefix("Bearer ")


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _decoded(part: str) -> dict[str, Any]:
    found = json.loads(_raw(part))
    if not isinstance(found, dict):
        raise ValueError
    return found


def _is_signed(private_pem: str, text: str, signature: str) -> bool:
    """By r and s side by side, 32 bytes each."""
    raw = _raw(signature)
    public = serialization.load_pem_private_key(private_pem.encode(), None).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    both = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    try:
        public.verify(both, text.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return len(raw) == 64


def key_permissions(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    reply: dict[str, Any] = {
        "can_view": True,
        "can_trade": True,
        "can_transfer": False,
        "portfolio_uuid": "1f3a2b60-6f4c-4b5a-9a77-0d9f6e7c1a11",
        "portfolio_type": "DEFAULT",
    }
    return overlaid(reply, key.reply)


def server_time() -> dict[str, Any]:
    now = now_ms()
    return {"iso": "2026-11-25T00:00:00Z", "epochSeconds": str(now // 1000), "epochMillis": str(now)}


@cache
def private_key(seed: str) -> str:
    """A key file in the form in which the portal keeps one, the same at every start."""
    number = int.from_bytes(hashlib.sha256(f"coinbase {seed}".encode()).digest()) % 2**250 + 1
    written = ec.derive_private_key(number, ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return written.decode().strip()


def _made(seed: str, **reply: Any) -> SimulatedKey:
    organization, number = uuid5(NAMESPACE_DNS, "sequence.example"), uuid5(NAMESPACE_DNS, seed)
    return SimulatedKey(
        "coinbase", f"organizations/{organization}/apiKeys/{number}", private_key(seed), reply
    )


def fresh(number: int) -> SimulatedKey:
    return _made(f"fresh {number}", portfolio_uuid=str(uuid5(NAMESPACE_DNS, str(number))))


SIMULATED = SimulatedExchange(
    id="coinbase",
    hosts=("api.coinbase.com",),
    private={("GET", PERMISSIONS): key_permissions},
    public={"/api/v3/brokerage/time": server_time},
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=Refusal(429, {"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}),
    wrong_type={"can_transfer": "false"},
    unknown_key="invalid_credentials",
    wrong_secret="invalid_credentials",
    fresh=fresh,
    demo_keys={
        "old": _made("old"),
        "good": _made("good"),
        "can_withdraw": _made("can withdraw", can_transfer=True),
        "read_only": _made("read only", can_trade=False),
    },
)
