"""What bounds a call in time, on the loop that the client has and on the standard one."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from apikeys.exchanges.background import new_loop
from apikeys.exchanges.client.deadlines import Deadlines

SOON = 0.05
LONG = 3.0

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[new_loop, asyncio.new_event_loop])
def run(request: pytest.FixtureRequest) -> Run:
    def on_this_loop(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(main)

    return on_this_loop


async def take(deadlines: Deadlines, seconds: float) -> float:
    """Seconds until it was stopped; 0 where it was not."""
    began = time.monotonic()
    try:
        with deadlines.begin():
            await asyncio.sleep(seconds)
    except TimeoutError:
        return time.monotonic() - began
    return 0.0


def test_it_stops_what_takes_too_long_and_nothing_else(run: Run) -> None:
    async def main() -> None:
        deadlines = Deadlines(SOON)
        quick, slow = await asyncio.gather(take(deadlines, 0), take(deadlines, LONG))
        assert quick == 0
        assert SOON - 0.01 < slow < LONG / 2
        assert await take(deadlines, 0) == 0

    run(main())


def test_each_has_its_own_time_however_many_began_before(run: Run) -> None:
    async def begun_after(deadlines: Deadlines, seconds: float) -> float:
        await asyncio.sleep(seconds)
        return await take(deadlines, LONG)

    async def main() -> None:
        deadlines = Deadlines(SOON * 2)
        starts = [number * SOON / 4 for number in range(20)]
        stopped = await asyncio.gather(*(begun_after(deadlines, start) for start in starts))
        assert all(SOON * 2 - 0.01 < seconds < LONG / 2 for seconds in stopped)
        # Of those whose timer had gone off for others before, and of one that begins when all are over.
        assert await take(deadlines, LONG) > SOON

    run(main())


def test_it_hears_who_cancels_for_another_reason(run: Run) -> None:
    async def main() -> None:
        deadlines = Deadlines(LONG)
        task = asyncio.create_task(take(deadlines, LONG))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_who_cancels_what_was_just_stopped_is_heard_too(run: Run) -> None:
    async def main() -> None:
        deadlines = Deadlines(SOON)
        task = asyncio.create_task(take(deadlines, LONG))
        await asyncio.sleep(0)
        # Both in one turn of the loop, before the task hears of either.
        asyncio.get_running_loop().call_later(SOON / 5, time.sleep, SOON * 2)
        asyncio.get_running_loop().call_later(SOON + 0.001, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_it_leaves_the_task_uncancelled_for_what_comes_after(run: Run) -> None:
    async def main() -> None:
        assert await take(Deadlines(SOON), LONG) > 0
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(main())


def test_an_inner_time_limit_stays_the_inner_one_s(run: Run) -> None:
    async def main() -> None:
        with Deadlines(LONG).begin(), pytest.raises(TimeoutError):
            async with asyncio.timeout(SOON):
                await asyncio.sleep(LONG)

    run(main())


def test_it_keeps_no_timer_once_closed(run: Run) -> None:
    async def main() -> None:
        deadlines = Deadlines(SOON)
        stopped = asyncio.create_task(take(deadlines, 3 * SOON))
        await asyncio.sleep(0)
        deadlines.close()
        assert await stopped == 0

    run(main())
