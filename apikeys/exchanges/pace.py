"""How fast all workers together may ask one exchange, and when none of them may.

Exchanges count calls by address, and all workers of a machine have one. With Redis they share one schedule of
turns, kept there by its own clock (the generic cell rate algorithm: one number, the time of the next free
turn). Without Redis each process keeps its own: on the embedded default the check worker and the sweep
worker, which together ask no more than an exchange allows, since each keeps to half of it.
"""

import asyncio
import logging
import math
import time
from typing import Protocol

import redis.asyncio
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# Longest time that one "come back later" holds the calls for other keys back.
LONGEST_PAUSE = 60.0
# Whose turn is further away than this is told to come again, rather than keep a worker waiting.
LONGEST_WAIT = 5.0
# A sweep books turns this far ahead only, since a person who comes in between waits behind what is booked.
SWEEP_AHEAD = 0.25
# And waits this long for more calls that want one, since asking Redis costs as much as the call itself.
SWEEP_GATHERS = 0.02


class Turns(Protocol):
    """Where the schedule of turns is kept. Seconds throughout."""

    async def reserve(
        self, exchange: str, interval: float, count: int, *, least: int, ahead: float
    ) -> tuple[float, int]:
        """Up to `count` turns: seconds until the first one, and how many were given.

        The first `least` go together. None is given that ends later than `ahead`, but for these, if nobody is
        before them. Given none, it would have come after so many seconds.
        """

    async def pause(self, exchange: str, seconds: float) -> None: ...


class OwnTurns:
    """The schedule of this process alone."""

    def __init__(self) -> None:
        self._next_turn: dict[str, float] = {}
        self._paused_until: dict[str, float] = {}

    async def reserve(
        self, exchange: str, interval: float, count: int, *, least: int, ahead: float
    ) -> tuple[float, int]:
        return self.reserve_now(exchange, interval, count, least=least, ahead=ahead)

    def reserve_now(
        self, exchange: str, interval: float, count: int, *, least: int, ahead: float
    ) -> tuple[float, int]:
        now = time.monotonic()
        paused = self._paused_until.get(exchange, 0.0) - now
        if paused > 0:
            return paused, 0
        first = max(now, self._next_turn.get(exchange, 0.0))
        if first > now + max(0.0, ahead - (least - 1) * interval):
            return first - now, 0
        given = min(count, max(least, math.floor((now + ahead - first) / interval) + 1))
        self._next_turn[exchange] = first + interval * given
        return first - now, given

    async def pause(self, exchange: str, seconds: float) -> None:
        self._paused_until[exchange] = time.monotonic() + seconds


# KEYS: next free turn, pause. ARGV: interval, count, least, how far ahead. All times in microseconds.
_RESERVE = """
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return {paused * 1000, 0} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local first = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
if first > now + math.max(0, ARGV[4] - (ARGV[3] - 1) * ARGV[1]) then return {first - now, 0} end
local given = math.min(ARGV[2], math.max(ARGV[3], math.floor((now + ARGV[4] - first) / ARGV[1]) + 1))
local free = first + ARGV[1] * given
redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', math.ceil((free - now) / 1000) + 1000)
return {first - now, given}
"""


class SharedTurns:
    """The schedule of all workers, in Redis. While Redis is away each process keeps to its own."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)
        self._reserve = self._redis.register_script(_RESERVE)
        self._alone = OwnTurns()

    async def reserve(
        self, exchange: str, interval: float, count: int, *, least: int, ahead: float
    ) -> tuple[float, int]:
        keys = [f"portal:turn:{exchange}", f"portal:pause:{exchange}"]
        try:
            arguments = [int(interval * 1e6), count, least, int(ahead * 1e6)]
            wait, given = await self._reserve(keys=keys, args=arguments)
        except (RedisError, OSError) as error:
            logger.warning("Turns are not shared, Redis is away: %s", type(error).__name__)
            return await self._alone.reserve(exchange, interval, count, least=least, ahead=ahead)
        return int(wait) / 1e6, int(given)

    async def pause(self, exchange: str, seconds: float) -> None:
        await self._alone.pause(exchange, seconds)
        try:
            await self._redis.set(f"portal:pause:{exchange}", 1, px=max(1, int(seconds * 1000)))
        except (RedisError, OSError) as error:
            logger.warning("A pause is not shared, Redis is away: %s", type(error).__name__)

    async def close(self) -> None:
        await self._redis.aclose()


class Pace:
    """Hands out turns of one exchange on one event loop.

    Calls that begin together reserve their turns together: one question to Redis for all of them.
    ahead: seconds that a turn may lie ahead. A sweep, for which that is short, comes again by itself until it
    is given one, as long as that is nearer than LONGEST_WAIT.
    """

    def __init__(
        self, exchange: str, calls_per_second: float, turns: Turns, ahead: float = LONGEST_WAIT
    ) -> None:
        self._exchange = exchange
        self._ahead = ahead
        self._interval = 1 / calls_per_second
        self._turns = turns
        self._waiting: list[tuple[asyncio.Future[float], int]] = []
        self._reserving: asyncio.Task[None] | None = None

    async def turn(self, turns: int = 1) -> float:
        """Wait for `turns` turns in a row, gives 0; or the seconds after which to come again."""
        while True:
            wait = await self._wait(turns)
            if wait >= 0:
                break
            if -wait > LONGEST_WAIT or self._ahead >= LONGEST_WAIT:
                return -wait
            await asyncio.sleep(-wait)
        if wait:
            await asyncio.sleep(wait)
        return 0.0

    async def _wait(self, turns: int) -> float:
        """Seconds until the turns that were given; negative where none was, and come again after so many."""
        if isinstance(self._turns, OwnTurns):
            wait, given = self._turns.reserve_now(
                self._exchange, self._interval, turns, least=turns, ahead=self._ahead
            )
            return wait if given else -max(wait, self._interval)
        return await self._reserved(turns)

    async def _reserved(self, turns: int) -> float:
        mine: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append((mine, turns))
        if self._reserving is None:
            self._reserving = asyncio.create_task(self._reserve_for_all())
        return await mine

    async def pause(self, seconds: float) -> None:
        """The exchange said stop: whoever asks on is banned, and with the address every customer's bot."""
        await self._turns.pause(self._exchange, min(seconds, LONGEST_PAUSE))

    async def _reserve_for_all(self) -> None:
        asking: list[tuple[asyncio.Future[float], int]] = []
        while self._waiting:
            try:
                if self._ahead < LONGEST_WAIT:
                    await asyncio.sleep(SWEEP_GATHERS)
                asking, self._waiting = self._waiting, []
                wanted = [turns for _, turns in asking]
                wait, given = await self._turns.reserve(
                    *(self._exchange, self._interval, sum(wanted)), least=max(wanted), ahead=self._ahead
                )
            except BaseException:
                for future, _ in asking:
                    future.cancel()
                self._reserving = None
                raise
            for future, turns in asking:
                # Negative for those who got no turn: they come again when theirs would have been.
                if not future.done():
                    future.set_result(wait if given >= turns else -max(wait, self._interval))
                given -= turns
                wait += turns * self._interval
        self._reserving = None
