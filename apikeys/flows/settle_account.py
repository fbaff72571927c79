"""Support settles a key of another exchange account, or of one that is not told: for a new key, than that of
the bot's key before; for one in use, than when it was accepted.
"""

from dataclasses import replace
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from apikeys import transitions
from apikeys.findings import FindingCode, Severity
from apikeys.flows.decide import UNTOLD_ACCOUNT
from apikeys.flows.refuse import refuse
from apikeys.flows.revoke import revoke_one
from apikeys.models import ApiKey
from apikeys.status import KeyStatus
from notifications.bell import ring_on_commit


def previous_account(key: ApiKey) -> str:
    """The last account at this exchange on which the bot is known to have traded; empty where none was told.

    A key of which its exchange told no account is passed over, or it would take the baseline away.
    """
    # A bot can have moved here from another exchange; rows of older versions do not name theirs.
    at_this_exchange = ("", key.bot.exchange)
    before = ApiKey.objects.filter(bot=key.bot, exchange__in=at_this_exchange, activated_at__isnull=False)
    told = before.exclude(account_id="").exclude(pk=key.pk).order_by("-activated_at")
    return told.values_list("account_id", flat=True).first() or ""


def known_account(key: ApiKey) -> str:
    """What the key's account is compared with; empty where an exchange did not say."""
    return key.account_id if key.status == KeyStatus.ACTIVE else previous_account(key)


def named_account(key: ApiKey) -> str:
    """To which the key belongs by the last answer of its exchange."""
    if key.status == KeyStatus.ACTIVE:
        return str((key.report_json or {}).get("account_id", ""))
    return key.account_id


def is_held(key: ApiKey) -> bool:
    """A key in use goes on working meanwhile."""
    if key.status == KeyStatus.ACTIVE:
        return key.concern == FindingCode.WRONG_ACCOUNT
    return key.status == KeyStatus.CHECKING and key.held


def shown(key: ApiKey) -> str:
    """What a page showed of the key, for `By.seen`: nothing is decided about an account that nobody saw, and
    no key is revoked that was seen as one that would be refused, or turned down once somebody confirmed it.
    """
    confirmed = f", confirmed {key.confirmed_account_id}" if key.confirmed_account_id else ""
    return f"{key.status} {named_account(key) or UNTOLD_ACCOUNT}{confirmed}"


@transaction.atomic
def confirm(*, key_id: UUID, by: By) -> None:
    """Let the bot change over to the account that the key belongs to. The key is checked again at once, since
    what it may do can have changed while it waited. Raises NotPossibleError.
    """
    key = _held(key_id, by)
    now = timezone.now()
    # A new key waits for its exchange from now on, and for nobody's word.
    settled = {"held": False, "findings_json": []} if key.status == KeyStatus.CHECKING else {}
    # Without its claim a check that is under way, which knows nothing of this, changes nothing.
    ApiKey.objects.filter(pk=key.pk).update(
        confirmed_account_id=named_account(key) or UNTOLD_ACCOUNT,
        check_due_at=now,
        claim=None,
        claimed_until=None,
        **settled,
    )
    _record(Verb.ACCOUNT_CONFIRMED, key, by)
    ring_on_commit("apikeys.check_key", str(key.pk))


@transaction.atomic
def turn_down(*, key_id: UUID, by: By) -> None:
    """Refuse a new key for what it was held for; the customer is told, and keeps the old one. A key in use is
    revoked, and the customer told as well. Raises NotPossibleError.
    """
    key = _held(key_id, by)
    _record(Verb.ACCOUNT_TURNED_DOWN, key, by)
    if key.status == KeyStatus.ACTIVE:
        revoke_one(key_id=key.pk, by=replace(by, seen=key.status))
        return
    refuse(key, [replace(item, severity=Severity.REFUSE) for item in key.findings], now=timezone.now())


def _held(key_id: UUID, by: By) -> ApiKey:
    transitions.lock_bot(ApiKey.objects.values_list("bot_id", flat=True).get(pk=key_id))
    key = ApiKey.objects.select_related("bot__customer").get(pk=key_id)
    if not is_held(key):
        raise NotPossibleError("This key does not wait any more.")
    if by.seen != shown(key):
        raise NotPossibleError("This key or its account has changed meanwhile: look at it again.")
    return key


def _record(verb: Verb, key: ApiKey, by: By) -> None:
    audit.record(
        verb,
        customer=key.bot.customer,
        actor=by.actor,
        address=by.address,
        key_id=key.pk,
        bot_id=key.bot.bot_id,
        last_four=key.last_four,
        reason=by.reason,
    )
