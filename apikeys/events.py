"""Audit events about keys."""

from datetime import datetime

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import AuditEvent, User
from apikeys.models import ApiKey


def about_key(
    verb: Verb,
    key: ApiKey,
    *,
    at: datetime,
    address: str | None = None,
    actor: User | None = None,
    **detail: str,
) -> AuditEvent:
    """Something that was done to a key, without an actor by the portal or the engine; not saved yet.

    Needs key, bot and customer.
    """
    return AuditEvent(
        at=at,
        verb=verb,
        actor_kind=audit.kind_of(actor),
        actor=actor,
        customer_id=key.bot.customer_id,
        key_id=key.pk,
        bot_id=key.bot.bot_id,
        address=address,
        detail={"last_four": key.last_four, **detail},
    )
