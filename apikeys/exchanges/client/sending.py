"""Sends one signed request: no redirects, no cookies, bounded in time and size."""

import json
import ssl
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import yarl

from apikeys.exchanges.client.deadlines import Deadlines
from apikeys.exchanges.client.signing import Signed

CALL_SECONDS = 10.0
# A reply about one key is a few kilobytes.
REPLY_BYTES = 256 * 1024
# Open connections; a sweep keeps about 200 requests in flight.
CONNECTIONS = 256


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes | None = field(repr=False)  # None: longer than we read
    retry_after: float | None = None

    def decoded(self) -> Any:
        """None where the body is no JSON, or says two things of one name."""
        try:
            return _JSON.decode((self.body or b"").decode())
        except (ValueError, RecursionError):
            return None


@cache
def _trusted() -> ssl.SSLContext:
    """Whom this machine trusts. Read once: it takes 30 milliseconds."""
    return ssl.create_default_context()


class Sender:
    """Open connections to every exchange, used by one event loop."""

    def __init__(self) -> None:
        self._deadlines = Deadlines(CALL_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=_trusted()),
            # A jar would send one customer's cookie along with the next customer's call.
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # a call has its deadline
            auto_decompress=True,
            headers={"User-Agent": "sequence-portal"},
        )

    async def close(self) -> None:
        self._deadlines.close()
        await self._session.close()

    async def send(self, signed: Signed, *, host: str = "", base_url: str = "") -> Answer:
        """Raises whatever aiohttp raises: its text and its frames hold the key.

        host: another host of the same exchange than the one that ccxt wrote. base_url: where to send it
        instead; what host was meant is then told by the header X-Forwarded-Host. Both are put in after
        signing, since a signature may cover the host.
        """
        url, headers = signed.url, signed.headers
        if host:
            url = at(f"https://{host}", url)
        if base_url:
            headers = {**headers, "X-Forwarded-Host": url.split("/", 3)[2]}
            url = at(base_url, url)
        target = yarl.URL(url, encoded=True)
        with self._deadlines.begin():
            async with self._session.request(
                signed.method, target, headers=headers, data=signed.body, allow_redirects=False
            ) as response:
                return Answer(
                    response.status, await _limited(response), _seconds(response.headers.get("Retry-After"))
                )


def at(base_url: str, url: str) -> str:
    """`url` at the scheme, host and port of `base_url`, path and query unchanged."""
    base = urlsplit(base_url)
    _, _, _, path_and_query = url.split("/", 3)
    return f"{base.scheme}://{base.netloc}/{path_and_query}"


async def _limited(response: aiohttp.ClientResponse) -> bytes | None:
    """None: too long. Read piece by piece, since a reply may be longer than it says, or unpack to more."""
    body = b""
    while not response.content.at_eof():
        body += await response.content.readany()
        if len(body) > REPLY_BYTES:
            response.close()
            return None
    return body


def _seconds(retry_after: str | None) -> float | None:
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return float(retry_after[:6])


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A reply that says two things about one right says nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


# Made once: with a hook, `json.loads` would make a decoder for every call.
_JSON = json.JSONDecoder(object_pairs_hook=_without_doubles)
