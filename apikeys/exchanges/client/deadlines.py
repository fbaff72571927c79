"""Bounds many things that go on at once in time, with one timer for all of them.

A timer for each call, as aiohttp sets one, costs a twentieth of the call on uvloop, and is nearly always
taken back unused. Here all have equally long, so that who began first is due first: one timer for that one is
enough, and when it goes off it is set anew for whoever is first by then.
"""

import asyncio
from types import TracebackType


class Deadlines:
    """`with deadlines.begin(): …` raises TimeoutError after so many seconds. For tasks of one event loop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[_Deadline, None] = {}  # who began first comes first
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> "_Deadline":
        return _Deadline(self)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def add(self, deadline: "_Deadline", loop: asyncio.AbstractEventLoop) -> float:
        """When it is due."""
        when = loop.time() + self._seconds
        self._running[deadline] = None
        if self._timer is None:
            self._timer = loop.call_at(when, self._go_off, loop)
        return when

    def remove(self, deadline: "_Deadline") -> None:
        del self._running[deadline]

    def _go_off(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for deadline in self._running:
            if deadline.when > now:
                self._timer = loop.call_at(deadline.when, self._go_off, loop)
                break
            deadline.stop()


class _Deadline:
    """Stops a task as `asyncio.timeout` does: whoever cancels it for another reason is heard."""

    __slots__ = ("_all", "_cancelling", "_stopped", "_task", "when")

    def __init__(self, all_of_them: Deadlines) -> None:
        self._all = all_of_them
        self._stopped = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("Only a task can be stopped.")
        self._task = task
        self._cancelling = task.cancelling()
        self.when = self._all.add(self, loop)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._all.remove(self)
        if self._stopped and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError

    def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self._task.cancel()
