"""The engine could not use a proved key: it is revoked and wiped, and the customer told what goes on."""

from datetime import datetime

from accounts import audit
from accounts.audit_verbs import Verb
from apikeys import transitions
from apikeys.events import about_key
from apikeys.letters import facts
from apikeys.models import ApiKey
from apikeys.status import KeyStatus
from notifications import outbox
from notifications.kinds import MailKind


def reject(key: ApiKey, *, now: datetime, address: str) -> None:
    """Within the caller's transaction, under the lock of the bot."""
    transitions.move(key, KeyStatus.REVOKED, now=now)
    audit.record_many([about_key(Verb.KEY_REJECTED, key, at=now, address=address)])
    bot, customer = key.bot, key.bot.customer
    active = ApiKey.objects.filter(bot=bot).active().defer("sealed").first()
    outbox.send(
        MailKind.API_REJECTED,
        owner_id=customer.pk,
        to=customer.email,
        cause=f"api_rejected:{key.pk}",
        context=facts(bot)
        | {
            "last_four": key.last_four,
            "keeps_last_four": active.last_four if active else "",
        },
    )
