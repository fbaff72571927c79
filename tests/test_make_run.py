"""`make run` from a copy of the checkout: everything starts, each by itself, and nothing is left behind."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READY = "Ctrl-C ends all of it"
LEFT_OUT = shutil.ignore_patterns(
    ".venv", "var", ".git", "__pycache__", ".*_cache", ".hypothesis", ".coverage*"
)

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/cwd").exists(), reason="looks at processes through /proc"
)


@dataclass
class Demo:
    """One run of `python -m demo` in its own folder."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def said(self) -> str:
        return (self.folder / "said.txt").read_text()

    @property
    def complained(self) -> str:
        return (self.folder / "complained.txt").read_text()

    def wait_until_ready(self) -> None:
        give_up = time.monotonic() + 120
        while READY not in self.said:
            assert self.process.poll() is None, self.complained
            assert time.monotonic() < give_up, self.said
            time.sleep(0.1)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def others(self) -> dict[int, str]:
        """Process id and command line of everything in this folder, the supervisor apart."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if int(entry.name) != self.process.pid and (entry / "cwd").readlink() == self.folder:
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("checkout") / "portal"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    return copy.resolve()


@pytest.fixture
def started(checkout: Path) -> Iterator[Demo]:
    demo = start(checkout, free_ports())
    yield demo
    if demo.process.poll() is None:
        demo.end(signal.SIGTERM)


def start(checkout: Path, port: int) -> Demo:
    # Nothing of this process's environment: `make run` brings its own.
    environ = {"PATH": os.environ["PATH"], "PORTAL_URL": f"http://127.0.0.1:{port}"}
    with (checkout / "said.txt").open("w") as said, (checkout / "complained.txt").open("w") as complained:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo"], cwd=checkout, env=environ, stdout=said, stderr=complained
        )
    return Demo(checkout, port, process)


def free_ports() -> int:
    """The first of four free ports in a row, looked for elsewhere by each process that runs tests."""
    for port in range(20_000 + os.getpid() % 1_000 * 4, 30_000, 4):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for offset in range(4):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port + offset))
            return port
    raise AssertionError("No four free ports in a row.")


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as reply:  # noqa: S310  a loopback address
        return str(reply.read().decode())


def demo_keys(folder: Path) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(folder / "var" / "portal.sqlite3")) as database:
        query = "select b.bot_id, k.status from apikeys_apikey k join apikeys_bot b on b.id = k.bot_id"
        return database.execute(query).fetchall()


def test_it_starts_everything_twice_and_ends_all_of_it(started: Demo) -> None:
    """On an empty folder until Ctrl-C; and on what that left, until the mail sink dies."""
    started.wait_until_ready()
    said, kept = started.said, (started.folder / "var" / "demo.json").read_text()
    assert "jane.doe@example.com" in said
    assert "lee.lead@sequence.example" in said
    assert 'name="password"' in page(f"http://127.0.0.1:{started.port}/sign-in/")
    assert "<h1>Mailbox</h1>" in page(f"http://127.0.0.1:{started.port + 2}/")
    assert demo_keys(started.folder) == [("0x1A2 / JaneDoe / BTC-1", "active")]
    assert (started.folder / "var" / "demo.json").stat().st_mode & 0o777 == 0o600
    check_who_holds_which_secret(started, json.loads(kept))
    check_that_nobody_dumps_core(started)
    assert started.end(signal.SIGINT) == 0
    assert started.others() == {}
    assert started.complained == ""

    again = start(started.folder, started.port)
    try:
        again.wait_until_ready()
        assert again.said == said
        assert (started.folder / "var" / "demo.json").read_text() == kept
        assert len(demo_keys(started.folder)) == 1
        sink = next(pid for pid, command in again.others().items() if "tests.mail_sink" in command)
        os.kill(sink, signal.SIGKILL)
        assert again.process.wait(20) == 1
    finally:
        if again.process.poll() is None:
            again.end(signal.SIGTERM)
    assert again.complained.startswith("The mail sink ended by itself")
    assert again.others() == {}


def check_who_holds_which_secret(demo: Demo, made: dict[str, str]) -> None:
    """Each is with the workers that need it, and nowhere else."""
    environs = [(command, Path(f"/proc/{pid}/environ").read_text()) for pid, command in demo.others().items()]
    workers = {"SEAL_PRIVATE_KEYS": ("-Q checks", "-Q sweeps"), "AUDIT_KEY": ("-Q mail,chores",)}
    for secret, wanted in workers.items():
        holders = [command for command, environ in environs if made[secret] in environ]
        for queues in wanted:
            assert any(queues in command for command in holders), (secret, queues)
        assert all(any(queues in command for queues in wanted) for command in holders), (secret, holders)
    for secret in ("DEMO_PASSWORD", "DEMO_STAFF_APP", "DEMO_STAFF_CODES"):
        assert made[secret]
        assert not [command for command, environ in environs if made[secret] in environ], secret


def check_that_nobody_dumps_core(demo: Demo) -> None:
    """What a worker opened must not lie on the disk after it died."""
    limits = {
        command: Path(f"/proc/{pid}/limits").read_text()
        for pid, command in demo.others().items()
        if "gunicorn" in command or "celery" in command
    }
    assert len(limits) >= 4
    for command, found in limits.items():
        assert re.search(r"^Max core file size +0 +0 ", found, re.MULTILINE), command


@pytest.mark.parametrize(
    ("offset", "who"),
    [(0, "the portal"), (1, "the simulated exchange"), (2, "the mailbox page"), (3, "the mail sink")],
)
def test_it_says_in_one_line_which_port_is_taken(checkout: Path, offset: int, who: str) -> None:
    port = free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + offset))
        taken.listen()
        demo = start(checkout, port)
        assert demo.process.wait(20) == 1
    assert len(demo.complained.splitlines()) == 1
    assert f"Port {port + offset} is wanted by {who}" in demo.complained
    assert demo.others() == {}


def test_it_serves_this_machine_only(checkout: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PORTAL_URL": "https://portal.example.com"}
    ended = subprocess.run(
        [sys.executable, "-m", "demo"], cwd=checkout, env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "https://portal.example.com" in ended.stderr
