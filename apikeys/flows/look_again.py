"""Support asks for a check now, of a key that waits for its next one."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import User
from apikeys import transitions
from apikeys.models import ApiKey
from apikeys.status import KeyStatus
from notifications.bell import ring_on_commit


class NothingToCheckError(Exception):
    """The key is not checked any more, waits for a person, or is being asked about at this moment."""


@transaction.atomic
def check_again(*, key_id: UUID, actor: User, reason: str, address: str) -> None:
    """Have the exchange asked now, by the workers that check new keys. Raises NothingToCheckError."""
    bot_pk = ApiKey.objects.filter(pk=key_id).values_list("bot_id", flat=True).first()
    if bot_pk is None:
        raise NothingToCheckError
    transitions.lock_bot(bot_pk)
    now = timezone.now()
    key = ApiKey.objects.select_related("bot__customer").defer("sealed").get(pk=key_id)
    if not can_check_again(key):
        raise NothingToCheckError
    # In one statement with the look whether it is free, since a worker takes its claim without the lock.
    if not ApiKey.objects.unclaimed(now).filter(pk=key_id).update(check_due_at=now):
        raise NothingToCheckError
    audit.record(
        Verb.CHECK_ASKED,
        customer=key.bot.customer,
        actor=actor,
        address=address,
        key_id=key.pk,
        bot_id=key.bot.bot_id,
        last_four=key.last_four,
        reason=reason,
    )
    ring_on_commit("apikeys.check_key", str(key.pk))


def can_check_again(key: ApiKey) -> bool:
    return key.status in (KeyStatus.CHECKING, KeyStatus.ACTIVE) and not key.held
