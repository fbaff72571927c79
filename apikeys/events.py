"""Audit events about keys."""

from datetime import datetime

from accounts.audit_verbs import Verb
from accounts.models import AuditEvent
from apikeys.models import ApiKey


def about_key(verb: Verb, key: ApiKey, *, at: datetime, address: str | None = None) -> AuditEvent:
    """Something that the portal or the engine did to a key; not saved yet. Needs key, bot and customer."""
    return AuditEvent(
        at=at,
        verb=verb,
        actor_kind=AuditEvent.Actor.SYSTEM,
        customer_id=key.bot.customer_id,
        key_id=key.pk,
        bot_id=key.bot.bot_id,
        address=address,
        detail={"last_four": key.last_four},
    )
