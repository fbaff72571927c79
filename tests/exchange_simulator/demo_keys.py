"""Keys that a demo's exchange knows from its start. They work nowhere else."""

import hashlib
from collections.abc import Mapping
from typing import Any

from tests.exchange_simulator.replies import SimulatedKey


def _text(*seed: str) -> str:
    """Letters and digits that look like a key's, the same at every start."""
    return hashlib.sha256(" ".join(seed).encode()).hexdigest()


def _made(text: str, length: int) -> str:
    """Readable at its beginning, told apart by its end: pages and mails show the last four characters."""
    return text.ljust(length - 4, "0") + hashlib.sha256(text.encode()).hexdigest()[:4]


def _binance(name: str, **reply: Any) -> SimulatedKey:
    return SimulatedKey("binance", _made(f"binance{name}Key", 64), _made(f"binance{name}Secret", 64), reply)


def _bybit(name: str, **reply: Any) -> SimulatedKey:
    return SimulatedKey("bybit", _made(f"{name}Key", 18), _made(f"bybit{name}Secret", 36), reply)


_UNIFIED = {"Derivatives": ["DerivativesTrade"], "ContractTrade": ["Order", "Position"]}

# By exchange, then by what the key is there to show. "old" is what a demo bot trades with at the start.
DEMO_KEYS: Mapping[str, Mapping[str, SimulatedKey]] = {
    "binance": {
        "old": _binance("Old"),
        "good": _binance("Good"),
        "futures": _binance("Futures", enableFutures=True),
        "can_withdraw": _binance("Withdraw", enableWithdrawals=True),
        "read_only": _binance("ReadOnly", enableSpotAndMarginTrading=False),
        "unbound": _binance("Unbound", ipRestrict=False),
    },
    "bybit": {
        "old": _bybit("Old", permissions=_UNIFIED),
        "good": _bybit("Good", permissions=_UNIFIED),
        "spare": _bybit("Spare", permissions=_UNIFIED),
        "can_withdraw": _bybit("Withdraw", permissions=_UNIFIED | {"Wallet": ["Withdraw"]}),
        "read_only": _bybit("ReadOnly", permissions=_UNIFIED, readOnly=1),
    },
}


def all_demo_keys() -> tuple[SimulatedKey, ...]:
    return tuple(key for keys in DEMO_KEYS.values() for key in keys.values())
