"""One event loop in a thread of its own, for synchronous callers of asynchronous work."""

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar

import uvloop


class Closing(Protocol):
    async def close(self) -> None: ...


R = TypeVar("R", bound=Closing)
T = TypeVar("T")

STOP_SECONDS = 2.0


class Background(Generic[R]):
    """Keeps one resource, made by `make`, on one loop of this process; both are made at the first use.

    A forked child starts with its own. The parent's is kept there unused, since threads do not survive a
    fork, and collecting the resource would close what belongs to the parent.
    """

    def __init__(self, make: Callable[[], R]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._here: _Here[R] | None = None
        self._of_the_parent: list[_Here[R] | None] = []
        os.register_at_fork(after_in_child=self._after_fork)
        atexit.register(self.stop)

    def run(self, work: Callable[[R], Coroutine[Any, Any, T]]) -> Future[T]:
        """Start `work` with the resource on the loop."""
        with self._lock:
            if self._here is None:
                self._here = _Here(self._make())
            here = self._here
        return asyncio.run_coroutine_threadsafe(work(here.resource), here.loop)

    def stop(self) -> None:
        with self._lock:
            here, self._here = self._here, None
        if here is not None:
            here.stop()

    def _after_fork(self) -> None:
        self._of_the_parent.append(self._here)
        self._here = None
        self._lock = threading.Lock()


def new_loop() -> asyncio.AbstractEventLoop:
    """The loop of libuv: TLS on the standard one is Python code, and costs a tenth of a call more."""
    return uvloop.new_event_loop()


class _Here(Generic[R]):
    def __init__(self, resource: R) -> None:
        self.resource = resource
        self.loop = new_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="exchange-client", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._wind_up(), self.loop).result(STOP_SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(STOP_SECONDS)
        self.loop.close()

    async def _wind_up(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.resource.close()
