"""BingX: "Query user API Key permissions", "Query account uid", "Query the API Key of a sub-account"."""

from typing import Any

from tests.exchange_simulator.exchanges.binance import is_timely
from tests.exchange_simulator.model import (
    CREATED_MS,
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

PERMISSIONS = "/openApi/v1/account/apiPermissions"
UID, KEYS = "/openApi/account/v1/uid", "/openApi/account/v1/apiKey/query"
WORDS = {
    "100001": "Signature verification failed",
    "100410": "rate limited",
    "100413": "Incorrect apiKey",
    "100419": "your current request IP does not match IP whitelist",
    "100421": "Null timestamp or timestamp mismatch",
}


def refusal(code: str) -> Refusal:
    return Refusal(200, {"code": int(code), "msg": WORDS.get(code, "error"), "timestamp": now_ms()})


def caller(asked: Asked) -> str:
    return asked.headers.get("X-BX-APIKEY", "")


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    if key is None:
        return refusal("100413")
    signed, _, signature = asked.query.rpartition("&signature=")
    if not is_timely(asked.params.get("timestamp", ""), asked.params.get("recvWindow", "5000")):
        return refusal("100421")
    return None if is_same(hex_hmac(key.secret, signed), signature) else refusal("100001")


def envelope(data: Any) -> dict[str, Any]:
    return {"code": 0, "timestamp": now_ms(), "msg": "", "data": data}


def permissions(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    told: dict[str, Any] = {
        "apiKey": key.api_key,
        "permissions": [2, 1],
        "ipAddresses": [OUR_ADDRESS],
        "note": "Sequence",
    }
    return envelope(overlaid(told, key.reply))


def uid(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    return envelope(overlaid({"uid": 16789456}, key.more.get(UID, {})))


def keys(key: SimulatedKey, asked: Asked) -> Any:
    """The caller's key between two others of the account, all of them masked."""
    if asked.params.get("uid") != str(uid(key, asked)["data"]["uid"]):
        return refusal("100400")
    listed = {"note": "", "permissions": [1, 2, 5], "ipAddresses": [""], "createTime": CREATED_MS}
    mine = {**listed, "apiKey": f"{key.api_key[:3]}***{key.api_key[-3:]}", "ipAddresses": [OUR_ADDRESS]}
    return envelope([{**listed, "apiKey": "!!A***!!Z"}, mine, {**listed, "apiKey": "!!B***!!Y"}])


def _demo(name: str, **reply: Any) -> SimulatedKey:
    return SimulatedKey("bingx", readable(f"bingx{name}Key", 80), readable(f"bingx{name}Secret", 80), reply)


def fresh(number: int) -> SimulatedKey:
    api_key, secret = random_looking("bingx key", str(number)), random_looking("bingx", str(number))
    return SimulatedKey("bingx", api_key, secret, more={UID: {"uid": number + 1}})


SIMULATED = SimulatedExchange(
    id="bingx",
    hosts=("open-api.bingx.com", "open-api-vst.bingx.com"),
    private={("GET", PERMISSIONS): permissions, ("GET", UID): uid, ("GET", KEYS): keys},
    public={
        "/openApi/swap/v2/server/time": lambda: envelope({"serverTime": now_ms()}),
    },
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=Refusal(429, refusal("100410").body),
    wrong_type={"permissions": ["1", "2"]},
    unknown_key="not_found",
    wrong_secret="bad_signature",
    fresh=fresh,
    demo_keys={
        "old": _demo("Old"),
        "good": _demo("Good"),
        "futures": _demo("Futures", permissions=[2, 3]),
        "can_withdraw": _demo("Withdraw", permissions=[2, 1, 5]),
        "read_only": _demo("ReadOnly", permissions=[2]),
        "unbound": _demo("Unbound", ipAddresses=[""]),
    },
)
