"""A customer whose mailbox Microsoft runs asks support to be let through; support decides on that address."""

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import MailboxHold, User

Status = MailboxHold.Status


@transaction.atomic
def ask(*, customer: User, note: str, address: str) -> MailboxHold:
    """Put a request before support. Asked again before an answer, the newer note counts."""
    hold = _locked(customer)
    if hold.status == Status.CLEARED:
        return hold
    asks_anew = hold.status != Status.ASKED or hold.asked_at is None
    hold.status, hold.note = Status.ASKED, note
    if asks_anew:
        hold.asked_at = timezone.now()
        audit.record(Verb.MAILBOX_ASKED, customer=customer, actor=customer, address=address)
    hold.save()
    return hold


@transaction.atomic
def decide(*, customer: User, clear: bool, note: str, actor: User, address: str) -> MailboxHold:
    """Let the customer's present address through, or keep it held."""
    hold = _locked(customer)
    hold.status = Status.CLEARED if clear else Status.KEPT
    hold.decided_at, hold.decided_by, hold.decision_note = timezone.now(), actor, note
    hold.save()
    verb = Verb.MAILBOX_CLEARED if clear else Verb.MAILBOX_KEPT
    audit.record(verb, customer=customer, actor=actor, address=address, reason=note)
    return hold


def _locked(customer: User) -> MailboxHold:
    """What there is about the present address, or a new row not saved yet, under the lock of the person."""
    user = User.objects.select_for_update(no_key=True).get(pk=customer.pk)
    found = MailboxHold.objects.filter(user=user, email__iexact=user.email).first()
    return found or MailboxHold(user=user, email=user.email)
