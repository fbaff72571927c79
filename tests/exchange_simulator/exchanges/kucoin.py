"""KuCoin: "Get Apikey Info", "Authentication", "Errors"."""

from typing import Any

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
    random_looking,
    readable,
)

KEY_INFO = "/api/v1/user/api-key"
WORDS = {
    "400001": "Please check the header of your request for KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP,"
    " KC-API-PASSPHRASE",
    "400002": "KC-API-TIMESTAMP Invalid",
    "400003": "KC-API-KEY not exists",
    "400004": "KC-API-PASSPHRASE error",
    "400005": "Signature error",
    "400006": "The IP address is not in the API whitelist",
    "400007": "Access denied--> Require more permission.",
    "429000": "Too many requests in a short period of time, please retry later.",
}
WINDOW_MS = 5_000


def refusal(code: str) -> Refusal:
    return Refusal(400, {"code": code, "msg": WORDS.get(code, "Error")})


def caller(asked: Asked) -> str:
    return asked.headers.get("KC-API-KEY", "")


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    """Keys of version 2 and 3: the passphrase comes signed with the secret."""
    timestamp = asked.headers.get("KC-API-TIMESTAMP", "")
    signature = asked.headers.get("KC-API-SIGN", "")
    if not timestamp or not signature or "KC-API-PASSPHRASE" not in asked.headers:
        return refusal("400001")
    if key is None:
        return refusal("400003")
    if not timestamp.isdigit() or abs(int(timestamp) - now_ms()) > WINDOW_MS:
        return refusal("400002")
    path = f"{asked.path}?{asked.query}" if asked.query else asked.path
    if not is_same(signature, base64_hmac(key.secret, f"{timestamp}{asked.method}{path}{asked.body}")):
        return refusal("400005")
    if not is_same(asked.headers["KC-API-PASSPHRASE"], base64_hmac(key.secret, key.passphrase)):
        return refusal("400004")
    return None


def key_info(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    info: dict[str, Any] = {
        "remark": "sequence",
        "apiKey": key.api_key,
        "apiVersion": 3,
        "permission": "General,Spot",
        "ipWhitelist": OUR_ADDRESS,
        "createdAt": CREATED_MS,
        "uid": 165111215,
        "isMaster": True,
    }
    return {"code": "200000", "data": overlaid(info, key.reply)}


def _key(api_key: str, secret: str, **reply: Any) -> SimulatedKey:
    return SimulatedKey("kucoin", api_key, secret, reply, passphrase="Passphrase-1")


def _demo(name: str, **reply: Any) -> SimulatedKey:
    return _key(readable(f"KuCoin{name}Key", 24), readable(f"kucoin-{name}-secret", 36), **reply)


def fresh(number: int) -> SimulatedKey:
    api_key, secret = random_looking("kucoin key", str(number)), random_looking("kucoin", str(number))
    return _key(api_key[:24], secret[:36], uid=number + 1)


SIMULATED = SimulatedExchange(
    id="kucoin",
    hosts=("api.kucoin.com",),
    private={("GET", KEY_INFO): key_info},
    public={"/api/v1/timestamp": lambda: {"code": "200000", "data": now_ms()}},
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=Refusal(429, refusal("429000").body),
    wrong_type={"permission": ["General", "Spot"]},
    unknown_key="not_found",
    wrong_secret="bad_signature",
    fresh=fresh,
    demo_keys={
        "old": _demo("Old"),
        "good": _demo("Good"),
        "futures": _demo("Futures", permission="General,Futures"),
        "can_withdraw": _demo("Withdraw", permission="General, Trade, Transfer"),
        "read_only": _demo("ReadOnly", permission="General"),
        "unbound": _demo("Unbound", ipWhitelist=""),
    },
)
