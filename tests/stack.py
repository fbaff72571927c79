"""The whole portal as processes of its own, over the database of the test: what users and operators have.

The simulated exchange and the mail server run in threads of the test, over real HTTP and SMTP.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import redis
import yaml
from django.conf import settings
from django.db import connection

from tests import rabbit
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.ports import free_port as free_port  # handed on to who starts a stack

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN = 90.0
WEB, CHECKS, SWEEPS, MAIL = "web", "checks", "sweeps", "mail"
# What runs here is what production runs.
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


@dataclass
class Stack:
    """`with running_stack(…) as stack:`; `stack.url` is the portal."""

    directory: Path
    simulator: Simulator
    sink: MailSink
    port: int = 0
    extra: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def environment(self, name: str) -> dict[str, str]:
        """As in production: each secret of workers is with the worker that needs it alone."""
        # The last one lets playwright's loop and Django share a thread of the test. Nobody else needs it.
        not_theirs = ("SEAL_PRIVATE", "AUDIT_KEY", "PYTEST", "DJANGO_ALLOW_ASYNC_UNSAFE")
        environ = {key: value for key, value in os.environ.items() if not key.startswith(not_theirs)}
        environ |= {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": database_url(),
            "PORTAL_URL": self.url,
            "EXCHANGE_BASE_URLS": json.dumps(self.simulator.base_urls()),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.sink.smtp_port}",
            "PYTHONUNBUFFERED": "1",
        }
        if name in (CHECKS, SWEEPS):
            environ["SEAL_PRIVATE_KEYS"] = os.environ["SEAL_PRIVATE_KEYS"]
        if name == MAIL:
            environ["AUDIT_KEY"] = os.environ["AUDIT_KEY"]
        return environ | self.extra

    def start(self, *names: str) -> None:
        """Start what is named, and wait until all of it is ready."""
        for name in names:
            with self.log(name).open("ab") as log:
                self.processes[name] = self._open(name, log)
        for name in names:
            self._wait_until_ready(name)

    def kill(self, name: str) -> None:
        """As a power cut does: no signal handler runs, in the process or its children."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for name in list(self.processes):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.processes[name].wait(5)
            self.kill(name)

    def _open(self, name: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", *self._command(name)],
            cwd=ROOT,
            env=self.environment(name),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _command(self, name: str) -> list[str]:
        """As docker-compose.yml has it, at a port of this machine. One process does what three do there."""
        if name == WEB:
            command: list[str] = SERVICES["web"]["command"]
            return [word.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}") for word in command]
        service = {CHECKS: "check-worker", SWEEPS: "sweep-worker", MAIL: "mail-worker"}[name]
        # Two workers of one name, on one machine, would be one to the broker.
        command = [word.replace("@%h", f"-{self.port}@%h") for word in SERVICES[service]["command"]]
        if name != MAIL:
            return command
        *_, flag, scheduler = SERVICES["beat"]["command"]
        return [{"mail": "mail,chores"}.get(word, word) for word in command] + ["-B", flag, scheduler]

    def _wait_until_ready(self, name: str) -> None:
        until = time.monotonic() + READY_WITHIN
        while not self._is_ready(name):
            ended = self.processes[name].poll()
            if ended is not None or time.monotonic() > until:
                raise AssertionError(f"{name} is not ready ({ended}):\n{self.log(name).read_text()[-4000:]}")
            time.sleep(0.1)

    def _is_ready(self, name: str) -> bool:
        if name != WEB:
            return b" ready." in self.log(name).read_bytes()
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def database_url() -> str:
    """The address of the database that the test itself uses."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    login = found["USER"] + (f":{found['PASSWORD']}" if found["PASSWORD"] else "")
    return f"postgres://{login}@{found['HOST']}:{found['PORT'] or 5432}/{found['NAME']}"


def empty_broker() -> None:
    """No bell of an earlier test may ring in this one. The Redis database of the tests is theirs alone."""
    if settings.REDIS_URL:
        redis.Redis.from_url(settings.REDIS_URL).flushdb()
    if rabbit.IS_USED:
        rabbit.empty()
    if settings.BROKER_URL:
        return
    for file in Path(str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"])).iterdir():
        file.unlink(missing_ok=True)


@contextlib.contextmanager
def running_stack(directory: Path, simulator: Simulator, sink: MailSink, *names: str) -> Iterator[Stack]:
    """Start `names`, unless told WEB, CHECKS and MAIL, and end them with the block."""
    empty_broker()
    stack = Stack(directory, simulator, sink, port=free_port())
    try:
        stack.start(*(names or (WEB, CHECKS, MAIL)))
        yield stack
    finally:
        stack.stop()
