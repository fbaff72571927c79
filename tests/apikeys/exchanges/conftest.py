"""The simulated exchanges for a whole file of tests, and a client that asks them."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from pytest_django import Settings

from apikeys.exchanges.base import Credentials, KeyReport, Trouble
from apikeys.exchanges.client import Client
from apikeys.exchanges.registry import EXCHANGES
from tests.exchange_simulator.exchanges import EXCHANGES as SIMULATED
from tests.exchange_simulator.model import SimulatedKey
from tests.exchange_simulator.simulator import Simulator

AskOnce = Callable[..., KeyReport | Trouble]


def credentials(key: SimulatedKey) -> Credentials:
    return Credentials(key.api_key, key.secret, key.passphrase)


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(running: Simulator, settings: Settings) -> Iterator[Simulator]:
    """Knows the first fresh key of every exchange."""
    settings.EXCHANGE_BASE_URLS = running.base_urls()
    running.reset()
    running.know(*(simulated.fresh(0) for simulated in SIMULATED.values()))
    yield running
    running.reset()


@pytest.fixture
def client(simulator: Simulator) -> AskOnce:
    """Asks with a client of its own, so that no pause of another test is left."""

    def ask_once(exchange: str, key: Credentials | None = None, region: str = "") -> KeyReport | Trouble:
        async def run() -> KeyReport | Trouble:
            async with Client() as client:
                return await client.ask(exchange, key or credentials(SIMULATED[exchange].fresh(0)), region)

        return asyncio.run(run())

    return ask_once


@pytest.fixture
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every exchange as if it allowed any number of calls: the pace only sleeps."""
    for name, adapter in EXCHANGES.items():
        monkeypatch.setitem(EXCHANGES, name, replace(adapter, calls_per_second=1e6))
