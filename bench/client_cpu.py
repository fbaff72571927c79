"""CPU of one exchange call: our client beside raw aiohttp and beside ccxt's own asynchronous client.

All three ask the same server for the same reply, on one event loop of this process, with 50 calls in flight
in a sliding window. What counts is the CPU of this process with all its threads, so neither the server nor
another program on the machine adds to it. Rounds are interleaved, and ratios are taken within a round.
"""

import asyncio
import gc
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from unittest import mock

import aiohttp
import yarl
from ccxt.async_support import binance
from django.test import override_settings

from apikeys.exchanges.base import Credentials, KeyReport
from apikeys.exchanges.client import Client
from apikeys.exchanges.registry import EXCHANGES
from bench.quick_exchange import AT_ONCE, QuickExchange

IN_FLIGHT = 50
CALLS = 200  # of each way in each round
ROUNDS = 45

Ask = Callable[[int], Awaitable[None]]


def measure() -> Mapping[str, float]:
    rounds = _interleaved(QuickExchange(), ROUNDS)
    for name in rounds[0]:
        print(f"  {name}: {statistics.median(a_round[name] for a_round in rounds):.0f} µs a call")
    raw, theirs = (_ratios(rounds, other) for other in ("raw aiohttp", "reused ccxt"))
    print(
        f"  {IN_FLIGHT} in flight, {ROUNDS} rounds of {CALLS}; middle half of the ratios: {_half(raw)} over"
        f" raw, {_half(theirs)} over ccxt"
    )
    heaps = _interleaved(QuickExchange(AT_ONCE), ROUNDS)
    print(
        f"  with replies at once, which come in heaps: {statistics.median(_ratios(heaps, 'raw aiohttp')):.2f}"
        f" over raw, {statistics.median(_ratios(heaps, 'reused ccxt')):.2f} over ccxt"
    )
    return {"client_cpu_vs_raw": statistics.median(raw), "client_cpu_vs_ccxt": statistics.median(theirs)}


def _interleaved(server: QuickExchange, rounds: int) -> list[dict[str, float]]:
    # The pace bounds calls a second, which only sleeps; without it the calls are the same.
    unpaced = mock.patch.dict(EXCHANGES, binance=replace(EXCHANGES["binance"], calls_per_second=1e9))
    with server as exchange, unpaced, _sent_to(exchange.url):
        return asyncio.run(_rounds(exchange.url, rounds))


def _sent_to(url: str) -> AbstractContextManager[object]:
    return override_settings(EXCHANGE_BASE_URLS={"binance": url})


async def _rounds(url: str, rounds: int) -> list[dict[str, float]]:
    """CPU microseconds a call, by way, for each round."""
    customers = [Credentials(f"{n:064d}", f"{n + 1:064d}") for n in range(CALLS)]
    sapi = f"{url}/sapi/v1"
    theirs = binance({"enableRateLimit": False})
    theirs.urls["api"] = theirs.urls["api"] | {"sapi": sapi}
    signed = _signed_before(theirs, customers)
    async with Client() as ours, aiohttp.ClientSession() as session:
        ways: dict[str, Ask] = {
            "ours": _ours(ours, customers),
            "raw aiohttp": _raw(session, signed),
            "reused ccxt": _ccxt(theirs, customers),
        }
        for ask in ways.values():  # connections open, caches filled
            await _cpu(ask)
        found = []
        for number in range(rounds):
            order = list(ways)[number % 3 :] + list(ways)[: number % 3]
            found.append({name: await _cpu(ways[name]) for name in order})
    await theirs.close()
    return [{name: a_round[name] for name in ways} for a_round in found]


def _ours(client: Client, customers: Sequence[Credentials]) -> Ask:
    async def ask(number: int) -> None:
        answer = await client.ask("binance", customers[number])
        if not isinstance(answer, KeyReport):
            raise RuntimeError(f"No report: {answer}")

    return ask


def _raw(session: aiohttp.ClientSession, signed: Sequence[tuple[str, Mapping[str, str]]]) -> Ask:
    """The least that a caller of aiohttp does. It signs nothing, bounds nothing and checks nothing."""

    async def ask(number: int) -> None:
        url, headers = signed[number]
        async with session.get(yarl.URL(url, encoded=True), headers=headers) as response:
            _look_at(json.loads(await response.read()))

    return ask


def _ccxt(exchange: binance, customers: Sequence[Credentials]) -> Ask:
    """One instance for all. Without its own rate limit it signs before it first waits, so that the key of
    one customer does not go out with the call of another; with it, it would.
    """

    async def ask(number: int) -> None:
        exchange.apiKey, exchange.secret = customers[number].api_key, customers[number].secret
        _look_at(await exchange.sapiGetAccountApiRestrictions())

    return ask


def _look_at(reply: Mapping[str, object]) -> None:
    if reply["ipRestrict"] is not True:
        raise RuntimeError("Another reply than was sent")


def _signed_before(
    exchange: binance, customers: Sequence[Credentials]
) -> list[tuple[str, Mapping[str, str]]]:
    found = []
    for customer in customers:
        exchange.apiKey, exchange.secret = customer.api_key, customer.secret
        request = exchange.sign("account/apiRestrictions", ["sapi"], "GET", {})
        found.append((request["url"], request["headers"]))
    return found


async def _cpu(ask: Ask) -> float:
    """Microseconds of CPU a call. Each of the window's workers goes on with the next number at once."""
    numbers = iter(range(CALLS))
    gc.collect()
    begun = time.process_time()
    await asyncio.gather(*(_work(ask, numbers) for _ in range(IN_FLIGHT)))
    return (time.process_time() - begun) / CALLS * 1e6


async def _work(ask: Ask, numbers: Iterator[int]) -> None:
    for number in numbers:
        await ask(number)


def _ratios(rounds: Sequence[Mapping[str, float]], other: str) -> list[float]:
    return [a_round["ours"] / a_round[other] for a_round in rounds]


def _half(ratios: Sequence[float]) -> str:
    low, _, high = statistics.quantiles(ratios, n=4)
    return f"{low:.2f} to {high:.2f}"
