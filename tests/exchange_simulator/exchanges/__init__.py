"""Every simulated exchange, one file each."""

from collections.abc import Mapping

from tests.exchange_simulator.exchanges import (
    binance,
    binanceus,
    bingx,
    bitfinex,
    bitget,
    bybit,
    bybiteu,
    coinbase,
    gate,
    htx,
    kraken,
    kucoin,
    mexc,
    okx,
)
from tests.exchange_simulator.model import SimulatedExchange, SimulatedKey

EXCHANGES: Mapping[str, SimulatedExchange] = {
    simulated.id: simulated
    for simulated in (
        binance.SIMULATED,
        binanceus.SIMULATED,
        bingx.SIMULATED,
        bitfinex.SIMULATED,
        bitget.SIMULATED,
        bybit.SIMULATED,
        bybiteu.SIMULATED,
        coinbase.SIMULATED,
        gate.SIMULATED,
        htx.SIMULATED,
        kraken.SIMULATED,
        kucoin.SIMULATED,
        mexc.SIMULATED,
        okx.SIMULATED,
    )
}

DEMO_KEYS: Mapping[str, Mapping[str, SimulatedKey]] = {
    name: simulated.demo_keys for name, simulated in EXCHANGES.items()
}


def all_demo_keys() -> tuple[SimulatedKey, ...]:
    return tuple(key for keys in DEMO_KEYS.values() for key in keys.values())
