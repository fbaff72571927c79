"""How the SMTP side behaves. Lives on the sink's event loop; `MailSink` calls it from other threads."""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.mail_sink.letters import Letters

Moment = Literal["mail", "rcpt", "data"]


@dataclass(slots=True)
class Refusal:
    code: int
    at: Moment
    times: int | None  # None: until told otherwise


@dataclass(slots=True)
class Drop:
    at: Literal["data", "answer", "quit"]
    times: int | None


class Conduct:
    """The aiosmtpd handler. Accepts everything unless told otherwise."""

    def __init__(self, letters: Letters) -> None:
        self.letters = letters
        self.open = asyncio.Event()  # unset: conversations wait before their 250
        self.open.set()
        self.held = 0
        self.refusal: Refusal | None = None
        self.dropping: Drop | None = None
        self.refused = 0
        self.dropped = 0
        # Letters, by number, whose sender went on after our 250. Who did not may never have heard it.
        self.heard: set[int] = set()
        self._last_kept: WeakKeyDictionary[SMTP, int] = WeakKeyDictionary()

    def state(self) -> dict[str, object]:
        return {
            "accepted": len(self.letters.all()),
            "distinct_message_ids": self.letters.distinct(),
            "holding": not self.open.is_set(),
            "held": self.held,
            "refused": self.refused,
            "dropped": self.dropped,
        }

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._refuses("mail"):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._refuses("rcpt"):
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if refusal := self._refuses("data"):
            return refusal
        if self._drops("data"):
            _cut(server)
            await asyncio.sleep(0)  # here the closed connection cancels this conversation
            return "421 closing"
        self.held += 1
        try:
            await self.open.wait()
            # A client that hung up in this very moment is noticed now. From here to the 250 nothing waits, so
            # what is kept was answered on a connection that stood.
            await asyncio.sleep(0)
        finally:
            self.held -= 1
        transport: Any = server.transport
        if transport is None or transport.is_closing():
            return "421 closing"
        self._last_kept[server] = self.letters.add(
            envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content or b""
        )
        if self._drops("answer"):
            _cut(server)
            await asyncio.sleep(0)
        return "250 OK, kept"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if server in self._last_kept:
            self.heard.add(self._last_kept[server])
        if self._drops("quit"):
            _cut(server)
        return "221 Bye"

    def _refuses(self, moment: Moment) -> str | None:
        refusal = self.refusal
        if refusal is None or refusal.at != moment:
            return None
        refusal.times = _one_less(refusal.times)
        if refusal.times == 0:
            self.refusal = None
        self.refused += 1
        return f"{refusal.code} Refused as told"

    def _drops(self, moment: str) -> bool:
        drop = self.dropping
        if drop is None or drop.at != moment:
            return False
        drop.times = _one_less(drop.times)
        if drop.times == 0:
            self.dropping = None
        self.dropped += 1
        return True


def _one_less(times: int | None) -> int | None:
    return None if times is None else times - 1


def _cut(server: SMTP) -> None:
    transport: Any = server.transport
    if transport is not None:
        transport.abort()
