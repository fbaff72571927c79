"""What each simulated exchange answers: who called, whether the signature is right, and the reply.

Shapes follow Binance's "Get API Key Permission" and "Error codes", and Bybit's "Get API Key Information" and
"Error Codes". Each `verify_…` returns the error, or None where the call is well signed.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

CREATED_MS = 1_763_800_000_000
CREATED = "2025-11-22T08:26:40Z"


@dataclass(frozen=True)
class SimulatedKey:
    exchange: str
    api_key: str
    secret: str = field(repr=False)
    reply: Mapping[str, Any] = field(default_factory=dict)  # laid over the reply; None takes a field out


@dataclass(frozen=True)
class Refusal:
    status: int
    body: Mapping[str, Any]


def _hmac(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _is_timely(timestamp: str, window: str) -> bool:
    if not timestamp.isdigit() or not window.isdigit():
        return False
    now = time.time() * 1000
    return now - int(window) <= int(timestamp) < now + 1000


def _overlaid(reply: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in over.items():
        if value is None:
            reply.pop(name, None)
        elif isinstance(value, dict) and isinstance(reply.get(name), dict):
            reply[name] = _overlaid(dict(reply[name]), value)
        else:
            reply[name] = value
    return reply


BINANCE_WORDS = {
    -1003: "Too many requests.",
    -1021: "Timestamp for this request is outside of the recvWindow.",
    -1022: "Signature for this request is not valid.",
    -1102: "Mandatory parameter was not sent, was empty/null, or malformed.",
    -2008: "Invalid Api-Key ID.",
    -2014: "API-key format invalid.",
    -2015: "Invalid API-key, IP, or permissions for action.",
}


def binance_refusal(code: int) -> Refusal:
    return Refusal(400, {"code": code, "msg": BINANCE_WORDS.get(code, "Unknown error.")})


def binance_caller(request: web.Request) -> str:
    return request.headers.get("X-MBX-APIKEY", "")


def verify_binance(request: web.Request, key: SimulatedKey | None) -> Refusal | None:
    api_key = binance_caller(request)
    if len(api_key) != 64 or not api_key.isalnum():
        return binance_refusal(-2014)
    if key is None:
        return binance_refusal(-2008)
    signed, mark, signature = request.rel_url.raw_query_string.rpartition("&signature=")
    if not mark or "timestamp" not in request.query:
        return binance_refusal(-1102)
    if not _is_timely(request.query["timestamp"], request.query.get("recvWindow", "5000")):
        return binance_refusal(-1021)
    if not hmac.compare_digest(_hmac(key.secret, signed), signature):
        return binance_refusal(-1022)
    return None


def binance_reply(key: SimulatedKey) -> dict[str, Any]:
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
    return _overlaid(reply, key.reply)


BYBIT_WORDS = {
    10002: "invalid request, please check your server timestamp or recv_window param.",
    10003: "API key is invalid.",
    10005: "Permission denied, please check your API key permissions.",
    10006: "Too many visits!",
    10010: "Unmatched IP, please check your API key's bound IP addresses.",
    33004: "Your api key has expired.",
}


def bybit_envelope(code: int, words: str, result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "retCode": code,
        "retMsg": words,
        "result": result,
        "retExtInfo": {},
        "time": int(time.time() * 1000),
    }


def bybit_refusal(code: int) -> Refusal:
    return Refusal(200, bybit_envelope(code, BYBIT_WORDS.get(code, "error"), {}))


def bybit_caller(request: web.Request) -> str:
    return request.headers.get("X-BAPI-API-KEY", "")


def verify_bybit(request: web.Request, key: SimulatedKey | None) -> Refusal | None:
    if key is None:
        return bybit_refusal(10003)
    timestamp = request.headers.get("X-BAPI-TIMESTAMP", "")
    window = request.headers.get("X-BAPI-RECV-WINDOW", "5000")
    if not _is_timely(timestamp, window):
        return bybit_refusal(10002)
    signed = timestamp + key.api_key + window + request.rel_url.raw_query_string
    if not hmac.compare_digest(_hmac(key.secret, signed), request.headers.get("X-BAPI-SIGN", "")):
        # As the exchange does it: the message quotes what was signed, API key included.
        words = f"error sign! origin_string[{signed}]"
        return Refusal(200, bybit_envelope(10004, words, {}))
    return None


def bybit_reply(key: SimulatedKey) -> dict[str, Any]:
    groups = (
        "ContractTrade Spot Wallet Options Derivatives CopyTrading BlockTrade Exchange NFT Affiliate Earn"
        " FiatP2P FiatConvertBroker FiatGlobalPay FiatBitPay BitCard ByXPost"
    )
    result: dict[str, Any] = {
        "id": "2208369",
        "note": "Sequence",
        "apiKey": key.api_key,
        "readOnly": 0,
        "secret": "",
        "permissions": {group: [] for group in groups.split()} | {"Spot": ["SpotTrade"]},
        "ips": ["203.0.113.10"],
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
    return bybit_envelope(0, "", _overlaid(result, key.reply))


@dataclass(frozen=True)
class SimulatedExchange:
    path: str
    caller: Callable[[web.Request], str]
    verify: Callable[[web.Request, SimulatedKey | None], Refusal | None]
    reply: Callable[[SimulatedKey], dict[str, Any]]
    refusal: Callable[[int], Refusal]
    too_many: Refusal
    wrong_type: Mapping[str, Any]  # laid over a good reply


EXCHANGES: Mapping[str, SimulatedExchange] = {
    "binance": SimulatedExchange(
        "/sapi/v1/account/apiRestrictions",
        binance_caller,
        verify_binance,
        binance_reply,
        binance_refusal,
        Refusal(429, binance_refusal(-1003).body),
        {"enableWithdrawals": "false"},
    ),
    "bybit": SimulatedExchange(
        "/v5/user/query-api",
        bybit_caller,
        verify_bybit,
        bybit_reply,
        bybit_refusal,
        bybit_refusal(10006),
        {"readOnly": "0"},
    ),
}
