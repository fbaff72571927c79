"""Bybit EU answers as Bybit does, at its own address."""

from dataclasses import replace
from typing import Any

from tests.exchange_simulator.exchanges import bybit
from tests.exchange_simulator.model import SimulatedKey, random_looking, readable


def _demo(name: str, **reply: Any) -> SimulatedKey:
    return SimulatedKey(
        "bybiteu",
        readable(f"EU{name}Key", 18),
        readable(f"bybiteu{name}Secret", 36),
        {"kycRegion": "AUT", **reply},
    )


def fresh(number: int) -> SimulatedKey:
    api_key, secret = random_looking("bybiteu key", str(number)), random_looking("bybiteu", str(number))
    return SimulatedKey("bybiteu", api_key[:18], secret[:36], {"userID": number + 1})


SIMULATED = replace(
    bybit.SIMULATED,
    id="bybiteu",
    hosts=("api.bybit.eu",),
    fresh=fresh,
    demo_keys={
        "old": _demo("Old"),
        "good": _demo("Good"),
        "through_an_app": _demo("App", type=2, note="Some App", ips=[]),
        "can_withdraw": _demo("Withdraw", permissions={"Wallet": ["Withdraw"]}),
        "read_only": _demo("ReadOnly", readOnly=1),
    },
)
