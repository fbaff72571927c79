"""A server that answers like one exchange does for a good key, and does nothing else.

`with QuickExchange("binance") as exchange:`, over TLS unless told otherwise. It looks at no signature: it is
here to cost little, and runs in a process of its own, so that only the caller's CPU is counted. Replies come
one by one after some milliseconds, as over a network; answered at once they would come in heaps, which costs
every caller less than it ever does outside.
"""

import asyncio
import atexit
import datetime
import ipaddress
import multiprocessing
import random
import ssl
import tempfile
from collections.abc import Mapping
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.rehearsal import rehearse

# The headers that a reply of an exchange behind a content network carries (these are Binance's).
HEADERS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\n"
    b"Date: Mon, 23 Nov 2026 12:00:00 GMT\r\nServer: nginx\r\n"
    b"x-mbx-uuid: 3a1b4b1e-2f4c-4d0e-9a55-0c1f7a8e6d21\r\nx-sapi-used-ip-weight-1m: 1\r\n"
    b"Strict-Transport-Security: max-age=31536000; includeSubdomains\r\nX-Frame-Options: SAMEORIGIN\r\n"
    b"X-Xss-Protection: 1; mode=block\r\nX-Content-Type-Options: nosniff\r\n"
    b"Content-Security-Policy: default-src 'self'\r\n"
    b"Cache-Control: no-cache, no-store, must-revalidate\r\nPragma: no-cache\r\nExpires: 0\r\n"
    b"X-Cache: Miss from cloudfront\r\nVia: 1.1 example.cloudfront.net (CloudFront)\r\n"
    b"X-Amz-Cf-Pop: FRA60-P1\r\n"
)
# Seconds until a reply, least and most.
AS_A_NETWORK = (0.02, 0.06)
AT_ONCE = (0.0, 0.0)
END = b"\r\n\r\n"


class QuickExchange:
    """`url` is known once it started; `certificate` is the file by which it is trusted."""

    def __init__(
        self, exchange: str, seconds: tuple[float, float] = AS_A_NETWORK, *, tls: bool = True
    ) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.certificate = _certificate()
        self._pipe, theirs = spawn.Pipe()
        certificate = str(self.certificate) if tls else None
        arguments = (theirs, _replies(exchange), seconds, certificate)
        self._scheme = "https" if tls else "http"
        self._process = spawn.Process(target=_serve, args=arguments, daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._process.start()
        self.url = f"{self._scheme}://127.0.0.1:{self._pipe.recv()}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join(10)


def _replies(exchange: str) -> dict[bytes, bytes]:
    """Whole replies by path."""
    return {
        each.path.encode(): HEADERS + b"Content-Length: %d\r\n\r\n%s" % (len(each.body), each.body)
        for each in rehearse(exchange)
    }


@cache
def _certificate() -> Path:
    """Certificate and private key in one file, for this machine and a day.

    One for all that a process starts: the client reads whom it trusts once.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    file = Path(folder.name) / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return file


class _Answer(asyncio.Protocol):
    def __init__(self, replies: Mapping[bytes, bytes], seconds: tuple[float, float]) -> None:
        self._replies = replies
        self._seconds = seconds
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while END in self._pending:
            head, _, rest = self._pending.partition(END)
            length = _content_length(head)
            if len(rest) < length:
                return
            self._pending = rest[length:]
            path = head.split(b" ", 2)[1].partition(b"?")[0]
            after = random.uniform(*self._seconds)  # noqa: S311 - no secret
            asyncio.get_running_loop().call_later(after, self._transport.write, self._replies[path])


def _content_length(head: bytes) -> int:
    _, _, found = head.lower().partition(b"content-length:")
    return int(found.split(b"\r\n", 1)[0] or 0)


def _serve(
    pipe: Connection,
    replies: Mapping[bytes, bytes],
    seconds: tuple[float, float],
    certificate: str | None,
) -> None:
    async def run() -> None:
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Answer(replies, seconds), "127.0.0.1", 0, ssl=context)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())
