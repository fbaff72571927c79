"""CPU of one exchange call: our client beside raw aiohttp, for every exchange, and beside ccxt's own client.

All ask the same server for the same replies, over TLS, with 50 checks in flight in a sliding window: ours on
the event loop that the product gives it, the others on the standard one. What counts is the CPU of this
process with all its threads, so neither the server nor another program on the machine adds to it. Rounds are
interleaved, and ratios are taken within a round.
"""

import asyncio
import gc
import json
import os
import ssl
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from unittest import mock

import aiohttp
import yarl
from ccxt.async_support import binance
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import override_settings

from apikeys.exchanges.background import new_loop
from apikeys.exchanges.base import KeyReport
from apikeys.exchanges.client import Client
from apikeys.exchanges.client.sending import at
from apikeys.exchanges.registry import EXCHANGES
from bench.quick_exchange import AS_A_NETWORK, AT_ONCE, QuickExchange
from bench.rehearsal import Exchanged, credentials, rehearse

IN_FLIGHT = 50
CHECKS = 150  # of each way in each round
ROUNDS = 15
WITH_CCXT = "binance"
# Whose requests are signed by an elliptic curve, which costs a hundred times a hash: what is
# OpenSSL's own of it is told apart, and counts in no figure.
ELLIPTIC = ("coinbase",)

Ask = Callable[[int], Awaitable[None]]
T = TypeVar("T")


def measure() -> Mapping[str, float]:
    ratios = {}
    for exchange in EXCHANGES:
        rounds = _interleaved(exchange, AS_A_NETWORK)
        raw = [a_round["ours"] / a_round["raw aiohttp"] for a_round in rounds]
        ratios[exchange] = statistics.median(raw)
        calls = len(rehearse(exchange))
        print(
            f"  {exchange}: {_median(rounds, 'ours') / calls:.0f} µs a call, raw"
            f" {_median(rounds, 'raw aiohttp') / calls:.0f}, on our loop"
            f" {_median(rounds, 'raw aiohttp on our loop') / calls:.0f}; {calls} a check; ratio"
            f" {ratios[exchange]:.2f} (middle half {_half(raw)})",
            flush=True,
        )
        if exchange in ELLIPTIC:
            least = [a_round["raw aiohttp, signing"] / a_round["raw aiohttp"] for a_round in rounds]
            beside = [a_round["ours"] / a_round["raw aiohttp, signing"] for a_round in rounds]
            print(
                f"  {exchange}: raw aiohttp that reads a fresh key and signs with it, over raw aiohttp alone:"
                f" {statistics.median(least):.2f} (middle half {_half(least)}); ours over that one:"
                f" {statistics.median(beside):.2f} (middle half {_half(beside)})",
                flush=True,
            )
        if exchange == WITH_CCXT:
            theirs = [a_round["ours"] / a_round["reused ccxt"] for a_round in rounds]
    heaps = _interleaved(WITH_CCXT, AT_ONCE)
    at_once = statistics.median(a_round["ours"] / a_round["raw aiohttp"] for a_round in heaps)
    print(f"  {WITH_CCXT} with replies at once, which come in heaps: {at_once:.2f} over raw")
    return {
        "client_cpu_vs_raw": max(ratios.values()),
        "client_cpu_vs_ccxt": statistics.median(theirs),
    }


def _median(rounds: Sequence[Mapping[str, float]], way: str) -> float:
    return statistics.median(a_round[way] for a_round in rounds)


def _interleaved(exchange: str, seconds: tuple[float, float]) -> list[dict[str, float]]:
    # The pace bounds calls a second, which only sleeps; without it the calls are the same.
    unpaced = mock.patch.dict(EXCHANGES, {exchange: replace(EXCHANGES[exchange], calls_per_second=1e9)})
    with QuickExchange(exchange, seconds) as server:
        trusted = mock.patch.dict(os.environ, SSL_CERT_FILE=str(server.certificate))
        sent_to = override_settings(EXCHANGE_BASE_URLS={exchange: server.url})
        with unpaced, trusted, sent_to:
            return _rounds(exchange, server.url)


def _rounds(exchange: str, url: str) -> list[dict[str, float]]:
    """CPU microseconds a check, by way, for each round."""
    with asyncio.Runner(loop_factory=new_loop) as our_loop, asyncio.Runner() as standard_loop:
        ours = our_loop.run(_open(Client))
        raw, raw_on_our_loop = standard_loop.run(_open(_session)), our_loop.run(_open(_session))
        theirs = binance({"enableRateLimit": False})
        calls = rehearse(exchange)
        ways: dict[str, tuple[asyncio.Runner, Ask]] = {
            "ours": (our_loop, _ours(ours, exchange)),
            "raw aiohttp": (standard_loop, _raw(raw, url, calls)),
            "raw aiohttp on our loop": (our_loop, _raw(raw_on_our_loop, url, calls)),
        }
        if exchange in ELLIPTIC:
            sign = _elliptic(credentials(exchange).secret.encode(), calls[0].signed.headers["Authorization"])
            ways["raw aiohttp, signing"] = (standard_loop, _raw(raw, url, calls, sign))
        if exchange == WITH_CCXT:
            theirs.urls["api"] = theirs.urls["api"] | {"sapi": f"{url}/sapi/v1", "private": f"{url}/api/v3"}
            theirs.ssl_context = ssl.create_default_context()
            ways["reused ccxt"] = (standard_loop, _ccxt(theirs))
        for runner, ask in ways.values():  # connections open, caches filled
            runner.run(_cpu(ask))
        found = []
        for number in range(ROUNDS):
            order = list(ways)[number % len(ways) :] + list(ways)[: number % len(ways)]
            found.append({name: ways[name][0].run(_cpu(ways[name][1])) for name in order})
        our_loop.run(ours.close())
        our_loop.run(raw_on_our_loop.close())
        standard_loop.run(raw.close())
        standard_loop.run(theirs.close())
    return found


async def _open(make: Callable[[], T]) -> T:
    """On the loop that it then belongs to."""
    return make()


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=256, ssl=ssl.create_default_context())
    return aiohttp.ClientSession(connector=connector)


def _ours(client: Client, exchange: str) -> Ask:
    key = credentials(exchange)

    async def ask(_: int) -> None:
        answer = await client.ask(exchange, key)
        if not isinstance(answer, KeyReport):
            raise RuntimeError(f"No report: {answer}")

    return ask


def _elliptic(pem: bytes, token: str) -> Callable[[], None]:
    """OpenSSL's part of a signature alone: the key is read, since every check has another one, and signs."""
    method, text = ec.ECDSA(hashes.SHA256()), token.rpartition(".")[0].encode()

    def sign() -> None:
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError
        key.sign(text, method)

    return sign


def _raw(
    session: aiohttp.ClientSession,
    url: str,
    calls: Sequence[Exchanged],
    sign: Callable[[], None] | None = None,
) -> Ask:
    """The least that a caller of aiohttp does: it bounds nothing, checks nothing, and signed beforehand.

    sign: done once for each call all the same.
    """
    sent = [
        (call.signed.method, at(url, call.signed.url), call.signed.headers, call.signed.body)
        for call in calls
    ]

    async def ask(_: int) -> None:
        for method, address, headers, body in sent:
            target = yarl.URL(address, encoded=True)
            if sign:
                sign()
            async with session.request(method, target, headers=headers, data=body) as response:
                json.loads(await response.read())

    return ask


def _ccxt(exchange: binance) -> Ask:
    """One instance for all. Without its own rate limit it signs before it first waits, so that the key of
    one customer does not go out with the call of another; with it, it would.
    """
    key = credentials(WITH_CCXT)

    async def ask(_: int) -> None:
        exchange.apiKey, exchange.secret = key.api_key, key.secret
        await exchange.sapiGetAccountApiRestrictions()
        await exchange.privateGetAccount({"omitZeroBalances": "true"})

    return ask


async def _cpu(ask: Ask) -> float:
    """Microseconds of CPU a check. Each of the window's workers goes on with the next number at once."""
    numbers = iter(range(CHECKS))
    gc.collect()
    begun = time.process_time()
    await asyncio.gather(*(_work(ask, numbers) for _ in range(IN_FLIGHT)))
    return (time.process_time() - begun) / CHECKS * 1e6


async def _work(ask: Ask, numbers: Iterator[int]) -> None:
    for number in numbers:
        await ask(number)


def _half(ratios: Sequence[float]) -> str:
    low, _, high = statistics.quantiles(ratios, n=4)
    return f"{low:.2f} to {high:.2f}"
