"""A browser reduced to what the figures need: cookies, forms with their token, the bytes of each answer."""

import gzip
import http.client
import io
import re
import socket
from dataclasses import dataclass
from email.message import Message
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

import brotli  # type: ignore[import-untyped]

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_DECODERS = {"gzip": gzip.decompress, "br": brotli.decompress}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Message
    text: str
    wire_bytes: int  # as received: status line, headers, and the body as it was encoded


class _Received:
    """What `http.client` wants of a socket, over bytes that are here already."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._received)


class Browser:
    """Follows no redirect, so that each answer is seen; a connection for each request."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._host = parts.netloc
        self._cookies: dict[str, str] = {}
        self._token = ""
        self.address = ""  # where the portal shall think that it is, for one that trusts a proxy

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, {}, b"")

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form of the page that was opened last."""
        body = urlencode({"csrfmiddlewaretoken": self._token, **fields}).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
            "Origin": f"http://{self._host}",
        }
        return self._ask("POST", path, headers, body)

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        headers = headers | {
            "Host": self._host,
            "Accept-Encoding": "gzip, deflate, br, zstd",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "Connection": "close",
            "X-Forwarded-For": self.address,
        }
        told = (f"{name}: {value}" for name, value in headers.items() if value)
        head = "\r\n".join((f"{method} {path} HTTP/1.1", *told, "", ""))
        with socket.create_connection(self._address, timeout=60) as connection:
            connection.sendall(head.encode() + body)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        return self._read(received)

    def _read(self, received: bytes) -> Answer:
        reply = http.client.HTTPResponse(_Received(received))  # type: ignore[arg-type]
        reply.begin()
        for line in reply.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self._cookies[name] = morsel.value
        content = reply.read()
        decode = _DECODERS.get(reply.headers.get("Content-Encoding", ""))
        text = (decode(content) if decode else content).decode()
        if token := _TOKEN.search(text):
            self._token = token[1]
        return Answer(reply.status, reply.headers, text, len(received))
