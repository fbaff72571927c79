"""Ends active keys that kept a right to move money until the day that their customers were told."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apikeys import transitions
from apikeys.flows.revoke import revoke
from apikeys.flows.tell_active import tell_disconnected
from apikeys.models import ApiKey

_AT_ONCE = 500


def revoke_overdue(now: datetime) -> int:
    """Safe to run at any time and twice at once; says how many it ended."""
    overdue = ApiKey.objects.to_revoke(now).order_by("revoke_at").values_list("pk", "bot_id")
    return sum(_revoke(pk, bot_pk, now) for pk, bot_pk in overdue[:_AT_ONCE])


@transaction.atomic
def _revoke(pk: UUID, bot_pk: int, now: datetime) -> bool:
    transitions.lock_bot(bot_pk)
    # Found in order, replaced or ended in this very moment: then there is nothing to end.
    key = ApiKey.objects.to_revoke(now).select_related("bot__customer").defer("sealed").filter(pk=pk).first()
    if key is None:
        return False
    revoke(key=key, actor=None, address=None, now=now)
    tell_disconnected(key)
    return True
