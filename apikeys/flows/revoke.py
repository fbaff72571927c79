"""Live keys are ended before their time, and their secrets wiped."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import User
from apikeys import transitions
from apikeys.engine import offers
from apikeys.events import about_key
from apikeys.models import ApiKey, Bot
from apikeys.status import WAITING, KeyStatus

# Rows locked and changed in one transaction: enough to be quick, few enough to let others through between.
_BATCH = 500


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
    offers.withdraw([key], now=now)
    audit.record(
        Verb.KEY_REVOKED,
        customer=key.bot.customer,
        actor=actor,
        address=address,
        key_id=key.pk,
        bot_id=key.bot.bot_id,
        last_four=key.last_four,
    )


def revoke_all(*, exchange: str | None = None, customer: User | None = None) -> Iterator[int]:
    """Revoke every live key of an exchange or of a customer, in batches that commit one by one.

    Gives how many are revoked so far, after each batch. Can be stopped and run again. Raises ValueError
    where neither is named: nothing ends all keys of everybody.
    """
    if (exchange is None) == (customer is None):
        raise ValueError("Name an exchange or a customer, and not both.")
    bots = Bot.objects.filter(exchange=exchange) if exchange else Bot.objects.filter(customer=customer)
    pks = bots.order_by("pk").values_list("pk", flat=True)
    done = after = 0
    # Once through the bots, by their primary key: to look for what is left alive reads, at each batch, all
    # that the batches before have ended.
    while batch := list(pks.filter(pk__gt=after)[:_BATCH]):
        after = batch[-1]
        done += _revoke_bots(batch)
        yield done


@transaction.atomic
def _revoke_bots(bot_pks: Sequence[int]) -> int:
    transitions.lock_bots(bot_pks)
    now = timezone.now()
    keys = list(ApiKey.objects.live().filter(bot__in=bot_pks).select_related("bot__customer").defer("sealed"))
    for status in {key.status for key in keys}:
        transitions.move_many([key for key in keys if key.status == status], KeyStatus.REVOKED, now=now)
    offers.withdraw(keys, now=now)
    audit.record_many([about_key(Verb.KEY_REVOKED, key, at=now) for key in keys])
    return len(keys)
