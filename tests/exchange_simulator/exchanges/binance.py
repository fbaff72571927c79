"""Binance: "Get API Key Permission", "Account information", "Error codes"."""

from typing import Any
from urllib.parse import unquote

from tests.exchange_simulator.model import (
    CREATED_MS,
    Asked,
    Refusal,
    SimulatedExchange,
    SimulatedKey,
    hex_hmac,
    is_same,
    is_signed_with,
    now_ms,
    overlaid,
    random_looking,
    readable,
)

PERMISSIONS, ACCOUNT = "/sapi/v1/account/apiRestrictions", "/api/v3/account"
WORDS = {
    "-1003": "Too many requests.",
    "-1021": "Timestamp for this request is outside of the recvWindow.",
    "-1022": "Signature for this request is not valid.",
    "-1102": "Mandatory parameter was not sent, was empty/null, or malformed.",
    "-2008": "Invalid Api-Key ID.",
    "-2014": "API-key format invalid.",
    "-2015": "Invalid API-key, IP, or permissions for action.",
}


def refusal(code: str) -> Refusal:
    return Refusal(400, {"code": int(code), "msg": WORDS.get(code, "Unknown error.")})


def caller(asked: Asked) -> str:
    return asked.headers.get("X-MBX-APIKEY", "")


def is_timely(timestamp: str, window: str) -> bool:
    if not timestamp.isdigit() or not window.isdigit():
        return False
    now = now_ms()
    return now - int(window) <= int(timestamp) < now + 1000


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    api_key = caller(asked)
    if len(api_key) != 64 or not api_key.isalnum():
        return refusal("-2014")
    if key is None:
        return refusal("-2008")
    signed, mark, signature = asked.query.rpartition("&signature=")
    if not mark or "timestamp" not in asked.params:
        return refusal("-1102")
    if not is_timely(asked.params["timestamp"], asked.params.get("recvWindow", "5000")):
        return refusal("-1021")
    if "PRIVATE KEY" in key.secret:
        right = is_signed_with(key.secret, signed, unquote(signature))
    else:
        right = is_same(hex_hmac(key.secret, signed), signature)
    return None if right else refusal("-1022")


def permissions(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    reply: dict[str, Any] = {
        "ipRestrict": True,
        "createTime": CREATED_MS,
        "enableReading": True,
        "enableSpotAndMarginTrading": True,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableFutures": False,
        "enableMargin": False,
        "enablePortfolioMarginTrading": False,
    }
    return overlaid(reply, key.reply)


def account(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    reply: dict[str, Any] = {
        "makerCommission": 10,
        # Of the account, whatever the key may do.
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "accountType": "SPOT",
        "balances": [{"asset": "BTC", "free": "0.5", "locked": "0"}],
        "permissions": ["SPOT"],
        "uid": 354937868,
    }
    return overlaid(reply, key.more.get(ACCOUNT, {}))


def _demo(name: str, **reply: Any) -> SimulatedKey:
    return SimulatedKey(
        "binance", readable(f"binance{name}Key", 64), readable(f"binance{name}Secret", 64), reply
    )


def fresh(number: int) -> SimulatedKey:
    api_key, secret = random_looking("binance key", str(number)), random_looking("binance", str(number))
    return SimulatedKey("binance", api_key, secret, more={ACCOUNT: {"uid": number + 1}})


SIMULATED = SimulatedExchange(
    id="binance",
    hosts=("api.binance.com", "testnet.binance.vision", "demo-api.binance.com"),
    private={("GET", PERMISSIONS): permissions, ("GET", ACCOUNT): account},
    public={"/api/v3/time": lambda: {"serverTime": now_ms()}},
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=Refusal(429, refusal("-1003").body),
    wrong_type={"enableWithdrawals": "false"},
    unknown_key="not_found",
    wrong_secret="bad_signature",
    fresh=fresh,
    demo_keys={
        "old": _demo("Old"),
        "good": _demo("Good"),
        "futures": _demo("Futures", enableFutures=True),
        "can_withdraw": _demo("Withdraw", enableWithdrawals=True),
        "read_only": _demo("ReadOnly", enableSpotAndMarginTrading=False),
        "unbound": _demo("Unbound", ipRestrict=False),
    },
)
