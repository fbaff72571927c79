"""Turns of an exchange: shared by all workers through Redis, kept alone without it."""

import asyncio
import time

import pytest
from pytest_django import Settings

from apikeys.exchanges import pace


def test_it_shares_turns_among_all_workers(settings: Settings) -> None:
    if not settings.REDIS_URL:
        pytest.skip("Turns are shared through Redis only.")

    async def run() -> None:
        one, other = pace.SharedTurns(settings.REDIS_URL), pace.SharedTurns(settings.REDIS_URL)
        try:
            assert await one.reserve("shared", 1.0, 3, least=1, ahead=pace.LONGEST_WAIT) == (0.0, 3)
            wait, given = await other.reserve("shared", 1.0, 3, least=1, ahead=pace.LONGEST_WAIT)
            assert (round(wait), given) == (3, 3)
            wait, given = await one.reserve("shared", 1.0, 3, least=1, ahead=pace.LONGEST_WAIT)
            assert (round(wait), given) == (6, 0)
            await one.pause("shared", 30)
            wait, given = await other.reserve("shared", 1.0, 1, least=1, ahead=pace.LONGEST_WAIT)
            assert (round(wait), given) == (30, 0)
        finally:
            await one.close()
            await other.close()

    asyncio.run(run())


def test_it_keeps_its_own_turns_while_redis_is_away() -> None:
    async def run() -> None:
        turns = pace.SharedTurns("redis://127.0.0.1:9/0")
        try:
            assert await turns.reserve("alone", 1.0, 1, least=1, ahead=pace.LONGEST_WAIT) == (0.0, 1)
            wait, given = await turns.reserve("alone", 1.0, 1, least=1, ahead=pace.LONGEST_WAIT)
            assert (round(wait), given) == (1, 1)
            await turns.pause("alone", 30)
            wait, given = await turns.reserve("alone", 1.0, 1, least=1, ahead=pace.LONGEST_WAIT)
            assert (round(wait), given) == (30, 0)
        finally:
            await turns.close()

    asyncio.run(run())


def test_whose_turn_is_far_away_is_told_to_come_again() -> None:
    async def run() -> None:
        turns = pace.Pace("far", 1.0, pace.OwnTurns())
        waits = await asyncio.gather(*(turns.turn(6) for _ in range(2)), return_exceptions=True)
        assert waits[0] == 0
        assert isinstance(waits[1], float)
        assert waits[1] > pace.LONGEST_WAIT

    asyncio.run(run())


@pytest.mark.parametrize(
    ("calls_per_second", "turns", "longest"),
    [(10.0, 1, pace.SWEEP_AHEAD + 0.1), (100.0, 40, 0.4)],
    ids=["a slow exchange", "calls that cost many turns"],
)
def test_a_person_waits_no_longer_than_a_sweep_books_ahead(
    calls_per_second: float, turns: int, longest: float, settings: Settings
) -> None:
    async def run() -> None:
        kept = pace.SharedTurns(settings.REDIS_URL) if settings.REDIS_URL else pace.OwnTurns()
        exchange = f"swept-{turns}-{time.time_ns()}"
        sweep = pace.Pace(exchange, calls_per_second, kept, pace.SWEEP_AHEAD)
        asking = [asyncio.create_task(sweep.turn(turns)) for _ in range(50)]
        for _ in range(3):  # whenever they come
            await asyncio.sleep(0.17)
            wait, given = await kept.reserve(
                exchange, 1 / calls_per_second, 1, least=1, ahead=pace.LONGEST_WAIT
            )
            assert given == 1
            assert wait <= longest
        done = [task for task in asking if task.done()]
        assert 0 < len(done) < 50, "and the sweep goes on"
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        if isinstance(kept, pace.SharedTurns):
            await kept.close()

    asyncio.run(run())
