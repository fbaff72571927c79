"""What is offered to the engine and what it answers.

Locks are taken in one order everywhere: bots by id, then hand-overs by number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from apikeys import transitions
from apikeys.events import about_key
from apikeys.flows import activate, reject
from apikeys.models import Handover
from apikeys.status import KeyStatus

PAGE = 500
_KEY, _REVOCATION = Handover.Kind.KEY, Handover.Kind.REVOCATION


class State(StrEnum):
    """What the engine is told about a hand-over that it settles."""

    ACKED = "acked"
    REJECTED = "rejected"
    REVOKED = "revoked"  # the key has ended: drop it
    UNKNOWN = "unknown"


class NotAKeyError(Exception):
    """A revocation was rejected: the end of a key cannot be."""


@dataclass(frozen=True, slots=True)
class Ack:
    handover_id: UUID
    taken_over_at: datetime  # by the engine's own clock


@dataclass(frozen=True, slots=True)
class Page:
    handovers: list[Handover]
    next_after: int | None  # where the next page begins, if there may be one


def fetch(*, after: int, address: str) -> Page:
    """The oldest pending hand-overs behind the given number, at most a page of them."""
    pending = Handover.objects.pending().filter(number__gt=after).with_key().order_by("number")
    page = list(pending[:PAGE])
    next_after = page[-1].number if len(page) == PAGE else None
    return Page(_fetched(page, address=address), next_after)


def current(bot_id: str, *, address: str) -> Handover | None:
    """The hand-over of the key that a bot trades with, or of the one it waits for where it has none."""
    offered = Handover.objects.filter(kind=_KEY, key__bot__bot_id__iexact=bot_id, envelope__isnull=False)
    of_status = {handover.key.status: handover for handover in offered.with_key()}
    found = of_status.get(KeyStatus.ACTIVE) or of_status.get(KeyStatus.READY)
    return next(iter(_fetched([found], address=address)), None) if found else None


def _fetched(page: list[Handover], *, address: str) -> list[Handover]:
    """What of the page may be given out, with first fetches written down.

    Each is locked meanwhile, so that a revocation in the same moment either withdraws it before, or knows
    that the engine has it. What somebody else has locked is being settled, ended or fetched: it is left for
    the next fetch. So this waits for nobody, which those who lock in other orders rely on.
    """
    fresh = [handover.pk for handover in page if handover.fetched_at is None]
    if not fresh:
        return page
    with transaction.atomic():
        now = timezone.now()
        mine = Handover.objects.pending().filter(pk__in=fresh)
        seen_at = dict(mine.select_for_update(skip_locked=True, no_key=True).values_list("pk", "fetched_at"))
        first = [handover for handover in page if handover.pk in seen_at and seen_at[handover.pk] is None]
        Handover.objects.filter(pk__in=[handover.pk for handover in first]).update(fetched_at=now)
        audit.record_many(
            [
                about_key(
                    Verb.KEY_FETCHED if handover.kind == _KEY else Verb.REVOCATION_FETCHED,
                    handover.key,
                    at=now,
                    address=address,
                )
                for handover in first
            ]
        )
    return [handover for handover in page if handover.fetched_at is not None or handover.pk in seen_at]


@transaction.atomic
def ack(acks: Sequence[Ack], *, address: str) -> dict[UUID, State]:
    """The engine has taken over keys, or dropped revoked ones. Repetitions change nothing.

    A key that has ended meanwhile is answered with that, whatever the engine says.
    """
    now = timezone.now()
    times = {each.handover_id: each.taken_over_at for each in acks}
    rows = _locked(list(times))
    settled = [handover for handover in rows if handover.settled_at is None]
    for handover in settled:
        handover.settled_at, handover.outcome = now, Handover.Outcome.ACKED
        handover.engine_time = times[handover.id]
    _write_down_acks(settled, now)
    audit.record_many(
        [
            about_key(
                Verb.KEY_TAKEN_OVER if handover.kind == _KEY else Verb.REVOCATION_ACKED,
                handover.key,
                at=now,
                address=address,
            )
            for handover in settled
        ]
    )
    activate.take_over([handover.key for handover in settled if handover.kind == _KEY], now=now)
    found = {handover.id: _state(handover) for handover in rows}
    return {handover_id: found.get(handover_id, State.UNKNOWN) for handover_id in times}


@transaction.atomic
def reject_key(handover_id: UUID, *, reason: str, address: str) -> State:
    """The engine cannot use a key: it is revoked and wiped, and the customer keeps the old one.

    Raises NotAKeyError for a revocation.
    """
    handover = next(iter(_locked([handover_id])), None)
    if handover is None:
        return State.UNKNOWN
    if handover.kind != _KEY:
        raise NotAKeyError
    if handover.settled_at is None:
        now = timezone.now()
        handover.settled_at, handover.outcome, handover.reason = now, Handover.Outcome.REJECTED, reason
        handover.save(update_fields=["settled_at", "outcome", "reason"])
        reject.reject(handover.key, now=now, address=address)
    return _state(handover)


def _write_down_acks(acked: Sequence[Handover], now: datetime) -> None:
    """One statement for each time of the engine's: mostly there is one for the whole page."""
    of_time: dict[datetime | None, list[int]] = {}
    for handover in acked:
        of_time.setdefault(handover.engine_time, []).append(handover.pk)
    for engine_time, pks in of_time.items():
        Handover.objects.filter(pk__in=pks).update(
            settled_at=now, outcome=Handover.Outcome.ACKED, engine_time=engine_time
        )


def _locked(handover_ids: Sequence[UUID]) -> list[Handover]:
    transitions.lock_bots(Handover.objects.filter(id__in=handover_ids).values_list("key__bot_id", flat=True))
    wanted = Handover.objects.filter(id__in=handover_ids).with_key().defer("envelope")
    return list(wanted.select_for_update(of=("self",), no_key=True).order_by("number"))


def _state(handover: Handover) -> State:
    if handover.outcome == Handover.Outcome.REJECTED:
        return State.REJECTED
    if handover.kind == _KEY and handover.key.status == KeyStatus.REVOKED:
        return State.REVOKED
    return State.ACKED
