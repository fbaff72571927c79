"""The sink in a thread of its own: SMTP, and the mailbox page where a port for it is given."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

from aiohttp import web
from aiosmtpd.smtp import SMTP

from tests.mail_sink.conduct import Conduct, Drop, Moment, Refusal
from tests.mail_sink.letters import Letter, Letters
from tests.mail_sink.pages import make_app

T = TypeVar("T")

HOST = "127.0.0.1"
SOON = 10.0  # seconds in which the sink's own loop answers, however busy the machine is


class MailSink:
    """Ports: 0 takes a free one, found in `smtp_port` and `http_port` after `start`; http None: no page.

    Every method may be called from any thread and has taken effect when it returns.
    """

    def __init__(self, smtp_port: int = 0, http_port: int | None = None) -> None:
        self.smtp_port = smtp_port
        self.http_port = http_port
        self._letters = Letters()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail-sink", daemon=True)
        self._conduct = Conduct(self._letters)
        self._smtp: asyncio.Server | None = None
        self._web: web.AppRunner | None = None
        self._talks: set[SMTP] = set()

    def start(self) -> "MailSink":
        self._thread.start()
        self._do(self._up())
        if self.http_port is not None:
            self._do(self._open_page())
        return self

    def stop(self) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SOON)
        self._loop.close()

    def __enter__(self) -> "MailSink":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What came.

    @property
    def messages(self) -> list[Letter]:
        return self._letters.all()

    @property
    def distinct_message_ids(self) -> int:
        return self._letters.distinct()

    def wait_for(self, wanted: Callable[[Letter], bool], timeout: float = 10.0) -> Letter:
        """The first wanted letter; AssertionError naming what came instead after `timeout` seconds."""
        return self._letters.wait_for(wanted, timeout)

    def state(self) -> dict[str, object]:
        """accepted, distinct_message_ids, holding, held (conversations now waiting), refused, dropped."""
        return self._ask(self._conduct.state)

    @property
    def held(self) -> int:
        return self._ask(lambda: self._conduct.held)

    @property
    def heard(self) -> set[int]:
        """Numbers of the letters whose sender went on after the 250, and so has heard it."""
        return self._ask(lambda: set(self._conduct.heard))

    # How it behaves.

    def hold(self) -> None:
        """Take mail, but answer nothing after its data until `release`."""
        self._ask(self._conduct.open.clear)

    def release(self) -> None:
        self._ask(self._conduct.open.set)

    def refuse(self, code: int, *, at: Moment = "rcpt", times: int | None = None) -> None:
        """Answer the sender, the recipient or the data with `code`, so many times or until `behave`."""
        self._set(refusal=Refusal(code, at, times))

    def drop(self, *, at: Literal["data", "answer", "quit"] = "data", times: int | None = None) -> None:
        """Cut the connection after the data, having kept nothing; instead of the 250 to what was kept; or at
        the goodbye after one.
        """
        self._set(dropping=Drop(at, times))

    def behave(self) -> None:
        """Accept everything again."""
        self._set(refusal=None, dropping=None)
        self.release()

    def clear(self) -> None:
        self._letters.clear()

    def down(self) -> None:
        """Close the port and every conversation; the page stays."""
        self._do(self._down())

    def up(self) -> None:
        """Listen again on the port of before."""
        self._do(self._up())

    def _set(self, **values: object) -> None:
        def change() -> None:
            for name, value in values.items():
                setattr(self._conduct, name, value)

        self._ask(change)

    def _ask(self, question: Callable[[], T]) -> T:
        async def answer() -> T:
            return question()

        return self._do(answer())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("The sink's own loop cannot wait for itself.")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SOON)

    async def _up(self) -> None:
        if self._smtp is None:
            self._smtp = await self._loop.create_server(self._talk, HOST, self.smtp_port)
            self.smtp_port = self._smtp.sockets[0].getsockname()[1]

    def _talk(self) -> SMTP:
        talk = SMTP(self._conduct, hostname="mail-sink", loop=self._loop, enable_SMTPUTF8=True)
        self._talks.add(talk)
        return talk

    async def _down(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None
        for talk in self._talks:
            transport: Any = talk.transport
            if transport is not None:
                transport.abort()
        self._talks.clear()
        await asyncio.sleep(0.01)  # lets the closed conversations end

    async def _open_page(self) -> None:
        app = make_app(self._letters, self._conduct, self._up, self._down)
        self._web = web.AppRunner(app, access_log=None)
        await self._web.setup()
        site = web.TCPSite(self._web, HOST, self.http_port)
        await site.start()
        self.http_port = self._web.addresses[0][1]

    async def _close(self) -> None:
        self._conduct.open.set()
        await self._down()
        if self._web is not None:
            await self._web.cleanup()
