"""OKX: "Get account configuration", "Making requests", "Error Code"."""

from datetime import UTC, datetime
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

CONFIG = "/api/v5/account/config"
WORDS = {
    "50011": "Too Many Requests",
    "50101": "APIKey does not match current environment.",
    "50102": "Timestamp request expired.",
    "50105": 'Request header "OK-ACCESS-PASSPHRASE" incorrect.',
    "50110": "Your IP is not included in your API key's IP allowlist.",
    "50112": "Invalid OK-ACCESS-TIMESTAMP",
    "50113": "Invalid Sign",
    "50119": "API key doesn't exist",
}
WINDOW_MS = 30_000


def refusal(code: str) -> Refusal:
    return Refusal(401, {"code": code, "data": [], "msg": WORDS.get(code, "Operation failed.")})


def caller(asked: Asked) -> str:
    return asked.headers.get("OK-ACCESS-KEY", "")


def is_timely(timestamp: str) -> bool:
    try:
        at = datetime.fromisoformat(timestamp).astimezone(UTC)
    except ValueError:
        return False
    return abs(at.timestamp() * 1000 - now_ms()) < WINDOW_MS


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    if key is None:
        return refusal("50119")
    timestamp = asked.headers.get("OK-ACCESS-TIMESTAMP", "")
    if not is_timely(timestamp):
        return refusal("50102")
    if not is_same(asked.headers.get("OK-ACCESS-PASSPHRASE", ""), key.passphrase):
        return refusal("50105")
    path = f"{asked.path}?{asked.query}" if asked.query else asked.path
    signature = base64_hmac(key.secret, f"{timestamp}{asked.method}{path}{asked.body}")
    return None if is_same(asked.headers.get("OK-ACCESS-SIGN", ""), signature) else refusal("50113")


def config(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    account: dict[str, Any] = {
        "acctLv": "2",
        "acctStpMode": "cancel_maker",
        "autoLoan": False,
        "ctIsoMode": "automatic",
        "enableSpotBorrow": False,
        "feeType": "0",
        "greeksType": "PA",
        "ip": OUR_ADDRESS,
        "kycLv": "3",
        "label": "Sequence",
        "level": "Lv1",
        "levelTmp": "",
        "liquidationGear": "-1",
        "mainUid": "44705892343619584",
        "mgnIsoMode": "automatic",
        "opAuth": "1",
        "perm": "read_only,trade",
        "posMode": "long_short_mode",
        "roleType": "0",
        "spotBorrowAutoRepay": False,
        "spotOffsetType": "",
        "spotRoleType": "0",
        "spotTraderInsts": [],
        "traderInsts": [],
        "type": "0",
        "uid": "44705892343619584",
    }
    return {"code": "0", "data": [overlaid(account, key.reply)], "msg": ""}


def server_time() -> dict[str, Any]:
    return {"code": "0", "data": [{"ts": str(now_ms())}], "msg": ""}


def _key(api_key: str, secret: str, host: str = "", **reply: Any) -> SimulatedKey:
    return SimulatedKey("okx", api_key, secret, reply, passphrase="Pass phrase 1!", host=host)


def _demo(name: str, host: str = "", **reply: Any) -> SimulatedKey:
    return _key(readable(f"okx-{name}-key", 36), readable(f"OKX{name}Secret", 32), host, **reply)


def fresh(number: int) -> SimulatedKey:
    api_key, secret = random_looking("okx key", str(number)), random_looking("okx", str(number))
    return _key(api_key[:36], secret[:32].upper(), uid=str(number + 1), mainUid=str(number + 1))


SIMULATED = SimulatedExchange(
    id="okx",
    hosts=("www.okx.com", "eea.okx.com", "us.okx.com"),
    private={("GET", CONFIG): config},
    public={"/api/v5/public/time": server_time},
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=Refusal(429, refusal("50011").body),
    wrong_type={"perm": ["read_only", "trade"]},
    unknown_key="not_found",
    wrong_secret="bad_signature",
    fresh=fresh,
    demo_keys={
        "old": _demo("old"),
        "good": _demo("good"),
        "european": _demo("european", "eea.okx.com"),
        "can_withdraw": _demo("withdraw", perm="read_only,withdraw,trade"),
        "read_only": _demo("readonly", perm="read_only"),
        "unbound": _demo("unbound", ip=""),
    },
)
