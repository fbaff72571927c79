"""A customer asks for one more bot; support launches it under a BOT ID, or declines with a word why."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import User
from apikeys.flows.add_bot import CustomerLeftError, add_bot
from apikeys.models import Bot, BotRequest
from notifications import outbox
from notifications.kinds import MailKind

Status = BotRequest.Status
# Enough for whoever means it; the desk reads each one.
OPEN_AT_MOST = 5


class AskedAlreadyError(Exception):
    """The same market of the same exchange waits for support already."""


class TooManyOpenError(Exception):
    """The customer has as many open requests as one may have."""


class DecidedAlreadyError(Exception):
    """Support decided, or the customer took it back, in between. Nothing was changed."""


@transaction.atomic
def ask(*, customer: User, exchange: str, market: str, note: str, address: str) -> BotRequest:
    """Put it before support. Raises AskedAlreadyError, TooManyOpenError or CustomerLeftError."""
    if not User.objects.select_for_update(no_key=True).get(pk=customer.pk).is_active:
        raise CustomerLeftError
    waiting = BotRequest.objects.of(customer).open()
    if waiting.filter(exchange=exchange, market=market).exists():
        raise AskedAlreadyError
    if waiting.count() >= OPEN_AT_MOST:
        raise TooManyOpenError
    request = BotRequest.objects.create(
        customer=customer, exchange=exchange, market=market, note=note, asked_at=timezone.now()
    )
    _record(Verb.BOT_ASKED, request, actor=customer, address=address)
    return request


@transaction.atomic
def take_back(*, request_id: UUID, customer: User, address: str) -> None:
    request = _open(request_id)
    request.status, request.decided_at = Status.TAKEN_BACK, timezone.now()
    request.save()
    _record(Verb.BOT_REQUEST_TAKEN_BACK, request, actor=customer, address=address)


@transaction.atomic
def launch(*, request_id: UUID, bot_id: str, actor: User, address: str) -> Bot:
    """Set the bot up. Raises DecidedAlreadyError, and what `add_bot` raises.

    The event is that of the bot, and so is the mail.
    """
    request = _open(request_id)
    bot = add_bot(
        customer=request.customer,
        bot_id=bot_id,
        exchange=request.exchange,
        market=request.market,
        actor=actor,
        address=address,
    )
    request.status, request.decided_at, request.decided_by = Status.LAUNCHED, timezone.now(), actor
    request.bot = bot
    request.save()
    return bot


@transaction.atomic
def decline(*, request_id: UUID, answer: str, actor: User, address: str) -> None:
    """answer: why, in words for the customer."""
    request = _open(request_id)
    request.status, request.decided_at, request.decided_by = Status.DECLINED, timezone.now(), actor
    request.answer = answer
    request.save()
    customer = request.customer
    _record(Verb.BOT_REQUEST_DECLINED, request, actor=actor, address=address)
    outbox.send(
        MailKind.BOT_DECLINED,
        owner_id=customer.pk,
        to=customer.email,
        cause=f"bot_declined:{request.pk}",
        context={
            "client_id": customer.client_id,
            "exchange_name": request.adapter.name,
            "market": request.market,
            "answer": answer,
        },
    )


def _open(request_id: UUID) -> BotRequest:
    """Under its lock, so that of two who decide at once the second one is told."""
    rows = BotRequest.objects.select_for_update(of=("self",)).select_related("customer")
    request = rows.open().filter(pk=request_id).first()
    if request is None:
        raise DecidedAlreadyError
    return request


def _record(verb: Verb, request: BotRequest, *, actor: User, address: str) -> None:
    where = f"{request.adapter.name}, {request.market}"
    audit.record(verb, customer=request.customer, actor=actor, address=address, where=where)
