"""Turns of an exchange: shared by all workers through Redis, kept alone without it."""

import asyncio

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
