"""Bitget: "Get Account Information", "Get Account Info" (unified), "Signature", "Rest API Error Code"."""

from typing import Any

from tests.exchange_simulator.model import (
    OUR_ADDRESS,
    Asked,
    Refusal,
    SimulatedExchange,
    SimulatedKey,
    base64_hmac,
    is_same,
    now_ms,
    overlaid,
    random_looking,
    readable,
)

CLASSIC, UNIFIED = "/api/v2/spot/account/info", "/api/v3/account/info"
WORDS = {
    "40008": "Request timestamp expired",
    "40009": "sign signature error",
    "40012": "apikey/password is incorrect",
    "40014": "Incorrect permissions, need {0} permissions",
    "40018": "Invalid IP",
    "40037": "Apikey does not exist",
    "40084": "You are in Classic Account mode, and the Unified Account API is not supported at this time",
    "40085": "You are in Unified Account mode, and the Classic Account API is not supported at this time",
    "40099": "exchange environment is incorrect",
    "429": "Too many requests",
}
WINDOW_MS = 30_000


def envelope(code: str, words: str, data: Any) -> dict[str, Any]:
    return {"code": code, "msg": words, "requestTime": now_ms(), "data": data}


def refusal(code: str) -> Refusal:
    return Refusal(400, envelope(code, WORDS.get(code, "error"), None))


def caller(asked: Asked) -> str:
    return asked.headers.get("ACCESS-KEY", "")


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    if key is None:
        return refusal("40037")
    timestamp = asked.headers.get("ACCESS-TIMESTAMP", "")
    if not timestamp.isdigit() or abs(int(timestamp) - now_ms()) > WINDOW_MS:
        return refusal("40008")
    path = f"{asked.path}?{asked.query}" if asked.query else asked.path
    signature = base64_hmac(key.secret, f"{timestamp}{asked.method}{path}{asked.body}")
    if not is_same(asked.headers.get("ACCESS-SIGN", ""), signature):
        return refusal("40009")
    fits = is_same(asked.headers.get("ACCESS-PASSPHRASE", ""), key.passphrase)
    return None if fits else refusal("40012")


def is_unified(key: SimulatedKey) -> bool:
    return UNIFIED in key.more


def classic(key: SimulatedKey, asked: Asked) -> Any:
    if is_unified(key):
        return refusal("40085")
    account: dict[str, Any] = {
        "userId": "3704614084",
        "inviterId": "",
        "ips": OUR_ADDRESS,
        "authorities": ["stow", "coow", "cpow"],
        "parentId": 3704614084,
        "traderType": "not_trader",
        "channelCode": "",
        "channel": "",
        "regisTime": "1695808949356",
    }
    return envelope("00000", "success", overlaid(account, key.reply))


def unified(key: SimulatedKey, asked: Asked) -> Any:
    if not is_unified(key):
        return refusal("40084")
    account: dict[str, Any] = {
        "userId": "123456789",
        "inviterId": "",
        "parentId": "",
        "channelCode": "",
        "channel": "official",
        "ips": OUR_ADDRESS,
        "permType": "read-and-write",
        "permissions": ["uta_trade"],
        "regisTime": "1704067200000",
    }
    return envelope("00000", "success", overlaid(account, key.more[UNIFIED]))


def _key(api_key: str, secret: str, *, more: Any = None, **reply: Any) -> SimulatedKey:
    return SimulatedKey("bitget", api_key, secret, reply, passphrase="Passphrase1", more=more or {})


def _demo(name: str, **reply: Any) -> SimulatedKey:
    return _key(readable(f"bg_{name}Key", 35), readable(f"bitget{name}Secret", 64), **reply)


def fresh(number: int) -> SimulatedKey:
    api_key, secret = random_looking("bitget key", str(number)), random_looking("bitget", str(number))
    return _key(f"bg_{api_key[:32]}", secret, userId=str(number + 1), parentId=0)


SIMULATED = SimulatedExchange(
    id="bitget",
    hosts=("api.bitget.com",),
    private={("GET", CLASSIC): classic, ("GET", UNIFIED): unified},
    public={
        "/api/v2/public/time": lambda: envelope("00000", "success", {"serverTime": str(now_ms())}),
    },
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=Refusal(429, refusal("429").body),
    wrong_type={"authorities": "stow"},
    unknown_key="not_found",
    wrong_secret="bad_signature",
    fresh=fresh,
    demo_keys={
        "old": _demo("Old"),
        "good": _demo("Good"),
        "unified": _demo("Unified", more={UNIFIED: {}}),
        "can_withdraw": _demo("Withdraw", authorities=["stow", "wwow"]),
        "read_only": _demo("ReadOnly", authorities=["stor", "coor", "cpor"]),
        "unbound": _demo("Unbound", ips=""),
    },
)
