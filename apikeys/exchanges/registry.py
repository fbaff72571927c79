"""Every exchange that is offered, one line each."""

from collections.abc import Mapping

from apikeys.exchanges import binance, bybit
from apikeys.exchanges.base import Adapter

EXCHANGES: Mapping[str, Adapter] = {adapter.id: adapter for adapter in (binance.ADAPTER, bybit.ADAPTER)}
