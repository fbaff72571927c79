"""Works on one list of keys in use: asks their exchange about each, and writes down what came of it.

    lease ▶ (message with row ids) ▶ take up ▶ ask, many at a time ▶ unchanged: times only, many rows at once
                                                                   ▶ changed:   recheck.conclude, one by one
                                                                   ▶ not asked: given back

Taking a list up changes the claim on its rows, so whoever gets the same list again finds none, and whoever
died with one loses it when the claim ends. Plaintext is inside `ask_all` only.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import DateTimeField, UUIDField
from django.utils import timezone

from apikeys import vault
from apikeys.exchanges.base import SEALED, Credentials, KeyReport, Trouble
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import FindingCode
from apikeys.flows import breaker, recheck
from apikeys.flows.lease import release
from apikeys.models import ApiKey
from apikeys.status import KeyStatus
from telemetry import tallies
from telemetry.models import What
from telemetry.tallies import Counted

logger = logging.getLogger(__name__)

# Rows read at a time, and so many secrets, sealed, in memory for each list.
_READ_AT_ONCE = 250
# Whoever is told to come again does so after this long at least, and at most.
_SOONEST, _LATEST = timedelta(seconds=15), timedelta(hours=1)


class Answered(Protocol):
    @property
    def key(self) -> ApiKey: ...
    @property
    def answer(self) -> KeyReport | Trouble: ...
    @property
    def started_at(self) -> datetime: ...


class AskAll(Protocol):
    """`apikeys.exchanges.client.ask_all`."""

    def __call__(
        self,
        exchange: str,
        batches: Iterable[Sequence[ApiKey]],
        *,
        opened: Callable[[ApiKey], tuple[Credentials, str] | Trouble],
        heed: Callable[[KeyReport | Trouble], None],
        stopped: Callable[[], bool],
    ) -> Iterator[Sequence[Answered]]: ...


def sweep(
    exchange: str, claim: UUID, key_ids: Sequence[UUID], *, ask_all: AskAll, ending: threading.Event
) -> int:
    """Work on the keys of a list that still carry `claim`; give how many were asked about. Safe to run twice.

    ending: set when this process is to end. What is not asked about by then is given back.
    """
    work = _Work(exchange, key_ids, ending)
    if not work.take_up(claim):
        return 0
    try:
        work.carry_out(ask_all)
    finally:
        release(work.claim, due_at=work.resume_at)
        work.count()
    return work.asked


class _Work:
    """resume_at: when the keys that are left out are due; None: at once."""

    def __init__(self, exchange: str, key_ids: Sequence[UUID], ending: threading.Event) -> None:
        self.claim = uuid4()
        self.asked = 0
        self.resume_at: datetime | None = None
        self._exchange = exchange
        self._key_ids = key_ids
        self._ending = ending
        self._began = timezone.now()
        self._outages = 0  # in a row
        self._in_trouble = False
        self._results = Counter[str]()
        # Twice what the list takes at the exchange's pace, and renewed where others ask as well.
        lasts = timedelta(seconds=2 * len(key_ids) / EXCHANGES[exchange].keys_per_second)
        self._claim_lasts = settings.SWEEP_CLAIM + lasts
        self._claimed_until = timezone.now() + self._claim_lasts

    def take_up(self, claim: UUID) -> int:
        rows = ApiKey.objects.active().filter(pk__in=self._key_ids, claim=claim)
        return rows.update(claim=self.claim, claimed_until=self._claimed_until, leased=False)

    def carry_out(self, ask_all: AskAll) -> None:
        now = self._began
        if held_back := breaker.held_back(self._exchange, now):
            self._leave_the_rest(held_back, now)
            return
        if breaker.is_open(self._exchange):
            # Whoever is let through to see goes with one key, not with a windowful.
            self._ask(ask_all, self._key_ids[:1])
        self._ask(ask_all, self._key_ids)
        if self._in_trouble and self.resume_at is None:
            self._leave_the_rest(None, timezone.now())

    def count(self) -> None:
        """For the figures, once a list."""
        tallies.count(*(Counted(What.CHECK, self._exchange, *result) for result in self._results.items()))

    def _ask(self, ask_all: AskAll, key_ids: Sequence[UUID]) -> None:
        if self._is_stopped():
            return
        batches = self._batches(key_ids)
        for answers in ask_all(
            self._exchange, batches, opened=_opened, heed=self._heed, stopped=self._is_stopped
        ):
            self.asked += len(answers)
            self._record(answers)

    def _is_stopped(self) -> bool:
        return self._ending.is_set() or self._in_trouble or self.resume_at is not None

    def _heed(self, answer: KeyReport | Trouble) -> None:
        """What is written down comes too late to keep a windowful from an exchange that is away."""
        if isinstance(answer, Trouble) and answer.outage:
            self._outages += 1
        elif not _says_nothing(answer):
            self._outages = 0
        if self._outages >= breaker.OPENS_AFTER or _is_told_to_come_again(answer):
            self._in_trouble = True

    def _batches(self, key_ids: Sequence[UUID]) -> Iterator[Sequence[ApiKey]]:
        rows = ApiKey.objects.active().filter(claim=self.claim).select_related("bot")
        for first in range(0, len(key_ids), _READ_AT_ONCE):
            yield list(rows.filter(pk__in=key_ids[first : first + _READ_AT_ONCE]))

    def _record(self, answers: Sequence[Answered]) -> None:
        now = timezone.now()
        unchanged: list[ApiKey] = []
        for item in answers:
            if _is_told_to_come_again(item.answer):
                self._leave_the_rest(item.answer, now)
                result = "come again"
            elif recheck.is_unchanged(item.key, item.answer, now):
                unchanged.append(item.key)
                result = "unchanged"
            else:
                _conclude(item, now)
                result = "changed"
            self._results["unopened" if _is_sealed(item.answer) else result] += 1
        _move_times(unchanged, self.claim, now)
        self._heed_outages([item.answer for item in answers], now)
        if self._claimed_until - now < self._claim_lasts / 2:
            self._claimed_until = now + self._claim_lasts
            ApiKey.objects.active().filter(claim=self.claim).update(claimed_until=self._claimed_until)

    def _heed_outages(self, answers: Sequence[KeyReport | Trouble], now: datetime) -> None:
        was_outage, were_outages = None, False
        for answer in answers:
            is_outage = isinstance(answer, Trouble) and bool(answer.outage)
            if is_outage or (is_outage != was_outage and not _says_nothing(answer)):
                # Answers in a row end an outage once; each statement saved is a thousandth of a second.
                breaker.record(self._exchange, answer, now, began=self._began)
                was_outage, were_outages = is_outage, were_outages or is_outage
        if were_outages and (held_back := breaker.held_back(self._exchange, now)):
            self._leave_the_rest(held_back, now)

    def _leave_the_rest(self, told: KeyReport | Trouble | None, now: datetime) -> None:
        seconds = (isinstance(told, Trouble) and told.retry_after) or 0.0
        again = now + min(max(timedelta(seconds=seconds), _SOONEST), _LATEST)
        self.resume_at = max(again, self.resume_at or again)


def _opened(key: ApiKey) -> tuple[Credentials, str] | Trouble:
    bot = key.bot
    try:
        credentials = vault.open_sealed(
            bytes(key.sealed or b""), key.seal_id, key_id=key.pk, bot_id=bot.bot_id, exchange=bot.exchange
        )
    except vault.SealError as error:
        logger.error("Key %s cannot be checked: %s", key.pk, error)
        return Trouble(FindingCode.EXCHANGE_UNAVAILABLE, exchange_code=SEALED)
    return credentials, key.region


def _is_sealed(answer: KeyReport | Trouble) -> bool:
    return isinstance(answer, Trouble) and answer.exchange_code == SEALED


def _says_nothing(answer: KeyReport | Trouble) -> bool:
    return isinstance(answer, Trouble) and answer.code is FindingCode.EXCHANGE_UNAVAILABLE


def _is_told_to_come_again(answer: KeyReport | Trouble) -> bool:
    """By the exchange, or by the pace that is kept towards it."""
    return isinstance(answer, Trouble) and _says_nothing(answer) and answer.retry_after is not None


def _conclude(item: Answered, now: datetime) -> None:
    try:
        recheck.conclude(item.key, item.answer, started_at=item.started_at, now=now)
    except DatabaseError:
        raise  # of all keys, not of this one
    except Exception as error:
        # A fault of ours that one key brings about must not keep the others of its list from being checked.
        logger.error("Key %s: its check cannot be concluded: %s", item.key.pk, type(error).__name__)
        later = now + settings.RECHECK_PAUSES[-1]
        mine = ApiKey.objects.active().filter(pk=item.key.pk, claim=item.key.claim)
        mine.update(check_due_at=later, claim=None, claimed_until=None)


def _move_times(keys: Sequence[ApiKey], claim: UUID, now: datetime) -> None:
    """Of keys about which nothing changed: when they were checked and when they are due. One statement for
    all, since one for each costs more than asking the exchange. Keys that were replaced meanwhile stay as
    they are.
    """
    if not keys:
        return
    # As each database writes them.
    as_id, as_time = UUIDField().get_db_prep_value, DateTimeField().get_db_prep_value
    moved = [(as_id(key.pk, connection), as_time(recheck.next_due(key, now), connection)) for key in keys]
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVE_TIMES.format(values=", ".join(["(%s, %s)"] * len(moved))),
            [
                as_time(now, connection),
                *chain.from_iterable(moved),
                as_id(claim, connection),
                KeyStatus.ACTIVE.value,
            ],
        )


# PostgreSQL and SQLite both call the columns of VALUES so.
_MOVE_TIMES = """
    UPDATE apikeys_apikey
    SET checked_at = %s, check_due_at = moved.column2, claim = NULL, claimed_until = NULL
    FROM (VALUES {values}) AS moved
    WHERE apikeys_apikey.id = moved.column1 AND claim = %s AND status = %s
"""
