"""Child processes: started in sessions of their own, watched, and ended with everything they started."""

import contextlib
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.environment import BASE_DIR, LOG_DIR, DemoError

# The slowest start seen is a check worker on a busy machine: importing ccxt takes seconds there.
READY_WITHIN = 90.0
# Workers finish the task in hand, which is one exchange call or one mail; what takes longer is killed.
# The database is the truth: the schedule of the next run finds what was left undone.
GRACE = 6.0
LAST_LINES = 15

# An http_proxy of the environment has no business with addresses on this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def last_lines(self) -> str:
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 16_000))
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-LAST_LINES:])

    def failure(self, what: str) -> DemoError:
        shown = self.log.relative_to(BASE_DIR)
        return DemoError(f"{self.name} {what}. The last lines of {shown}:\n{self.last_lines}")

    def signal_all(self, number: signal.Signals) -> None:
        """Signal the child and whatever it started, which all share its session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent TERM."""


class Children:
    """Everything that was started. `stop` is set by the signal handlers and looked at between steps."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._running: list[Child] = []

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> Child:
        log = LOG_DIR / f"{name.removeprefix('The ').replace(' ', '-')}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=BASE_DIR,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches the supervisor only, which then ends the rest in its own manner.
                start_new_session=True,
            )
        child = Child(name, log, process)
        self._running.append(child)
        return child

    def run(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start a command and wait for its good end."""
        child = self.start(name, command, environ)
        while child.process.poll() is None:
            self._pause(0.05)
        self._running.remove(child)
        if child.process.returncode:
            raise child.failure(f"failed with status {child.process.returncode}")

    def read(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> str:
        """What a short command prints. For what no log may hold."""
        ended = subprocess.run(
            command,
            cwd=BASE_DIR,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
        )
        self._pause(0)
        if ended.returncode:
            lines = "\n".join(ended.stderr.splitlines()[-LAST_LINES:])
            raise DemoError(f"{name} failed with status {ended.returncode}:\n{lines}")
        return ended.stdout.strip()

    def wait_until_ready(self, child: Child, ready: Callable[[Child], bool]) -> None:
        give_up = time.monotonic() + READY_WITHIN
        while not ready(child):
            self._watch()
            if time.monotonic() > give_up:
                raise child.failure(f"was not ready after {READY_WITHIN:.0f} seconds")
            self._pause(0.1)

    def watch_for_ever(self) -> None:
        while True:
            self._watch()
            self._pause(0.5)

    def end(self) -> None:
        """End all, politely first. Nothing is left when this returns."""
        for child in self._running:
            # Only the child itself: gunicorn and Celery end their own in order.
            if child.process.poll() is None:
                child.process.terminate()
        _wait_for(self._running, GRACE)
        for child in self._running:
            child.signal_all(signal.SIGKILL)
        _wait_for(self._running, GRACE)

    def _watch(self) -> None:
        for child in self._running:
            if child.process.poll() is not None:
                raise child.failure(f"ended by itself with status {child.process.returncode}")

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped


def _wait_for(children: Iterable[Child], seconds: float) -> None:
    until = time.monotonic() + seconds
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, until - time.monotonic()))


def answers(url: str) -> Callable[[Child], bool]:
    """Ready when this address answers with a page."""

    def ask(_: Child) -> bool:
        try:
            with _direct.open(url, timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return ask


def says(words: str) -> Callable[[Child], bool]:
    """Ready when its log holds these words."""

    def look(child: Child) -> bool:
        return words.encode() in child.log.read_bytes()

    return look
