"""What goes wrong, again and again, for as long as keys are handed over."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from uuid import UUID

from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import CHECKS, MAIL, SWEEPS, Stack, empty_broker
from tests.whole.chaos.crowd import TRADED_AT
from tests.whole.chaos.servers import Server, Servers

# All in seconds.
KILL_EVERY = 3.0
BREATH = 0.7  # between two faults
LASTS = 2.0  # a misbehaving mail server or exchange
AWAY = 1.5  # a server that is down
LOST_AT_ONCE = 5  # mails in a row of which the server's word is lost


@dataclass
class Faults:
    """`start`, then `stop`, after which everything is there again and behaves.

    stacks: each with a worker of each kind, so that one of them was not just killed.
    counts: how often each thing was done. mail_killed: when a mail worker was, in seconds since 1970.
    """

    stacks: Sequence[Stack]
    simulator: Simulator
    sink: MailSink
    servers: Servers
    counts: Counter[str] = field(default_factory=Counter)
    mail_killed: list[float] = field(default_factory=list)
    ended_by_themselves: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._failed: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._all_along, args=(work,), name=work.__name__)
            for work in (self._kill_workers, self._break_things)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Raises what a thread of this raised."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.restart_the_dead()
        if self._failed:
            raise self._failed[0]

    def _all_along(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._failed.append(error)
            self._over.set()

    # Our own processes.

    def _kill_workers(self) -> None:
        turns = cycle([(stack, name) for name in (CHECKS, MAIL, SWEEPS) for stack in self.stacks])
        while not self._over.wait(KILL_EVERY):
            self.restart_the_dead()
            stack, name = next((stack, name) for stack, name in turns if name in stack.processes)
            stack.kill(name)
            if name == MAIL:
                self.mail_killed.append(time.time())
            self.counts[f"worker of {name} killed"] += 1
            stack.start(name)

    def restart_the_dead(self) -> None:
        """Whoever ended by itself is started again, as a supervisor does it, and told of."""
        for stack in self.stacks:
            for name, process in list(stack.processes.items()):
                if process.poll() is not None:
                    self.ended_by_themselves.append(f"{name}: {stack.log(name).read_text()[-3000:]}")
                    stack.kill(name)
                    stack.start(name)

    def acceptances(self, mail_id: UUID) -> int:
        """How often a mail worker logged that it recorded the mail server's 250 for this mail."""
        told = f"Mail {mail_id} accepted"
        return sum(stack.log(MAIL).read_text().count(told) for stack in self.stacks)

    # Everybody else's.

    def _break_things(self) -> None:
        for name, fault in cycle(self._faults().items()):
            if self._over.wait(BREATH):
                return
            self.counts[name] += 1
            fault()

    def _faults(self) -> dict[str, Callable[[], None]]:
        """In an order in which what mends one thing meets the next."""
        exchanges = cycle(TRADED_AT)
        world: dict[str, Callable[[], None]] = {
            "exchange answered 503": lambda: self._exchange(next(exchanges), "http_status", status=503),
            "mail server refused": lambda: self._mail(lambda: self.sink.refuse(451)),
            "exchange answered 429": lambda: self._exchange(next(exchanges), "rate_limit", retry_after=1),
            "mail server hung": lambda: self._mail(self.sink.hold),
            "exchange hung up": lambda: self._exchange(next(exchanges), "hang_up"),
            "mail server hung up after the data": lambda: self._mail(lambda: self.sink.drop(at="data")),
            "exchange said nothing": lambda: self._exchange(next(exchanges), "hold"),
            "mail server was away": lambda: self._mail(self.sink.down),
            "mail server's 250 was lost": lambda: self.sink.drop(at="answer", times=LOST_AT_ONCE),
        }
        ours: dict[str, Callable[[], None]] = {"broker emptied": empty_broker}
        if redis := self.servers.redis:
            ours["Redis crashed, empty afterwards"] = lambda: _away(redis, redis.crash)
        if postgres := self.servers.postgres:
            ours["PostgreSQL restarted"] = lambda: _away(postgres, postgres.stop)
            ours["PostgreSQL crashed"] = lambda: _away(postgres, postgres.crash)
        return dict(_mixed(ours, world))

    def _exchange(self, exchange: str, do: str, **options: Any) -> None:
        """Towards every key, but those that get garbage as it is."""
        self.simulator.behave(exchange, do, **options)
        self._over.wait(LASTS)
        self.simulator.behave(exchange, "ok")
        if do == "hold":
            self.simulator.release()

    def _mail(self, misbehave: Callable[[], None]) -> None:
        misbehave()
        self._over.wait(LASTS)
        self.sink.behave()
        self.sink.up()


def _away(server: Server, end: Callable[[], None]) -> None:
    end()
    time.sleep(AWAY)
    server.start()


def _mixed(
    ours: dict[str, Callable[[], None]], world: dict[str, Callable[[], None]]
) -> Iterator[tuple[str, Callable[[], None]]]:
    """One of ours after every second of the world's."""
    left = list(ours.items())
    for turn, found in enumerate(world.items()):
        yield found
        if turn % 2 and left:
            yield left.pop(0)
    yield from left
