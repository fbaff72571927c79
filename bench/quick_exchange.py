"""A server that answers every call as Binance does for a good key, and does nothing else.

`with QuickExchange() as exchange:`. It looks at no signature: it is here to cost little, and runs in a
process of its own, so that only the caller's CPU is counted. Replies come one by one after some milliseconds,
as over a network; answered at once they would come in heaps, which costs every caller less than it ever does
outside.
"""

import asyncio
import json
import multiprocessing
import random
from multiprocessing.connection import Connection
from typing import Self, cast

from tests.exchange_simulator.exchanges import EXCHANGES
from tests.exchange_simulator.model import Asked

_BINANCE = EXCHANGES["binance"]
_PERMISSIONS = _BINANCE.private["GET", "/sapi/v1/account/apiRestrictions"]
BODY = json.dumps(_PERMISSIONS(_BINANCE.fresh(0), Asked("GET", "", "", {}, {}, "", ""))).encode()
# The headers that a reply of Binance carries.
REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n"
    b"Date: Mon, 23 Nov 2026 12:00:00 GMT\r\nServer: nginx\r\n"
    b"x-mbx-uuid: 3a1b4b1e-2f4c-4d0e-9a55-0c1f7a8e6d21\r\nx-sapi-used-ip-weight-1m: 1\r\n"
    b"Strict-Transport-Security: max-age=31536000; includeSubdomains\r\nX-Frame-Options: SAMEORIGIN\r\n"
    b"X-Xss-Protection: 1; mode=block\r\nX-Content-Type-Options: nosniff\r\n"
    b"Content-Security-Policy: default-src 'self'\r\n"
    b"Cache-Control: no-cache, no-store, must-revalidate\r\nPragma: no-cache\r\nExpires: 0\r\n"
    b"X-Cache: Miss from cloudfront\r\nVia: 1.1 example.cloudfront.net (CloudFront)\r\n"
    b"X-Amz-Cf-Pop: FRA60-P1\r\n\r\n%s" % (len(BODY), BODY)
)
# Seconds until a reply, least and most.
AS_A_NETWORK = (0.02, 0.06)
AT_ONCE = (0.0, 0.0)
END = b"\r\n\r\n"


class QuickExchange:
    """`url` is known once it started."""

    def __init__(self, seconds: tuple[float, float] = AS_A_NETWORK) -> None:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        self._pipe = ours
        self._process = spawn.Process(target=_serve, args=(theirs, seconds), daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._process.start()
        self.url = f"http://127.0.0.1:{self._pipe.recv()}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join(10)


class _Answer(asyncio.Protocol):
    def __init__(self, seconds: tuple[float, float]) -> None:
        self._seconds = seconds
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *calls, self._pending = (self._pending + data).split(END)
        for _ in calls:
            after = random.uniform(*self._seconds)  # noqa: S311 - no secret
            asyncio.get_running_loop().call_later(after, self._transport.write, REPLY)


def _serve(pipe: Connection, seconds: tuple[float, float]) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Answer(seconds), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())
