"""The only place that changes the status of a key."""

from datetime import datetime
from typing import Any

from apikeys.models import ApiKey, Bot
from apikeys.status import LIVE, MOVES, KeyStatus

_STAMPS = {KeyStatus.READY: "ready_at", KeyStatus.ACTIVE: "activated_at"}


class LostRaceError(Exception):
    """Somebody else changed the key in between; what was about to be done no longer fits."""


def lock_bot(bot_pk: int) -> Bot:
    """Take the row lock under which every flow changes keys of the bot."""
    return Bot.objects.select_for_update(no_key=True).select_related(None).get(pk=bot_pk)


def move(key: ApiKey, to: KeyStatus, *, now: datetime, **fields: Any) -> None:
    """Change the status by compare-and-set, and the given fields with it. Leaving live wipes the secret.

    Raises ValueError for a move that the table does not know, LostRaceError when the row has moved on.
    """
    if to not in MOVES[KeyStatus(key.status)]:
        raise ValueError(f"A key cannot go from {key.status} to {to}.")
    changes: dict[str, Any] = {
        "status": to,
        "claim": None,
        "claimed_until": None,
        "check_due_at": None,
        **fields,
    }
    if to in _STAMPS:
        changes[_STAMPS[to]] = now
    if to not in LIVE:
        changes.update(sealed=None, seal_id="", ended_at=now)
    if not ApiKey.objects.filter(pk=key.pk, status=key.status).update(**changes):
        raise LostRaceError
    for name, value in changes.items():
        setattr(key, name, value)
