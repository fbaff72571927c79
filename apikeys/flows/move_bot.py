"""A bot that was set up for the wrong customer is given to the right one."""

from django.db import transaction

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import User
from apikeys import transitions
from apikeys.models import ApiKey, Bot


class HasKeysError(Exception):
    """The bot has had a key, and what is told of a key is for its owner alone. Nothing was changed."""


@transaction.atomic
def move_bot(*, bot: Bot, to: User, reason: str, actor: User, address: str) -> None:
    """Only of a bot that never had a key. The event is in the history of whom it came from."""
    locked = transitions.lock_bot(bot.pk)
    if ApiKey.objects.filter(bot=locked).exists():
        raise HasKeysError
    giver = User.objects.get(pk=locked.customer_id)
    Bot.objects.filter(pk=locked.pk).update(customer=to)
    audit.record(
        Verb.BOT_MOVED,
        customer=giver,
        actor=actor,
        address=address,
        bot_id=locked.bot_id,
        to=str(to.pk),
        reason=reason,
    )
