"""A small name server on loopback that answers questions for mail exchangers over UDP, as told."""

import socket
import threading
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class NameServer:
    """zones: domain to its exchangers; an empty list is a domain without any. Other domains do not exist.

    `mute` makes it say nothing, `failing` makes it answer SERVFAIL.
    """

    def __init__(self, zones: dict[str, list[str]]) -> None:
        self.zones = zones
        self.mute = self.failing = False
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._socket.getsockname()
        return host, port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.sendto(b"", self.address)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            packet, client = self._socket.recvfrom(4096)
            if not packet:
                return
            question = dns.message.from_wire(packet)
            name = question.question[0].name.to_text(omit_final_dot=True)
            self.asked.append(name)
            if not self.mute:
                self._socket.sendto(self._answer(question, name).to_wire(), client)

    def _answer(self, question: dns.message.Message, name: str) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        exchangers = self.zones.get(name)
        if self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif exchangers is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif exchangers:
            texts = [f"{10 * (place + 1)} {host}" for place, host in enumerate(exchangers)]
            answer.answer.append(dns.rrset.from_text_list(f"{name}.", 300, "IN", "MX", texts))
        return answer
