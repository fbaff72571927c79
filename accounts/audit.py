"""Writing down what happened, in the transaction in which it happened."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit_verbs import Verb
from accounts.models import AuditEvent, User


def record(
    verb: Verb,
    *,
    customer: User | None,
    actor: User | None = None,
    address: str | None = None,
    key_id: UUID | None = None,
    bot_id: str = "",
    **detail: str,
) -> None:
    """Add one event. No actor means that the portal itself acted. Never pass a secret or a code."""
    record_many(
        [
            AuditEvent(
                at=timezone.now(),
                verb=verb,
                actor_kind=kind_of(actor),
                actor=actor,
                customer=customer,
                address=address,
                key_id=key_id,
                bot_id=bot_id,
                detail=detail,
            )
        ]
    )


def record_many(events: Sequence[AuditEvent]) -> None:
    """Add events that belong to one act."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An event belongs into the transaction of what it tells.")
    AuditEvent.objects.bulk_create(events)


def sentence(event: AuditEvent) -> str:
    """What happened, in the customer's words."""
    words: dict[str, Any] = {"bot": event.bot_id.rsplit(" / ", 1)[-1], "key": "", "then": "", **event.detail}
    if "last_four" in event.detail:
        words["key"] = f"…{event.detail['last_four']}"
    return str(Verb(event.verb).label).format(**words)


def by(event: AuditEvent) -> str:
    """Who did it, as seen by the customer whose history it is."""
    if event.actor_kind == AuditEvent.Actor.SYSTEM:
        return f"Somebody at {event.address}" if event.address else "Sequence"
    if event.actor_id != event.customer_id:
        return "Sequence support"
    return f"You, {event.address}" if event.address else "You"


def kind_of(actor: User | None) -> AuditEvent.Actor:
    """No actor: the portal itself."""
    if actor is None:
        return AuditEvent.Actor.SYSTEM
    return AuditEvent.Actor.CUSTOMER if actor.is_customer else AuditEvent.Actor.STAFF
