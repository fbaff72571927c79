"""Bybit: "Get API Key Information", "Error Codes"."""

from collections.abc import Mapping
from typing import Any

from tests.exchange_simulator.exchanges.binance import is_timely
from tests.exchange_simulator.model import (
    CREATED,
    OUR_ADDRESS,
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

WORDS = {
    "10002": "invalid request, please check your server timestamp or recv_window param.",
    "10003": "API key is invalid.",
    "10005": "Permission denied, please check your API key permissions.",
    "10006": "Too many visits!",
    "10010": "Unmatched IP, please check your API key's bound IP addresses.",
    "33004": "Your api key has expired.",
}
GROUPS = (
    *("ContractTrade", "Spot", "Wallet", "Options", "Derivatives", "CopyTrading", "BlockTrade", "Exchange"),
    *("NFT", "Affiliate", "Earn", "FiatP2P", "FiatConvertBroker", "FiatGlobalPay", "FiatBitPay", "BitCard"),
    "ByXPost",
)


def envelope(code: int, words: str, result: Mapping[str, Any]) -> dict[str, Any]:
    return {"retCode": code, "retMsg": words, "result": result, "retExtInfo": {}, "time": now_ms()}


def refusal(code: str) -> Refusal:
    return Refusal(200, envelope(int(code), WORDS.get(code, "error"), {}))


def caller(asked: Asked) -> str:
    return asked.headers.get("X-BAPI-API-KEY", "")


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    if key is None:
        return refusal("10003")
    timestamp = asked.headers.get("X-BAPI-TIMESTAMP", "")
    window = asked.headers.get("X-BAPI-RECV-WINDOW", "5000")
    if not is_timely(timestamp, window):
        return refusal("10002")
    signed = timestamp + key.api_key + window + asked.query
    signature = asked.headers.get("X-BAPI-SIGN", "")
    if "PRIVATE KEY" in key.secret:
        right = is_signed_with(key.secret, signed, signature)
    else:
        right = is_same(hex_hmac(key.secret, signed), signature)
    # As the exchange does it: the message quotes what was signed, API key included.
    return None if right else Refusal(200, envelope(10004, f"error sign! origin_string[{signed}]", {}))


def query_api(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    result: dict[str, Any] = {
        "id": "2208369",
        "note": "Sequence",
        "apiKey": key.api_key,
        "readOnly": 0,
        "secret": "",
        "permissions": {group: [] for group in GROUPS} | {"Spot": ["SpotTrade"]},
        "ips": [OUR_ADDRESS],
        "type": 1,
        "deadlineDay": -2,
        "expiredAt": "1970-01-01T00:00:00Z",
        "createdAt": CREATED,
        "unified": 0,
        "uta": 1,
        "userID": 1448939,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_1",
        "kycRegion": "MYS",
        "userIDInt64": "0",
        "inviterIDInt64": "0",
        "affiliateIDInt64": "0",
        "isFixApi": False,
    }
    return envelope(0, "", overlaid(result, key.reply))


def server_time() -> dict[str, Any]:
    now = now_ms()
    return envelope(0, "OK", {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)})


_UNIFIED = {"Derivatives": ["DerivativesTrade"], "ContractTrade": ["Order", "Position"]}


def _demo(name: str, **reply: Any) -> SimulatedKey:
    return SimulatedKey("bybit", readable(f"{name}Key", 18), readable(f"bybit{name}Secret", 36), reply)


def fresh(number: int) -> SimulatedKey:
    api_key, secret = random_looking("bybit key", str(number)), random_looking("bybit", str(number))
    return SimulatedKey("bybit", api_key[:18], secret[:36], {"userID": number + 1})


SIMULATED = SimulatedExchange(
    id="bybit",
    hosts=(
        *("api.bybit.com", "api.bybit.nl", "api.bybit.tr", "api.bybit.kz", "api.bybitgeorgia.ge"),
        *("api.bybit.ae", "api.bybit.id", "api.manepa.jp"),
        *("api-testnet.bybit.com", "api-demo.bybit.com"),
    ),
    private={("GET", "/v5/user/query-api"): query_api},
    public={"/v5/market/time": server_time},
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=refusal("10006"),
    wrong_type={"readOnly": "0"},
    unknown_key="not_found",
    wrong_secret="bad_signature",
    fresh=fresh,
    demo_keys={
        "old": _demo("Old", permissions=_UNIFIED),
        "good": _demo("Good", permissions=_UNIFIED),
        "spare": _demo("Spare", permissions=_UNIFIED),
        "can_withdraw": _demo("Withdraw", permissions=_UNIFIED | {"Wallet": ["Withdraw"]}),
        "read_only": _demo("ReadOnly", permissions=_UNIFIED, readOnly=1),
    },
)
