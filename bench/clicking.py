"""People who click: `python -m bench.clicking`, a task as JSON on its input, what they saw on its output.

A process of its own that imports nothing of the portal, so that it takes little of the machine that it shares
with what it measures.

Task: {"url", "seconds", "pause": [least, most], "people": [{"cookies": {…}, "pages": [path, …]}, …]}. Each
person opens a page of theirs, drawn anew each time, reads it to its end, and pauses.
Answer: {"seconds": [of each click], "errors": [what was wrong, …]}.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
import uvloop

# The first clicks of each web process load what later ones find loaded; they are made and not counted.
WARM_UP = 2


async def click(task: dict[str, Any]) -> dict[str, list[Any]]:
    seconds: list[float] = []
    errors: list[str] = []
    until = time.perf_counter() + task["seconds"]
    await asyncio.gather(
        *(
            _person(person, task["url"], task["pause"], until, seconds, errors, seed)
            for seed, person in enumerate(task["people"])
        )
    )
    return {"seconds": seconds, "errors": errors}


async def _person(
    person: dict[str, Any],
    url: str,
    pause: Sequence[float],
    until: float,
    seconds: list[float],
    errors: list[str],
    seed: int,
) -> None:
    draw = random.Random(seed)  # noqa: S311 - no secret
    headers = {"Accept-Encoding": "gzip, br", "Accept": "text/html"}
    async with aiohttp.ClientSession(url, cookies=person["cookies"], headers=headers) as session:
        count = 0
        # Nobody begins at the same moment as all others.
        await asyncio.sleep(draw.uniform(0, pause[1]))
        while (begun := time.perf_counter()) < until:
            path = draw.choice(person["pages"])
            if wrong := await _open(session, path):
                errors.append(f"{path}: {wrong}")
            elif count >= WARM_UP:
                seconds.append(time.perf_counter() - begun)
            count += 1
            await asyncio.sleep(draw.uniform(*pause))


async def _open(session: aiohttp.ClientSession, path: str) -> str:
    """What was wrong; empty for a page that came whole."""
    try:
        async with session.get(path, allow_redirects=False) as answer:
            await answer.read()
            return "" if answer.status == 200 else f"status {answer.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__


if __name__ == "__main__":
    json.dump(uvloop.run(click(json.load(sys.stdin))), sys.stdout)
