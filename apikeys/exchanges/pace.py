"""How fast one process may ask one exchange."""

import asyncio
import time
from collections.abc import Mapping

# Least seconds between two calls of one process, each at most half of what the exchange allows one address,
# so that two busy workers may share one. Binance: 12,000 weight a minute for each sapi endpoint, 1 a call
# (wallet documentation, "Limits"). Bybit: 600 calls in 5 seconds ("Rate Limit Rules").
PACES: Mapping[str, float] = {"binance": 0.01, "bybit": 0.02}
DEFAULT_PACE = 0.1
# Longest time that one "come back later" holds the calls for other keys back.
LONGEST_PAUSE = 60.0


class Pace:
    """Hands out turns of one exchange on one event loop."""

    def __init__(self, exchange: str) -> None:
        self._interval = PACES.get(exchange, DEFAULT_PACE)
        self._next_turn = 0.0
        self._paused_until = 0.0

    async def turn(self) -> None:
        now = time.monotonic()
        mine = max(now, self._next_turn)
        self._next_turn = mine + self._interval
        if mine > now:
            await asyncio.sleep(mine - now)

    def pause(self, seconds: float) -> None:
        """The exchange said stop: whoever asks on is banned, and with the address every customer's bot."""
        self._paused_until = time.monotonic() + min(seconds, LONGEST_PAUSE)

    def paused_for(self) -> float:
        """Seconds; 0 where calls may go."""
        return max(0.0, self._paused_until - time.monotonic())
