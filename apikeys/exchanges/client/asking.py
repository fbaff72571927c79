"""Leads an adapter's conversation with its exchange: at the host that knows the key, by its clock."""

import asyncio
import logging
import time
from dataclasses import replace
from types import TracebackType
from typing import Self

from django.conf import settings

from apikeys import key_files
from apikeys.exchanges.adapter import Adapter, Call, Elsewhere, Own, Reply
from apikeys.exchanges.background import Background
from apikeys.exchanges.base import Credentials, KeyReport, Trouble, UnreadableReplyError
from apikeys.exchanges.client.sending import Answer, Sender
from apikeys.exchanges.client.signing import Signed, Signer
from apikeys.exchanges.pace import LONGEST_WAIT, OwnTurns, Pace, SharedTurns
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import RETRIED, FindingCode

logger = logging.getLogger(__name__)

# A person waits behind a check: some calls, each bounded by itself, and a short queue before them.
ASK_SECONDS = 25.0
# A further host has so long for an answer, once it is its turn: one that is away must not hold up the others.
LOOK_SECONDS = 4.0
TOO_MANY_STATUSES = frozenset({429, 418})
# How long nobody asks after "too many" without a word on when to come back.
PAUSE_UNTOLD = 2.0
# An exchange takes requests a few seconds old; half a second is what a machine with a time service never is.
CLOCK_ALARM_MS = 500.0

_UNAVAILABLE = Trouble(FindingCode.EXCHANGE_UNAVAILABLE)
_OUTAGE = Trouble(FindingCode.EXCHANGE_UNAVAILABLE, outage=True)
_UNPROVEN = Trouble(FindingCode.UNPROVEN_PERMISSION)


class Client:
    """One HTTP session and one signer for each exchange, used by one event loop.

    `async with Client() as client: await client.ask(…)`, or let `ask` keep the one of this process.
    ahead: how far ahead it may book turns; see `Pace`.
    """

    def __init__(self, *, ahead: float = LONGEST_WAIT) -> None:
        self._ahead = ahead
        self._signers: dict[str, Signer] = {}
        self._paces: dict[str, Pace] = {}
        self._turns = SharedTurns(settings.REDIS_URL) if settings.REDIS_URL else OwnTurns()
        self._sender: Sender | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._sender is not None:
            await self._sender.close()
        if isinstance(self._turns, SharedTurns):
            await self._turns.close()

    async def ask(self, exchange: str, credentials: Credentials, region: str = "") -> KeyReport | Trouble:
        """region: the code of the host at which the key was known before, where it was."""
        adapter = EXCHANGES[exchange]
        own = Own(credentials.api_key, key_files.kind_of(credentials.secret))
        # The usual host is the one that ccxt knows; it has the empty code.
        hosts = {"": ""} | {host.code: host.name for host in adapter.hosts}
        code = region if region in hosts else ""
        asking = _Asking(self, adapter, credentials, own)
        answer = await asking.converse(hosts[code])
        if isinstance(answer, Trouble):
            code, answer = await self._once_more(adapter, asking, hosts, code, answer)
        if isinstance(answer, Trouble):
            return replace(answer, outage=bool(answer.outage))
        return replace(answer, region=code) if code else answer

    async def _once_more(
        self, adapter: Adapter, asking: "_Asking", hosts: dict[str, str], code: str, trouble: Trouble
    ) -> tuple[str, KeyReport | Trouble]:
        """By the exchange's clock, where ours was wrong; in other regions, where the key is not known."""
        answer: KeyReport | Trouble = trouble
        if await self._was_the_clock(adapter, trouble):
            answer = await asking.converse(hosts[code])
        if isinstance(answer, Trouble) and answer.exchange_code in adapter.unknown_key_codes:
            others = {other: name for other, name in hosts.items() if other != code}
            return await asking.look_around(code, others, answer)
        return code, answer

    async def _was_the_clock(self, adapter: Adapter, trouble: Trouble) -> bool:
        """From now on signed by the exchange's own. What is unclear was about the clock if it was off."""
        if trouble.code is FindingCode.CLOCK:
            return await self.measure_clock(adapter.id) is not None
        if trouble.exchange_code not in adapter.unclear_codes:
            return False
        before = self.signer(adapter.id).clock_shift_ms
        ahead = await self.measure_clock(adapter.id)
        return ahead is not None and abs(ahead - before) >= CLOCK_ALARM_MS

    async def measure_clock(self, exchange: str) -> float | None:
        """Milliseconds that the exchange's clock is ahead of ours; None where it does not tell its time.

        From now on requests to it are signed by its clock.
        """
        adapter = EXCHANGES[exchange]
        if adapter.clock is None:
            return None
        signer = self.signer(exchange)
        if await self.turn(adapter, 1):
            return None
        began = time.time()
        answer = await self.deliver(adapter, signer.unsigned(adapter.clock.question))
        ended = time.time()
        if isinstance(answer, Trouble) or not 200 <= answer.status < 300:
            return None
        try:
            ahead = adapter.clock.read(answer.decoded()) - (began + ended) / 2 * 1000
        except UnreadableReplyError:
            return None
        if abs(ahead) >= CLOCK_ALARM_MS:
            logger.error("Our clock is %.0f ms away from that of %s", abs(ahead), exchange)
        signer.clock_shift_ms = ahead
        return ahead

    def signer(self, exchange: str) -> Signer:
        if exchange not in self._signers:
            self._signers[exchange] = Signer(exchange)
        return self._signers[exchange]

    async def turn(self, adapter: Adapter, turns: int) -> Trouble | None:
        """Wait for a turn; a Trouble where it is too far away. Sign afterwards, or the time is stale."""
        again = await self._pace(adapter).turn(turns) if turns else 0.0
        return replace(_UNAVAILABLE, retry_after=again) if again else None

    async def deliver(self, adapter: Adapter, signed: Signed, *, host: str = "") -> Answer | Trouble:
        """Send; a Trouble where there is no complete answer."""
        if self._sender is None:
            self._sender = Sender()
        base_url = settings.EXCHANGE_BASE_URLS.get(adapter.id, "")
        try:
            answer = await self._sender.send(signed, host=host, base_url=base_url)
        except Exception as error:  # whatever it is, its text and its frames hold the key
            logger.warning("No answer from %s: %s", adapter.id, type(error).__name__)
            return _OUTAGE
        if answer.status in TOO_MANY_STATUSES:
            await self._pace(adapter).pause(answer.retry_after or PAUSE_UNTOLD)
        if answer.body is None:
            return _UNAVAILABLE
        return _OUTAGE if 300 <= answer.status < 400 else answer

    def _pace(self, adapter: Adapter) -> Pace:
        if adapter.id not in self._paces:
            self._paces[adapter.id] = Pace(adapter.id, adapter.calls_per_second, self._turns, self._ahead)
        return self._paces[adapter.id]


class _Asking:
    """What is asked about one key, at one host or several."""

    def __init__(self, client: Client, adapter: Adapter, credentials: Credentials, own: Own) -> None:
        self._client = client
        self._adapter = adapter
        self._credentials = credentials
        self._own = own

    async def converse(self, host: str, seconds: float | None = None) -> KeyReport | Trouble:
        """seconds: within which each answer has to come; None: as for every call."""
        conversation = self._adapter.converse(self._own)
        answer: Answer | Trouble | None = None
        try:
            call = next(conversation)
            while True:
                if call not in self._adapter.calls:
                    raise RuntimeError(f"{self._adapter.id} does not name the call {call.path}.")
                answer = await self._answer(call, host, seconds)
                if isinstance(answer, Trouble):
                    return answer
                call = conversation.send(Reply(answer.status, answer.decoded()))
        except StopIteration as end:
            found: KeyReport | Trouble = end.value
        except UnreadableReplyError:
            return _UNPROVEN
        finally:
            conversation.close()
        if isinstance(found, Trouble) and isinstance(answer, Answer):
            outage = found.outage
            if outage is None:
                outage = answer.status >= 500 or answer.status in TOO_MANY_STATUSES
            return replace(found, retry_after=answer.retry_after, outage=outage)
        return found

    async def look_around(
        self, code: str, others: dict[str, str], unknown: Trouble
    ) -> tuple[str, KeyReport | Trouble]:
        """Whether another region knows the key; else whether it is of another site, or no live key.

        A report is the best answer, then a refusal by the exchange's own code. Whatever else comes from
        another host, an error page or nothing at all, leaves open whether the key is known there.
        """
        answers = await asyncio.gather(*(self.converse(name, LOOK_SECONDS) for name in others.values()))
        told = list(zip(others, answers, strict=True))
        for other, answer in told:
            if isinstance(answer, KeyReport):
                return other, answer
        for other, answer in told:
            if isinstance(answer, Trouble) and _says_of_the_key(answer) and not self._is_unknown(answer):
                return other, answer
        known = await asyncio.gather(*(self._is_known_at(at) for at in self._adapter.elsewhere))
        for place, is_known in zip(self._adapter.elsewhere, known, strict=True):
            if is_known:
                return code, replace(unknown, code=place.code, belongs_to=place.name)
        unheard = any(isinstance(answer, Trouble) and not _says_of_the_key(answer) for answer in answers)
        return code, replace(unknown, unheard=unheard)

    def _is_unknown(self, answer: Trouble) -> bool:
        return answer.exchange_code in self._adapter.unknown_key_codes

    async def _is_known_at(self, place: Elsewhere) -> bool:
        answer = await self._answer(place.question, place.host, LOOK_SECONDS)
        if isinstance(answer, Trouble) or not 200 <= answer.status < 300:
            return False
        decoded = answer.decoded()
        return decoded is not None and place.read_trouble(Reply(answer.status, decoded)) is None

    async def _answer(self, call: Call, host: str, seconds: float | None) -> Answer | Trouble:
        if not_now := await self._client.turn(self._adapter, call.turns):
            return not_now
        signed = self._client.signer(self._adapter.id).sign(call, self._credentials)
        if signed is None:
            return Trouble(FindingCode.MALFORMED)
        try:
            async with asyncio.timeout(seconds):
                return await self._client.deliver(self._adapter, signed, host=host)
        except TimeoutError:
            return _UNAVAILABLE


def _says_of_the_key(answer: Trouble) -> bool:
    """Whether a refusal carries a code of the exchange's own, and one that is about the key."""
    bare = not answer.exchange_code or answer.exchange_code.startswith("HTTP ")
    return not bare and answer.code not in RETRIED


_background = Background(Client)


def ask(exchange: str, credentials: Credentials, region: str = "") -> KeyReport | Trouble:
    """What `exchange`, an id of the registry, says about the key.

    Blocks for up to 25 seconds. Raises nothing for what the network or the exchange does: that is a Trouble.
    """
    future = _background.run(lambda client: client.ask(exchange, credentials, region))
    try:
        return future.result(ASK_SECONDS)
    except TimeoutError:
        return _OUTAGE
    finally:
        future.cancel()


async def ask_async(exchange: str, credentials: Credentials, region: str = "") -> KeyReport | Trouble:
    """The same for a caller with an event loop of its own; the call runs on this process's client."""
    return await asyncio.wrap_future(
        _background.run(lambda client: client.ask(exchange, credentials, region))
    )


def measure_clock(exchange: str) -> float | None:
    """Milliseconds that the exchange's clock is ahead of ours, measured now; None where nobody said."""
    future = _background.run(lambda client: client.measure_clock(exchange))
    try:
        return future.result(ASK_SECONDS)
    except TimeoutError:
        return None
    finally:
        future.cancel()
