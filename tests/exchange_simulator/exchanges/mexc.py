"""MEXC: "Query API key info", "Query UID", "Error codes"."""

from typing import Any

from tests.exchange_simulator.exchanges.binance import is_timely
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

PERMISSIONS, ACCOUNT = "/api/v3/apiKeyInfo", "/api/v3/uid"
WORDS = {
    "10072": "Api key info invalid",
    "700002": "Signature for this request is not valid.",
    "700003": "Timestamp for this request is outside of the recvWindow.",
    "700006": "IP [203.0.113.77] not in the ip white list",
    "700007": "No permission to access the endpoint.",
}
SPOT = "SPOT_ACCOUNT_READ,SPOT_DEAL_READ,SPOT_DEAL_WRITE"
FUTURES = "CONTRACT_ACCOUNT_READ,CONTRACT_DEAL_READ,CONTRACT_DEAL_WRITE,SPOT_ACCOUNT_READ"


def refusal(code: str) -> Refusal:
    status = 429 if code == "429" else 400
    return Refusal(status, {"code": int(code), "msg": WORDS.get(code, "error")})


def caller(asked: Asked) -> str:
    return asked.headers.get("X-MEXC-APIKEY", "")


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    if key is None:
        return refusal("10072")
    signed, mark, signature = asked.query.rpartition("&signature=")
    if not mark or not is_same(hex_hmac(key.secret, signed), signature):
        return refusal("700002")
    if not is_timely(asked.params.get("timestamp", ""), asked.params.get("recvWindow", "5000")):
        return refusal("700003")
    return None


def api_key_info(key: SimulatedKey, asked: Asked) -> Any:
    if asked.params.get("accessKey") != key.api_key:
        return refusal("700007")
    reply: dict[str, Any] = {
        "note": "Sequence",
        "accessKey": key.api_key,
        "createTime": "2026-09-14T18:53:36.000+00:00",
        "permissions": SPOT,
        "remainingValidity": 0,
        "ipWhiteList": OUR_ADDRESS,
        "status": "VALID",
    }
    return overlaid(reply, key.reply)


def uid(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    return overlaid({"uid": "209302839"}, key.more.get(ACCOUNT, {}))


def _demo(name: str, **reply: Any) -> SimulatedKey:
    api_key = "mx0" + readable(f"{name}Key", 15)
    return SimulatedKey("mexc", api_key, readable(f"mexc{name}Secret", 32), reply)


def fresh(number: int) -> SimulatedKey:
    api_key, secret = random_looking("mexc key", str(number)), random_looking("mexc", str(number))
    return SimulatedKey("mexc", f"mx0{api_key[:15]}", secret[:32], more={ACCOUNT: {"uid": str(number + 1)}})


SIMULATED = SimulatedExchange(
    id="mexc",
    hosts=("api.mexc.com",),
    private={("GET", PERMISSIONS): api_key_info, ("GET", ACCOUNT): uid},
    public={"/api/v3/time": lambda: {"serverTime": now_ms()}},
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=refusal("429"),
    wrong_type={"permissions": ["SPOT_DEAL_WRITE"]},
    unknown_key="invalid_credentials",
    wrong_secret="bad_signature",
    fresh=fresh,
    demo_keys={
        "old": _demo("Old"),
        "good": _demo("Good"),
        "futures": _demo("Futures", permissions=FUTURES),
        "can_withdraw": _demo("Withdraw", permissions=f"{SPOT},SPOT_WITHDRAW_WRITE"),
        "read_only": _demo("ReadOnly", permissions="SPOT_ACCOUNT_READ,SPOT_DEAL_READ"),
        "unbound": _demo("Unbound", ipWhiteList="", remainingValidity=82),
    },
)
