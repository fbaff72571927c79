"""A customer whose mailbox Microsoft runs asks support to be let through; support decides on that address."""

from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from accounts.models import MailboxHold, MailDomain, User

Status = MailboxHold.Status


def shown(email: str, hold: MailboxHold | None) -> str:
    """What a page showed of an address and of what was asked and decided about it, for `By.seen`."""
    about = (hold.status, hold.asked_at, hold.note) if hold and hold.pk else ()
    return sha256(repr((email, *map(str, about))).encode()).hexdigest()[:16]


@transaction.atomic
def ask(*, customer: User, note: str, address: str) -> MailboxHold:
    """Put a request before support. Asked again before an answer, the newer note counts.

    Raises NotPossibleError.
    """
    _, hold = _locked(customer)
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
def decide(*, customer: User, clear: bool, by: By) -> None:
    """Let the customer's present address through, or keep it held. Raises NotPossibleError.

    by.seen: of the page, from `shown`: what is cleared is an address, and it can be another one by now.
    """
    user, hold = _locked(customer)
    if by.seen != shown(user.email, hold):
        raise NotPossibleError("The address or what was asked about it has changed meanwhile: look again.")
    if not MailDomain.objects.run_by_microsoft(user.email):
        raise NotPossibleError("Microsoft does not run this address, so nothing keeps its keys waiting.")
    hold.status = Status.CLEARED if clear else Status.KEPT
    hold.decided_at, hold.decided_by, hold.decision_note = timezone.now(), by.actor, by.reason
    hold.save()
    verb = Verb.MAILBOX_CLEARED if clear else Verb.MAILBOX_KEPT
    audit.record(verb, customer=user, actor=by.actor, address=by.address, reason=by.reason)


def _locked(customer: User) -> tuple[User, MailboxHold]:
    """The person, locked, and what there is about the present address, or a new row not saved yet."""
    user = User.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if not user.is_active:
        raise NotPossibleError("This account is closed.")
    found = MailboxHold.objects.filter(user=user, email__iexact=user.email).first()
    return user, found or MailboxHold(user=user, email=user.email)
