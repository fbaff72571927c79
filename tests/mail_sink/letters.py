"""What the sink accepted. Safe to read from any thread."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(frozen=True, slots=True)
class Letter:
    """One accepted mail: numbered from 1 in the order of acceptance, envelope and parsed message."""

    number: int
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"] or "").strip()

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")

    def _body(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""

    def as_json(self) -> dict[str, object]:
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "from": self.sender,
            "to": list(self.recipients),
            "subject": self.subject,
            "message_id": self.message_id,
            "headers": {name: str(value) for name, value in self.message.items()},
            "text": self.text,
            "html": self.html,
        }


class Letters:
    """The accepted mail, in order."""

    def __init__(self) -> None:
        self._all: list[Letter] = []
        self._changed = threading.Condition()

    def add(self, sender: str, recipients: list[str], content: bytes) -> int:
        """Gives the letter's number."""
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        with self._changed:
            number = self._all[-1].number + 1 if self._all else 1
            self._all.append(Letter(number, datetime.now(UTC), sender, tuple(recipients), message))
            self._changed.notify_all()
        return number

    def all(self) -> list[Letter]:
        with self._changed:
            return list(self._all)

    def get(self, number: int) -> Letter | None:
        return next((letter for letter in self.all() if letter.number == number), None)

    def clear(self) -> None:
        with self._changed:
            self._all.clear()

    def distinct(self) -> int:
        """How many different Message-IDs were accepted: a mail sent twice under one counts once."""
        return len({letter.message_id for letter in self.all()})

    def wait_for(self, wanted: Callable[[Letter], bool], timeout: float) -> Letter:
        """The first wanted letter; AssertionError naming what came instead after `timeout` seconds."""
        ends = time.monotonic() + timeout
        with self._changed:
            while True:
                for letter in self._all:
                    if wanted(letter):
                        return letter
                if not self._changed.wait(ends - time.monotonic()):
                    came = [f"{letter.subject!r} to {letter.recipients}" for letter in self._all]
                    raise AssertionError(f"No such mail within {timeout} s; there came: {came}")
