"""The only place that changes the status of a key."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Subquery

from apikeys.models import ApiKey, Bot, Handover
from apikeys.status import LIVE, MOVES, KeyStatus

_STAMPS = {KeyStatus.READY: "ready_at", KeyStatus.ACTIVE: "activated_at"}


class LostRaceError(Exception):
    """Somebody else changed the key in between; what was about to be done no longer fits."""


def lock_bot(bot_pk: int) -> Bot:
    """Take the row lock under which every flow changes keys of the bot."""
    return Bot.objects.select_for_update(no_key=True).select_related(None).get(pk=bot_pk)


def lock_bots(bot_pks: Iterable[int]) -> None:
    """The same for several, in one order against deadlocks."""
    wanted = Bot.objects.select_for_update(no_key=True).filter(pk__in=bot_pks).order_by("pk")
    list(wanted.values_list("pk"))


def move(key: ApiKey, to: KeyStatus, *, now: datetime, **fields: Any) -> None:
    """Change the status by compare-and-set, and the given fields with it. Leaving live wipes the secret.

    Raises ValueError for a move that the table does not know, LostRaceError when the row has moved on.
    """
    move_many([key], to, now=now, **fields)


def move_many(
    keys: Sequence[ApiKey],
    to: KeyStatus,
    *,
    now: datetime,
    computed: Mapping[str, Subquery] | None = None,
    **fields: Any,
) -> None:
    """The same for several keys of one status: all of them move, or LostRaceError is raised.

    computed: fields that the database works out for each row; `keys` do not get them.
    """
    if not keys:
        return
    (status,) = {key.status for key in keys}
    if to not in MOVES[KeyStatus(status)]:
        raise ValueError(f"A key cannot go from {status} to {to}.")
    changes: dict[str, Any] = {
        "status": to,
        "claim": None,
        "claimed_until": None,
        "check_due_at": None,
        "held": False,
        **fields,
    }
    if to in _STAMPS:
        changes[_STAMPS[to]] = now
    if to not in LIVE:
        changes.update(sealed=None, seal_id="", ended_at=now)
    rows = ApiKey.objects.filter(pk__in=[key.pk for key in keys], status=status)
    if rows.update(**changes, **(computed or {})) != len(keys):
        raise LostRaceError
    if to not in LIVE:
        Handover.objects.filter(key__in=keys, envelope__isnull=False).update(envelope=None)
    for key in keys:
        for name, value in changes.items():
            setattr(key, name, value)
