"""Bitfinex: "Key Permissions", "User Info", "Rest Authenticated Endpoints"."""

from collections.abc import Mapping
from typing import Any

from tests.exchange_simulator.model import (
    CREATED_MS,
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

PERMISSIONS, USER = "/v2/auth/r/permissions", "/v2/auth/r/info/user"
WORDS = {
    "10001": "apikey: permission invalid",
    "10114": "nonce: small",
    "11010": "ratelimit: error",
    "20060": "maintenance",
}
SCOPES = {
    "account": [1, 0],
    "history": [1, 0],
    "orders": [1, 1],
    "positions": [1, 0],
    "funding": [0, 0],
    "settings": [0, 0],
    "wallets": [1, 0],
    "withdraw": [0, 0],
    "ui_withdraw": [0, 0],
    "bfxpay": [0, 0],
    "eaas_agreement": [0, 0],
    "eaas_withdraw": [0, 0],
    "eaas_deposit": [0, 0],
    "eaas_brokerage": [0, 0],
}


def refusal(code: str) -> Refusal:
    return Refusal(500, ["error", int(code), WORDS.get(code, "error")])


def caller(asked: Asked) -> str:
    return asked.headers.get("bfx-apikey", "")


def verify(asked: Asked, key: SimulatedKey | None) -> Refusal | None:
    if key is None:
        return Refusal(500, ["error", 10100, "apikey: invalid"])
    nonce = asked.headers.get("bfx-nonce", "")
    # A nonce in a larger unit than milliseconds would lock the customer's bot out.
    if not nonce.isdigit() or abs(int(nonce) - now_ms()) > 60_000:
        return refusal("10114")
    signed = f"/api{asked.path}{nonce}{asked.body}"
    if is_same(hex_hmac(key.secret, signed, "sha384"), asked.headers.get("bfx-signature", "")):
        return None
    return Refusal(500, ["error", 10100, "apikey: digest invalid"])


def permissions(key: SimulatedKey, asked: Asked) -> list[Any]:
    """The key's own reply: scopes with [reading, writing]."""
    return [[scope, *told] for scope, told in overlaid(dict(SCOPES), key.reply).items()]


def user(key: SimulatedKey, asked: Asked) -> list[Any]:
    """More: by index, as text. Cut off after the fields that say what kind of account it is."""
    told: list[Any] = [None] * 24
    told[:6] = [1523467, "jane@example.com", "janedoe", CREATED_MS, 1, 2]
    told[7:11] = ["Europe/Berlin", "en_US", "bitfinex", 1]
    told[16:20] = [None, None, 0, 0]
    told[21:24] = [0, 0, 0]
    for index, value in key.more.get(USER, {}).items():
        told[int(index)] = value
    return told


def _key(name: str, secret: str, reply: Mapping[str, Any], number: int | None = None) -> SimulatedKey:
    more = {} if number is None else {USER: {"0": number}}
    return SimulatedKey("bitfinex", name[-43:], secret[-43:], reply, more=more)


def _demo(name: str, **reply: Any) -> SimulatedKey:
    return _key(readable(f"bitfinex{name}Key", 43), readable(f"bitfinex{name}Secret", 43), reply)


def fresh(number: int) -> SimulatedKey:
    names = (random_looking("bitfinex key", str(number)), random_looking("bitfinex", str(number)))
    return _key(*names, {}, number + 1)


SIMULATED = SimulatedExchange(
    id="bitfinex",
    hosts=("api.bitfinex.com",),
    private={("POST", PERMISSIONS): permissions, ("POST", USER): user},
    public={},
    caller=caller,
    verify=verify,
    refusal=refusal,
    too_many=Refusal(429, refusal("11010").body),
    wrong_type={"withdraw": ["0", "0"]},
    unknown_key="invalid_credentials",
    wrong_secret="invalid_credentials",
    fresh=fresh,
    demo_keys={
        "old": _demo("Old"),
        "good": _demo("Good"),
        "can_withdraw": _demo("Withdraw", withdraw=[0, 1]),
        "can_transfer": _demo("Transfer", wallets=[1, 1]),
        "read_only": _demo("ReadOnly", orders=[1, 0]),
    },
)
