"""Asks one exchange about many keys, a window of them at a time, on one loop for all sweeps of a process.

The caller's thread hands keys in and takes answers out; a key is opened on the loop in the moment in which it
is asked about, and its credentials go with the answer.
"""

import asyncio
import logging
import math
import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.background import Background
from apikeys.exchanges.base import Credentials, KeyReport, Trouble
from apikeys.exchanges.client.asking import Client
from apikeys.exchanges.pace import SWEEP_AHEAD
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import FindingCode

logger = logging.getLogger(__name__)
K = TypeVar("K")

# Of one exchange in one process. Enough to be bound by the exchange's pace, or by a processor core.
MOST_IN_FLIGHT = 200
# A slow exchange has no more in flight than it takes up in this time; more would only wait with open secrets.
SECONDS_IN_FLIGHT = 3.0
# Nobody waits for one key of a sweep; this ends what would never end.
ASK_SECONDS = 40.0
# Answers that are handed to the caller together: written in one statement.
ANSWERS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Answered(Generic[K]):
    key: K
    answer: KeyReport | Trouble
    started_at: datetime


def ask_all(
    exchange: str,
    batches: Iterable[Sequence[K]],
    *,
    opened: Callable[[K], tuple[Credentials, str] | Trouble],
    heed: Callable[[KeyReport | Trouble], None],
    stopped: Callable[[], bool],
) -> Iterator[Sequence[Answered[K]]]:
    """What `exchange` says about each key, some at a time, in the order in which the answers come.

    batches: taken one after the other, as the window needs them, in the caller's thread.
    opened: gives credentials and region of a key, or why there are none.
    heed: hears each answer at once, on the loop, before the next key is taken.
    stopped: once it says so, no further key is asked about. What is in flight is answered, the rest left out.
    """
    window: _Window[K] = _Window(exchange, opened, heed, stopped)
    try:
        for batch in batches:
            window.add(batch)
            # The next batch is there before the window runs dry.
            while window.open > window.size + len(batch) // 2:
                yield window.take()
            if stopped():
                break
        while window.open:
            yield window.take()
    finally:
        window.close()


class _Sweeper(Client):
    """With as many places for each exchange as it may have in flight, however many lists are worked on."""

    def __init__(self) -> None:
        super().__init__(ahead=SWEEP_AHEAD)
        self._places: dict[str, asyncio.Semaphore] = {}

    def places(self, exchange: str) -> asyncio.Semaphore:
        if exchange not in self._places:
            self._places[exchange] = asyncio.Semaphore(in_flight(EXCHANGES[exchange]))
        return self._places[exchange]


class _Window(Generic[K]):
    """What is public is for the caller's thread, the rest happens on the loop.

    open: keys that were handed in and not taken out again.
    """

    def __init__(
        self,
        exchange: str,
        opened: Callable[[K], tuple[Credentials, str] | Trouble],
        heed: Callable[[KeyReport | Trouble], None],
        stopped: Callable[[], bool],
    ) -> None:
        self.size = in_flight(EXCHANGES[exchange])
        self._exchange = exchange
        self._opened = opened
        self._heed = heed
        self._stopped = stopped
        self.open = 0
        # Answers, and how many keys were not asked about any more.
        self._done: queue.SimpleQueue[tuple[list[Answered[K]], int]] = queue.SimpleQueue()
        self._waiting: deque[K] = deque()
        self._gathered: list[Answered[K]] = []
        self._askers: set[asyncio.Task[None] | None] = set()

    def add(self, keys: Sequence[K]) -> None:
        self.open += len(keys)
        _background.run(lambda client: self._add(client, keys)).result()

    def take(self) -> Sequence[Answered[K]]:
        """Blocks until some were answered, or left out."""
        answers, left_out = self._done.get()
        self.open -= len(answers) + left_out
        return answers

    def close(self) -> None:
        """Give up what is in flight still, which is nothing unless the caller went away in between."""
        _background.run(lambda _: self._close()).result()

    async def _add(self, client: _Sweeper, keys: Sequence[K]) -> None:
        self._waiting.extend(keys)
        for _ in range(min(len(self._waiting), self.size - len(self._askers))):
            self._askers.add(asyncio.create_task(self._ask_on(client)))

    async def _ask_on(self, client: _Sweeper) -> None:
        """Asks about one key after the other."""
        places = client.places(self._exchange)
        try:
            while self._waiting:
                async with places:
                    if self._stopped() or not self._waiting:
                        break
                    key, started_at = self._waiting.popleft(), datetime.now(UTC)
                    self._gather(Answered(key, await self._ask(client, key), started_at))
        finally:
            self._askers.discard(asyncio.current_task())
            if not self._askers:
                self._done.put((self._gathered, len(self._waiting)))
                self._gathered = []
                self._waiting.clear()

    async def _ask(self, client: _Sweeper, key: K) -> KeyReport | Trouble:
        opened = self._opened(key)
        if isinstance(opened, Trouble):
            return opened
        credentials, region = opened
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await client.ask(self._exchange, credentials, region)
        except TimeoutError:
            # Each call ends by itself, so what took so long was our own waiting, and no outage.
            return Trouble(FindingCode.EXCHANGE_UNAVAILABLE, exchange_code="slow")
        except Exception as error:  # one key must not end the list; text and frames of the error hold it
            logger.error("A key could not be asked about at %s: %s", self._exchange, type(error).__name__)
            return Trouble(FindingCode.EXCHANGE_UNAVAILABLE, exchange_code="failed")

    def _gather(self, answered: Answered[K]) -> None:
        self._heed(answered.answer)
        self._gathered.append(answered)
        if len(self._gathered) >= min(ANSWERS_AT_ONCE, 2 * self.size):
            self._done.put((self._gathered, 0))
            self._gathered = []

    async def _close(self) -> None:
        self._waiting.clear()
        for asker in self._askers:
            if asker is not None:
                asker.cancel()


def in_flight(adapter: Adapter) -> int:
    return max(1, min(MOST_IN_FLIGHT, math.ceil(adapter.keys_per_second * SECONDS_IN_FLIGHT)))


_background = Background(_Sweeper)
