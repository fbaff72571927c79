"""Kraken: "Get API Key Info", "Spot REST authentication", "Error messages"."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs

from tests.exchange_simulator.model import (
    CREATED_MS,
    OUR_ADDRESS,
    Asked,
    Refusal,
    SimulatedExchange,
    SimulatedKey,
    base64_hmac,
    is_same,
    now_ms,
    overlaid,
)

TRADING = ["query-open-trades", "query-closed-trades", "modify-trades", "close-trades"]
GOOD = ["query-funds", *TRADING, "create-ws-token"]
# A nonce in milliseconds; in another unit it would shut out everybody who uses milliseconds.
NONCE_MS = 60_000


def refusal(code: str) -> Refusal:
    return Refusal(200, {"error": [code]})


def caller(asked: Asked) -> str:
    return asked.headers.get("API-Key", "")


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    if key is None:
        return refusal("EAPI:Invalid key")
    nonce = parse_qs(asked.body).get("nonce", [""])[0]
    digest = hashlib.sha256((nonce + asked.body).encode()).digest()
    right = base64_hmac(base64.b64decode(key.secret), asked.path.encode() + digest, "sha512")
    if not is_same(right, asked.headers.get("API-Sign", "")):
        return refusal("EAPI:Invalid signature")
    if not nonce.isdigit() or abs(int(nonce) - now_ms()) > NONCE_MS:
        return refusal("EAPI:Invalid nonce")
    return None


def key_info(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    result: dict[str, Any] = {
        "apiKeyName": "Sequence",
        "apiKey": key.api_key,
        "nonce": "1772627060997",
        "nonceWindow": 10000,
        "permissions": GOOD,
        "iban": "AA88 N84G WOAK NMOI",
        "validUntil": "0",
        "queryFrom": "0",
        "queryTo": "0",
        "createdTime": str(CREATED_MS // 1000),
        "modifiedTime": str(CREATED_MS // 1000),
        "ipAllowlist": [OUR_ADDRESS],
        "lastUsed": None,
    }
    return {"error": [], "result": overlaid(result, key.reply)}


def _made(key_seed: str, secret_seed: str, **reply: Any) -> SimulatedKey:
    digest = hashlib.sha512(secret_seed.encode()).digest()
    return SimulatedKey("kraken", key_seed, base64.b64encode(digest).decode(), reply)


def _demo(name: str, **reply: Any) -> SimulatedKey:
    mark = hashlib.sha256(name.encode()).hexdigest()[:4]
    return _made(f"kraken{name}Key".ljust(52, "0") + mark, f"kraken {name}", **reply)


def fresh(number: int) -> SimulatedKey:
    digest = hashlib.sha512(f"kraken key {number}".encode()).digest()
    api_key = base64.b64encode(digest).decode()[:56]
    return _made(api_key, f"kraken {number}", iban=f"AA88 N84G WOAK {number:04}")


SIMULATED = SimulatedExchange(
    id="kraken",
    hosts=("api.kraken.com",),
    private={("POST", "/0/private/GetApiKeyInfo"): key_info},
    public={},
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=refusal("EAPI:Rate limit exceeded"),
    wrong_type={"permissions": "query-funds"},
    unknown_key="not_found",
    wrong_secret="bad_signature",
    fresh=fresh,
    demo_keys={
        "old": _demo("Old"),
        "good": _demo("Good"),
        "can_withdraw": _demo("Withdraw", permissions=[*GOOD, "withdraw-funds"]),
        "read_only": _demo("ReadOnly", permissions=["query-funds", "query-ledger"]),
        "network": _demo("Network", ipAllowlist=["203.0.113.0/24"]),
    },
)
