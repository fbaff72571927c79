"""PostgreSQL and Redis of the test's own, which it may crash: other ports, folders of their own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.environment import prepare
from tests.ports import free_port

OPEN_WITHIN = 60.0
LIBRARY = Path("/usr/lib/postgresql")  # where Debian keeps what is not meant for everybody's PATH


NOT_INSTALLED = 77  # the status by which Automake knows a test that was skipped


class MissingServerError(SystemExit):
    """Ends the program where another one that it needs is not installed."""

    def __init__(self, name: str) -> None:
        super().__init__(NOT_INSTALLED)
        print(f"{name} is not installed.")  # noqa: T201


@dataclass
class Server:
    """One process, listening on loopback alone. `crash` ends it with no time to put anything away."""

    command: Sequence[str]
    directory: Path
    port: int
    user: str | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
                group=self.user,
            )
        self._wait_until_open()

    def crash(self) -> None:
        self._end(signal.SIGKILL)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def _end(self, number: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(number)
        process.wait(30)

    def _wait_until_open(self) -> None:
        until = time.monotonic() + OPEN_WITHIN
        while not self.answers():
            if (self.process and self.process.poll() is not None) or time.monotonic() > until:
                said = (self.directory / "server.log").read_text()[-2000:]
                raise AssertionError(f"{self.command[0]} did not start:\n{said}")
            time.sleep(0.02)


class Postgres(Server):
    """What was committed outlives a crash of the server's processes, since the operating system has it by
    then; waiting for the disk as well would only cost time.
    """

    def __init__(self, directory: Path) -> None:
        self._programs = _postgres_programs()
        port = free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 200,
            "shared_buffers": "64MB",
        }
        command = [str(self._programs / "postgres"), "-D", str(directory / "data")]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        # The server refuses to run as root.
        super().__init__(command, directory, port, user="postgres" if os.geteuid() == 0 else None)

    def start(self) -> None:
        if not (self.directory / "data").exists():
            self._make_data()
        super().start()

    def _make_data(self) -> None:
        if self.user:
            shutil.chown(self.directory, self.user, self.user)
        subprocess.run(
            [
                *(self._programs / "initdb", "-D", self.directory / "data", "-U", "portal"),
                *("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"),
            ],
            cwd=self.directory,
            check=True,
            stdout=subprocess.DEVNULL,
            user=self.user,
            group=self.user,
        )

    @property
    def url(self) -> str:
        return f"postgres://portal@127.0.0.1:{self.port}/postgres"

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.Error), psycopg.connect(self.url, connect_timeout=2):
            return True
        return False

    def crash(self) -> None:
        """Its processes end at once, and the next start recovers from the journal. SIGKILL would end only the
        first of them.
        """
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """As an upgrade of the package does it: whoever is connected is thrown out."""
        self._end(signal.SIGINT)


class Redis(Server):
    """Keeps nothing on disk, so a crash empties it."""

    def __init__(self, directory: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise MissingServerError("redis-server")
        port = free_port()
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        super().__init__([program, *options], directory, port)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


class Servers:
    """Both, or neither where everything is embedded. They run within `with servers: …`."""

    def __init__(self, directory: Path, *, embedded: bool) -> None:
        # The database server is another user than whoever starts this.
        directory.chmod(0o755)
        self.directory = directory
        self.postgres = None if embedded else Postgres(_made(directory / "postgres"))
        self.redis = None if embedded else Redis(_made(directory / "redis"))

    def take_over_the_environment(self) -> None:
        """Before Django reads its settings."""
        prepare()
        broker = os.environ.get("BROKER_URL", "")
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "tests.whole.chaos.settings",
            "PORTAL_TEST_DIR": str(self.directory),
            "DATABASE_URL": self.postgres.url
            if self.postgres
            else f"sqlite:///{self.directory}/portal.sqlite3",
            "REDIS_URL": self.redis.url if self.redis else "",
            # RabbitMQ may be given; it is emptied as Redis is, and not crashed.
            "BROKER_URL": broker if self.redis and broker.startswith("amqp") else "",
        }

    def __enter__(self) -> Self:
        self._ends = contextlib.ExitStack()
        for server in filter(None, (self.postgres, self.redis)):
            server.start()
            self._ends.callback(server.crash)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def _postgres_programs() -> Path:
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(LIBRARY.glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists():
            return place
    raise MissingServerError("initdb of PostgreSQL")
