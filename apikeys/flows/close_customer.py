"""A customer leaves for good: keys wiped, person anonymised, mails pruned, events kept."""

from django.db import transaction
from django.utils import timezone
from django_otp import devices_for_user

from accounts import audit, sessions
from accounts.audit_verbs import Verb
from accounts.models import CodeAttempt, User
from apikeys import transitions
from apikeys.flows.revoke import revoke
from apikeys.models import ApiKey, Bot, KeyCheck
from notifications import outbox


class ClosedAlreadyError(Exception):
    """Somebody closed the account before."""


def closed_name(customer: User) -> str:
    """What the account is called afterwards: unique, and nobody's."""
    return f"closed-{customer.pk}"


@transaction.atomic
def close(*, customer: User, reason: str, actor: User, address: str) -> None:
    """Everything in one step, which nothing takes back. Raises ClosedAlreadyError.

    Bots keep their BOT IDs: events name them, and the trading engine is told by them that keys have ended.
    """
    transitions.lock_bots(Bot.objects.filter(customer=customer).values_list("pk", flat=True))
    user = User.objects.select_for_update(no_key=True).get(pk=customer.pk, client_id__isnull=False)
    if user.closed_at is not None:
        raise ClosedAlreadyError
    now = timezone.now()
    for key in ApiKey.objects.of(user).live().select_related("bot__customer").defer("sealed"):
        revoke(key=key, actor=actor, address=address, now=now)
    # What the exchange said of the account behind a key tells who somebody is there.
    ApiKey.objects.of(user).update(account_id="", confirmed_account_id="", report_json=None)
    KeyCheck.objects.filter(key__bot__customer=user).update(report_json=None)
    nobody = f"{closed_name(user)}@closed.invalid"
    outbox.prune(owner_id=user.pk, to=nobody)
    CodeAttempt.objects.filter(user=user).delete()
    user.address_changes.all().delete()
    user.mailbox_holds.all().delete()
    user.bot_requests.all().delete()
    for device in devices_for_user(user, confirmed=None):
        device.delete()
    sessions.end_all(user)
    user.email, user.name, user.client_id = nobody, "", closed_name(user)
    user.is_active, user.closed_at = False, now
    user.set_unusable_password()
    user.save()
    audit.record(Verb.CUSTOMER_CLOSED, customer=user, actor=actor, address=address, reason=reason)
