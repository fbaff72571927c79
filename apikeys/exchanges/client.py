"""Asks an exchange about a key. ccxt signs, this client sends; nothing else imports either library.

Nothing that a request or an exception carries leaves this module: addresses, headers and messages hold keys
and signatures. What comes out is a KeyReport, or a Trouble with the exchange's own error code.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import ccxt
import yarl
from django.conf import settings

from apikeys.exchanges.background import Background
from apikeys.exchanges.base import Adapter, Call, Credentials, KeyReport, Trouble, UnreadableReplyError
from apikeys.exchanges.pace import Pace
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import FindingCode

logger = logging.getLogger(__name__)

CALL_SECONDS = 10.0
# A person waits behind a check: the call itself, and a short queue before it.
ASK_SECONDS = 12.0
# A reply about one key is a few kilobytes.
REPLY_BYTES = 256 * 1024
# Open connections; a sweep keeps about 200 requests in flight.
CONNECTIONS = 256
TOO_MANY_STATUSES = frozenset({429, 418})

_UNAVAILABLE = Trouble(FindingCode.EXCHANGE_UNAVAILABLE)
_UNPROVEN = Trouble(FindingCode.UNPROVEN_PERMISSION)


class Client:
    """One HTTP session and one signer for each exchange, used by one event loop.

    `async with Client() as client: await client.ask(…)`, or let `ask` keep the one of this process.
    """

    def __init__(self) -> None:
        self._signers: dict[str, _Signer] = {}
        self._paces: dict[str, Pace] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, exchange: str, credentials: Credentials) -> KeyReport | Trouble:
        adapter = EXCHANGES[exchange]
        pace = self._pace(exchange)
        paused = pace.paused_for()
        if paused:
            return replace(_UNAVAILABLE, retry_after=paused)
        await pace.turn()
        signed = self._signer(exchange).sign(adapter.question, credentials)
        if signed is None:
            return Trouble(FindingCode.MALFORMED)
        try:
            reply = await self._send(signed, settings.EXCHANGE_BASE_URLS.get(exchange))
        except Exception as error:  # whatever it is, its text and its frames hold the key
            logger.warning("No answer from %s: %s", exchange, type(error).__name__)
            return _UNAVAILABLE
        if reply.status in TOO_MANY_STATUSES and reply.retry_after:
            pace.pause(reply.retry_after)
        return _read(adapter, reply)

    def _pace(self, exchange: str) -> Pace:
        if exchange not in self._paces:
            self._paces[exchange] = Pace(exchange)
        return self._paces[exchange]

    def _signer(self, exchange: str) -> "_Signer":
        if exchange not in self._signers:
            self._signers[exchange] = _Signer(exchange)
        return self._signers[exchange]

    async def _send(self, signed: "_Signed", base_url: str | None) -> "_Reply":
        if self._session is None:
            self._session = _open_session()
        url = _at(base_url, signed.url) if base_url else signed.url
        async with self._session.request(
            signed.method,
            yarl.URL(url, encoded=True),
            headers=signed.headers,
            data=signed.body,
            allow_redirects=False,
        ) as response:
            return _Reply(
                response.status, await _limited(response), _seconds(response.headers.get("Retry-After"))
            )


@dataclass(frozen=True, slots=True)
class _Signed:
    url: str = field(repr=False)
    method: str
    headers: Mapping[str, str] = field(repr=False)
    body: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes | None = field(repr=False)  # None: longer than we read
    retry_after: float | None


class _Signer:
    """The ccxt class of one exchange, used for its `sign` alone, which is pure and opens nothing.

    The instance is shared by all customers. Credentials are on it only inside `sign`, which never awaits:
    with an await in between, one customer's request would go out under another one's key.
    """

    def __init__(self, exchange: str) -> None:
        self._ccxt = getattr(ccxt, exchange)({"enableRateLimit": False})

    def sign(self, call: Call, credentials: Credentials) -> _Signed | None:
        """None where these credentials cannot be signed with or sent."""
        try:
            self._ccxt.apiKey = credentials.api_key
            self._ccxt.secret = credentials.secret
            self._ccxt.password = credentials.passphrase
            signed = self._ccxt.sign(call.path, list(call.api), call.method, {})
        except Exception:  # ccxt lets errors of many libraries through, and they quote the value
            return None
        finally:
            self._ccxt.apiKey = self._ccxt.secret = self._ccxt.password = ""
        headers = signed["headers"] or {}
        if not all(_is_sendable(value) for value in (signed["url"], *headers.values())):
            return None
        return _Signed(signed["url"], signed["method"], headers, signed["body"])


def _is_sendable(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=ssl.create_default_context()),
        # A jar would send one customer's cookie along with the next customer's call.
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
        auto_decompress=True,
        headers={"User-Agent": "sequence-portal"},
    )


def _at(base_url: str, url: str) -> str:
    """`url` at the scheme, host and port of `base_url`. Done after signing, which may cover the host."""
    base = urlsplit(base_url)
    _, _, _, path_and_query = url.split("/", 3)
    return f"{base.scheme}://{base.netloc}/{path_and_query}"


async def _limited(response: aiohttp.ClientResponse) -> bytes | None:
    body = b""
    while chunk := await response.content.readany():
        body += chunk
        if len(body) > REPLY_BYTES:
            response.close()
            return None
    return body


def _seconds(retry_after: str | None) -> float | None:
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return float(retry_after[:6])


def _read(adapter: Adapter, reply: _Reply) -> KeyReport | Trouble:
    if reply.body is None or 300 <= reply.status < 400:
        return _UNAVAILABLE
    try:
        decoded = _JSON.decode(reply.body.decode())
    except (ValueError, RecursionError):
        decoded = None
    trouble = adapter.read_trouble(reply.status, decoded)
    if trouble is not None:
        return replace(trouble, retry_after=reply.retry_after)
    try:
        return adapter.read_report(decoded)
    except UnreadableReplyError:
        return _UNPROVEN


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A reply that says two things about one right says nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


# Made once: with a hook, `json.loads` would make a decoder for every call.
_JSON = json.JSONDecoder(object_pairs_hook=_without_doubles)

_background = Background(Client)


def ask(exchange: str, credentials: Credentials) -> KeyReport | Trouble:
    """What `exchange`, an id of the registry, says about the key.

    Blocks for up to 12 seconds. Raises nothing for what the network or the exchange does: that is a Trouble.
    """
    future = _background.run(lambda client: client.ask(exchange, credentials))
    try:
        return future.result(ASK_SECONDS)
    except TimeoutError:
        return _UNAVAILABLE
    finally:
        future.cancel()


async def ask_async(exchange: str, credentials: Credentials) -> KeyReport | Trouble:
    """The same for a caller with an event loop of its own; the call runs on this process's client."""
    return await asyncio.wrap_future(_background.run(lambda client: client.ask(exchange, credentials)))
