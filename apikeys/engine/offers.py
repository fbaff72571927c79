"""Puts hand-overs where the engine finds them, and takes them back. Within the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime

from accounts import audit
from accounts.audit_verbs import Verb
from apikeys.events import about_key
from apikeys.models import ApiKey, Handover
from apikeys.vault import Sealed


def offer(key: ApiKey, envelope: Sealed, *, now: datetime) -> None:
    """A proved key, sealed to the engine. Under the lock of the bot."""
    Handover.objects.create(
        kind=Handover.Kind.KEY,
        key=key,
        envelope=envelope.ciphertext,
        engine_key_id=envelope.seal_id,
        created_at=now,
    )
    audit.record_many([about_key(Verb.KEY_OFFERED, key, at=now)])


def withdraw(keys: Sequence[ApiKey], *, now: datetime) -> None:
    """The keys were revoked. What the engine has never fetched is withdrawn; of the rest it is told the end.

    Under the locks of the bots. The envelopes are gone already: they are wiped with the status.
    """
    offered = Handover.objects.filter(kind=Handover.Kind.KEY, key__in=keys)
    rows = list(offered.select_for_update(no_key=True).order_by("number"))
    pending = [handover.pk for handover in rows if handover.settled_at is None]
    Handover.objects.filter(pk__in=pending).update(settled_at=now, outcome=Handover.Outcome.WITHDRAWN)
    Handover.objects.bulk_create(
        [
            Handover(kind=Handover.Kind.REVOCATION, key_id=handover.key_id, created_at=now)
            for handover in rows
            if handover.fetched_at is not None
        ],
        ignore_conflicts=True,
    )
