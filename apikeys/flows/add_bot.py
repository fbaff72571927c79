"""A bot is set up for a customer, under a BOT ID that nobody else has."""

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.identifiers import canonical, folded
from accounts.models import User
from apikeys.models import Bot
from notifications import outbox
from notifications.kinds import MailKind

TAKEN = "There is a bot of this BOT ID. Choose another name."


class BotIdTakenError(Exception):
    """There is a bot of this BOT ID."""


class CustomerLeftError(Exception):
    """The account was closed."""


def of_customer(bot_id: str, customer: User) -> str:
    """The BOT ID with the User ID before it as the customer writes it; empty where it is none of theirs."""
    begin, typed = f"{customer.client_id} / ", canonical(bot_id)
    name = typed[len(begin) :].strip()
    return f"{begin}{name}" if name and folded(typed[: len(begin)]) == folded(begin) else ""


@transaction.atomic
def add_bot(*, customer: User, bot_id: str, exchange: str, market: str, actor: User, address: str) -> Bot:
    """Write the bot, the event, and the mail with User ID and BOT ID.

    Raises BotIdTakenError or CustomerLeftError.
    """
    customer = User.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if not customer.is_active:
        raise CustomerLeftError
    try:
        with transaction.atomic():  # a statement that fails would spoil the whole transaction
            bot = Bot.objects.create(bot_id=bot_id, customer=customer, exchange=exchange, market=market)
    except IntegrityError:
        raise BotIdTakenError from None
    audit.record(Verb.BOT_LAUNCHED, customer=customer, actor=actor, address=address, bot_id=bot.bot_id)
    outbox.send(
        MailKind.BOT_LAUNCHED,
        owner_id=customer.pk,
        to=customer.email,
        cause=f"bot_launched:{bot.pk}",
        context={
            "client_id": customer.client_id,
            "bot_id": bot.bot_id,
            "exchange_name": bot.adapter.name,
            "market": bot.market,
        },
    )
    return bot
