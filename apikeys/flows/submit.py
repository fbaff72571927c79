"""A customer hands over a key: sealed at once, checked by a worker afterwards."""

from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit, gates
from accounts.audit_verbs import Verb
from accounts.models import User
from apikeys import transitions, vault
from apikeys.exchanges.base import Credentials
from apikeys.flows import refuse
from apikeys.flows.revoke import revoke
from apikeys.models import ApiKey, Bot
from apikeys.status import WAITING, KeyStatus
from apikeys.wording import duplicate_finding
from notifications.bell import ring_on_commit


class AnotherKeyWaitsError(Exception):
    """Another key of the bot is being checked, and the customer was not asked whether to replace it."""

    def __init__(self, waiting: ApiKey) -> None:
        super().__init__(waiting.pk)
        self.waiting = waiting


class BotChangedError(Exception):
    """Support gave the bot to another customer, or moved it to another exchange, in this very moment."""


@transaction.atomic
def submit(
    *,
    bot: Bot,
    customer: User,
    credentials: Credentials,
    trimmed: bool,
    replaces: UUID | None,
    address: str,
) -> ApiKey:
    """Give the row of the submitted key. The same API key handed over twice is one row, unless it is handed
    over to replace itself: with another secret, since that is what was wrong with it.

    replaces: the waiting key that the customer was shown and agreed to replace.
    Raises AnotherKeyWaitsError when a key waits that is not this one, gates.GatedError while the customer may
    not hand over keys, BotChangedError where the bot is not what the form was made for.
    """
    locked = transitions.lock_bot(bot.pk)
    if (locked.customer_id, locked.exchange) != (customer.pk, bot.exchange):
        raise BotChangedError
    gates.check(customer)
    now = timezone.now()
    fingerprint = vault.fingerprint(bot.exchange, credentials.api_key)
    of_bot = ApiKey.objects.filter(bot=bot)
    again = of_bot.live().filter(fingerprint=fingerprint).first()
    if again is not None and not (again.status in WAITING and again.pk == replaces):
        return again
    waiting = of_bot.waiting().first()
    if waiting is not None and waiting.pk != replaces:
        raise AnotherKeyWaitsError(waiting)

    key = ApiKey(
        id=uuid4(),
        bot=bot,
        status=KeyStatus.CHECKING,
        last_four=credentials.api_key[-4:],
        fingerprint=fingerprint,
        trimmed=trimmed,
        submitted_at=now,
        check_due_at=now,
    )
    if _is_duplicate(fingerprint, customer, besides=waiting):
        return _refuse_at_once(key, customer, address)
    sealed = vault.seal(credentials, key_id=key.pk, bot_id=bot.bot_id, exchange=bot.exchange)
    key.sealed, key.seal_id = sealed.ciphertext, sealed.seal_id
    try:
        with transaction.atomic():
            if waiting is not None:
                revoke(key=waiting, actor=customer, address=address, now=now)
            key.save(force_insert=True)
    except IntegrityError:
        # The same API key was handed over for another bot in this very moment. The waiting key stays.
        return _refuse_at_once(key, customer, address)
    _record_submission(key, customer, address)
    ring_on_commit("apikeys.check_key", str(key.pk))
    return key


def _is_duplicate(fingerprint: str, customer: User, *, besides: ApiKey | None) -> bool:
    """Live anywhere else, or ever used by somebody else."""
    same = ApiKey.objects.filter(fingerprint=fingerprint)
    if besides is not None:
        same = same.exclude(pk=besides.pk)
    return same.live().exists() or same.exclude(bot__customer=customer).exists()


def _refuse_at_once(key: ApiKey, customer: User, address: str) -> ApiKey:
    key.status, key.sealed, key.seal_id = KeyStatus.REFUSED, None, ""
    key.check_due_at, key.ended_at = None, key.submitted_at
    key.findings_json = [duplicate_finding().as_json()]
    key.save(force_insert=True)
    _record_submission(key, customer, address)
    refuse.tell(key)
    return key


def _record_submission(key: ApiKey, customer: User, address: str) -> None:
    audit.record(
        Verb.KEY_SUBMITTED,
        customer=customer,
        actor=customer,
        address=address,
        key_id=key.pk,
        bot_id=key.bot.bot_id,
        last_four=key.last_four,
    )
