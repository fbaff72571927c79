"""HTX: "API key query", "Get UID", "Authentication"."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

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
)

ACCOUNT, KEYS = "/v2/user/uid", "/v2/user/api-key"
TEXTS = {
    "key": "Incorrect Access key [Access key错误]",
    "address": "Incorrect IP address [IP地址错误]:203.0.113.77",
    "end": "API key has expired [API Key已经过期]",
    "secret": "Verification failure [校验失败]",
    "time": "Invalid submission time [无效的提交时间]",
}
WINDOW_SECONDS = 300


def signature_refusal(text: str) -> Refusal:
    body = {"status": "error", "err-code": "api-signature-not-valid", "data": None}
    return Refusal(200, body | {"err-msg": f"Signature not valid: {TEXTS[text]}"})


def refusal(code: str) -> Refusal:
    if code in TEXTS:
        return signature_refusal(code)
    if code.isdigit():
        return Refusal(429 if code == "429" else 200, {"code": int(code), "message": "forbidden"})
    return Refusal(200, {"status": "error", "err-code": code, "err-msg": "error", "data": None})


def caller(asked: Asked) -> str:
    return asked.params.get("AccessKeyId", "")


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    if key is None:
        return signature_refusal("key")
    signed, _, signature = asked.query.rpartition("&Signature=")
    payload = "\n".join((asked.method, asked.host, asked.path, signed))
    names = [pair.split("=")[0] for pair in signed.split("&")]
    if names != sorted(names) or not is_same(base64_hmac(key.secret, payload), unquote(signature)):
        return signature_refusal("secret")
    told = datetime.fromisoformat(asked.params["Timestamp"]).replace(tzinfo=UTC).timestamp()
    return None if abs(told - now_ms() / 1000) <= WINDOW_SECONDS else signature_refusal("time")


def account(key: SimulatedKey, asked: Asked) -> dict[str, Any]:
    return overlaid({"code": 200, "data": 63628520}, key.more.get(ACCOUNT, {}))


def api_keys(key: SimulatedKey, asked: Asked) -> Any:
    if asked.params.get("uid") != str(account(key, asked)["data"]):
        return refusal("2000")
    entry: dict[str, Any] = {
        "accessKey": key.api_key,
        "status": "normal",
        "note": "Sequence",
        "permission": "readOnly,trade",
        "ipAddresses": OUR_ADDRESS,
        "validDays": -1,
        "createTime": CREATED_MS,
        "updateTime": CREATED_MS,
    }
    return {"code": 200, "message": "success", "data": [overlaid(entry, key.reply)]}


def _groups(seed: str, begin: str = "") -> str:
    """Four groups, as HTX writes its keys and secrets."""
    letters = random_looking(seed)
    first = f"{begin}{letters}"[:8]
    return f"{first}-{letters[8:16]}-{letters[16:24]}-{letters[24:29]}"


def _demo(name: str, **reply: Any) -> SimulatedKey:
    return SimulatedKey("htx", _groups(f"key {name}", f"{name}k"), _groups(f"htx secret {name}"), reply)


def fresh(number: int) -> SimulatedKey:
    return SimulatedKey(
        *("htx", _groups(f"htx key {number}"), _groups(f"htx secret {number}")),
        more={ACCOUNT: {"data": number + 1}},
    )


SIMULATED = SimulatedExchange(
    id="htx",
    hosts=("api.huobi.pro",),
    private={("GET", ACCOUNT): account, ("GET", KEYS): api_keys},
    public={"/v1/common/timestamp": lambda: {"status": "ok", "data": now_ms()}},
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=refusal("429"),
    wrong_type={"permission": ["readOnly", "trade"]},
    unknown_key="not_found",
    wrong_secret="bad_signature",
    fresh=fresh,
    demo_keys={
        "old": _demo("old"),
        "good": _demo("good"),
        "can_withdraw": _demo("wdraw", permission="readOnly,trade,withdraw"),
        "read_only": _demo("ronly", permission="readOnly"),
        "unbound": _demo("unbnd", ipAddresses="", validDays=90),
    },
)
