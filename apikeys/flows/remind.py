"""Tells the owner of an active key before its exchange ends it: 14, 7, 3 and 1 days ahead, once each."""

from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction

from apikeys import transitions
from apikeys.letters import facts, life
from apikeys.models import ApiKey
from apikeys.status import KeyStatus
from notifications import outbox
from notifications.kinds import MailKind

DAYS_AHEAD = (14, 7, 3, 1)
_AT_ONCE = 500


def remind_all(now: datetime) -> None:
    """Each reminder of a key and its end is one mail, whoever runs this and however often."""
    ending = ApiKey.objects.ending(now, timedelta(days=DAYS_AHEAD[0])).select_related("bot__customer")
    keys = ending.defer("sealed").order_by("expires_at").iterator(_AT_ONCE)
    while batch := list(islice(keys, _AT_ONCE)):
        due = {_cause(key, days): (key, days) for key in batch if (days := days_ahead(key, now)) is not None}
        # Nearly all have been mailed by an earlier run, and a lock on each bot would hold up what people do.
        mailed = outbox.mailed(due)
        for cause, (key, days) in due.items():
            if cause not in mailed:
                _remind(key, days, cause)


def days_ahead(key: ApiKey, now: datetime) -> int | None:
    """The reminder that is due by now. None where it fell before the key was active, whose warning told it.

    After an outage of ours only the nearest one is sent, not all that were missed.
    """
    if key.expires_at is None or key.activated_at is None:
        return None
    passed = [days for days in DAYS_AHEAD if now >= key.expires_at - timedelta(days=days)]
    if not passed or key.expires_at - timedelta(days=passed[-1]) < key.activated_at:
        return None
    return passed[-1]


def _cause(key: ApiKey, days: int) -> str:
    return f"api_expires:{key.pk}:{key.expires_at}:{days}"


@transaction.atomic
def _remind(key: ApiKey, days: int, cause: str) -> None:
    transitions.lock_bot(key.bot_id)
    # Replaced or taken away in this very moment: then there is nothing to remind of.
    if not ApiKey.objects.filter(pk=key.pk, status=KeyStatus.ACTIVE, expires_at=key.expires_at).exists():
        return
    bot, customer = key.bot, key.bot.customer
    outbox.send(
        MailKind.API_EXPIRES,
        owner_id=customer.pk,
        to=customer.email,
        cause=cause,
        context=facts(bot) | {"last_four": key.last_four, "ends": life(key), "days": days},
    )
