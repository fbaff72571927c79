"""Gate: "Query All Main Account Key Information", "Get user account information", "APIv4 signed request"."""

import hashlib
from typing import Any

from tests.exchange_simulator.model import (
    OUR_ADDRESS,
    Asked,
    Refusal,
    SimulatedExchange,
    SimulatedKey,
    hex_hmac,
    is_same,
    now_ms,
    overlaid,
    random_looking,
    readable,
)

KEYS, ACCOUNT = "/api/v4/account/main_keys", "/api/v4/account/detail"
WORDS = {
    "FORBIDDEN": "Request API key does not have account permission",
    "INVALID_KEY": "Invalid key provided",
    "INVALID_SIGNATURE": "Signature mismatch",
    "IP_FORBIDDEN": "Request IP not in whitelist",
    "MISSING_REQUIRED_HEADER": "Missing required header: Timestamp",
    "REQUEST_EXPIRED": "gap between request Timestamp and server time exceeds 60",
    "TOO_MANY_REQUESTS": "Request Rate limit Exceeded",
}
WINDOW_S = 60


def refusal(code: str) -> Refusal:
    return Refusal(
        403 if code == "FORBIDDEN" else 401, {"label": code, "message": WORDS.get(code, "Something is wrong")}
    )


def caller(asked: Asked) -> str:
    return asked.headers.get("KEY", "")


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    if key is None:
        return refusal("INVALID_KEY")
    timestamp = asked.headers.get("Timestamp", "")
    if not timestamp.isdigit():
        return refusal("MISSING_REQUIRED_HEADER")
    if abs(int(timestamp) - now_ms() / 1000) > WINDOW_S:
        return refusal("REQUEST_EXPIRED")
    body = hashlib.sha512(asked.body.encode()).hexdigest()
    signed = "\n".join((asked.method, asked.path, asked.query, body, timestamp))
    right = is_same(asked.headers.get("SIGN", ""), hex_hmac(key.secret, signed, "sha512"))
    return None if right else refusal("INVALID_SIGNATURE")


def permission(name: str, *, read_only: bool = False) -> dict[str, Any]:
    return {"name": name, "read_only": read_only}


def main_keys(key: SimulatedKey, asked: Asked) -> Any:
    """All keys of the account, hidden but for their beginnings; another one that may do everything first."""
    if key.more.get(KEYS, {}).get("sub_account"):
        return refusal("FORBIDDEN")
    own: dict[str, Any] = {
        "state": 1,
        "mode": 1,
        "name": "sequence",
        "user_id": 21475633,
        "perms": [permission("spot"), permission("futures"), permission("account", read_only=True)],
        "ip_whitelist": [OUR_ADDRESS],
        "currency_pairs": [],
        "key": f"{key.api_key[:12]}*****",
        "created_at": 1753030929,
        "update_at": 1756300567,
        "last_access": 1753030929,
    }
    other = own | {
        "name": "another",
        "key": "52fd0035f665*****",
        "perms": [permission("wallet"), permission("withdraw")],
        "ip_whitelist": [],
    }
    return [other, overlaid(own, key.reply)]


def account(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    reply: dict[str, Any] = {
        "user_id": 21475633,
        "ip_whitelist": [OUR_ADDRESS],
        "currency_pairs": [],
        "key": {"mode": 1},
        "tier": 0,
        "copy_trading_role": 0,
    }
    return overlaid(reply, key.more.get(ACCOUNT, {}))


def _demo(name: str, **reply: Any) -> SimulatedKey:
    return SimulatedKey("gate", readable(f"{name}GateKey00", 32), readable(f"gate{name}Secret", 64), reply)


def fresh(number: int) -> SimulatedKey:
    api_key, secret = random_looking("gate key", str(number)), random_looking("gate", str(number))
    return SimulatedKey("gate", api_key[:32], secret, {"user_id": number + 1})


SIMULATED = SimulatedExchange(
    id="gate",
    hosts=("api.gateio.ws", "api.gateeu.com", "api-testnet.gateapi.io"),
    private={("GET", KEYS): main_keys, ("GET", ACCOUNT): account},
    public={"/api/v4/spot/time": lambda: {"server_time": now_ms()}},
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=Refusal(429, refusal("TOO_MANY_REQUESTS").body),
    wrong_type={"perms": "spot"},
    unknown_key="not_found",
    wrong_secret="bad_signature",
    fresh=fresh,
    demo_keys={
        "old": _demo("Old"),
        "good": _demo("Good"),
        "can_withdraw": _demo("Withdraw", perms=[permission("spot"), permission("withdraw")]),
        "read_only": _demo("ReadOnly", perms=[permission("spot", read_only=True)]),
        "unbound": _demo("Unbound", ip_whitelist=[]),
    },
)
