"""A live key is ended before its time, and its secret wiped."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import User
from apikeys import transitions
from apikeys.models import ApiKey
from apikeys.status import WAITING, KeyStatus


@transaction.atomic
def take_back(*, key: ApiKey, customer: User, address: str) -> bool:
    """The customer takes back a key that waits. False: it is decided already, and nothing was changed."""
    transitions.lock_bot(key.bot_id)
    key.refresh_from_db(fields=["status"])
    if key.status not in WAITING:
        return False
    revoke(key=key, actor=customer, address=address, now=timezone.now())
    return True


def revoke(*, key: ApiKey, actor: User | None, address: str | None, now: datetime) -> None:
    """Within the caller's transaction, under the lock of the bot."""
    transitions.move(key, KeyStatus.REVOKED, now=now)
    audit.record(
        Verb.KEY_REVOKED,
        customer=key.bot.customer,
        actor=actor,
        address=address,
        key_id=key.pk,
        bot_id=key.bot.bot_id,
        last_four=key.last_four,
    )
