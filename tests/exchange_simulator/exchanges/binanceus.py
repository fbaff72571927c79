"""Binance.US answers as Binance does, at its own address."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.exchange_simulator.exchanges import binance
from tests.exchange_simulator.model import SimulatedKey, random_looking, readable


def _key(api_key: str, secret: str, reply: Mapping[str, Any], uid: int = 35012345) -> SimulatedKey:
    return SimulatedKey("binanceus", api_key, secret, reply, more={binance.ACCOUNT: {"uid": uid}})


def _demo(name: str, **reply: Any) -> SimulatedKey:
    return _key(readable(f"binanceus{name}Key", 64), readable(f"binanceus{name}Secret", 64), reply)


def fresh(number: int) -> SimulatedKey:
    names = (random_looking("binanceus key", str(number)), random_looking("binanceus", str(number)))
    return _key(*names, {}, number + 1)


SIMULATED = replace(
    binance.SIMULATED,
    id="binanceus",
    hosts=("api.binance.us",),
    fresh=fresh,
    demo_keys={
        "old": _demo("Old"),
        "good": _demo("Good"),
        "can_withdraw": _demo("Withdraw", enableWithdrawals=True),
        "read_only": _demo("ReadOnly", enableSpotAndMarginTrading=False),
        "unbound": _demo("Unbound", ipRestrict=False),
    },
)
