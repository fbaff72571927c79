"""Every exchange that is offered, one line each; and those that are not, with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass

from apikeys.exchanges import (
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
from apikeys.exchanges.adapter import Adapter

EXCHANGES: Mapping[str, Adapter] = {
    adapter.id: adapter
    for adapter in (
        binance.ADAPTER,
        binanceus.ADAPTER,
        bingx.ADAPTER,
        bitfinex.ADAPTER,
        bitget.ADAPTER,
        bybit.ADAPTER,
        bybiteu.ADAPTER,
        coinbase.ADAPTER,
        gate.ADAPTER,
        htx.ADAPTER,
        kraken.ADAPTER,
        kucoin.ADAPTER,
        mexc.ADAPTER,
        okx.ADAPTER,
    )
}


def name_of(exchange: str) -> str:
    """For people. An id that is no longer offered stays as it is."""
    return EXCHANGES[exchange].name if exchange in EXCHANGES else exchange


@dataclass(frozen=True, slots=True)
class NotOffered:
    """reason: for the customer, as one sentence after the name."""

    name: str
    reason: str


# What each answers, or does not, was looked up in its own documentation in November 2026.
NOT_OFFERED: tuple[NotOffered, ...] = (
    NotOffered(
        "BitMEX",
        "It is not supported here yet: we have no way to ask it what a key may do.",
    ),
    NotOffered(
        "Crypto.com",
        "It cannot state what a key may do, so that nobody can prove that a key cannot withdraw.",
    ),
    NotOffered(
        "Deribit",
        "The only answer in which it states a key's rights can carry the secrets of all your keys, and those"
        " are none of our business.",
    ),
    NotOffered(
        "Hyperliquid",
        "It has no keys whose rights can be looked up, only wallets, whose own key can move everything.",
    ),
    NotOffered(
        "Kraken Futures",
        "It cannot state what a key may do. Spot trading at Kraken is offered.",
    ),
)
