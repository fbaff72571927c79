"""The primary address changes: started by support, confirmed by the customer, held for a day, counting.

Rows are locked in one order: code attempts, then the person, then the change.
"""

from contextlib import suppress
from datetime import datetime
from enum import Enum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, browsers, codes, limits, sessions
from accounts.acts import NotPossibleError
from accounts.audit_verbs import Verb
from accounts.browsers import Origin
from accounts.codes import Ticket, Verdict
from accounts.identifiers import canonical, folded
from accounts.models import AddressChange, MailDomain, Purpose, User
from notifications import outbox
from notifications.facts import Fact
from notifications.kinds import MailKind

Status = AddressChange.Status
# These are for the owner of the old address, whatever counts meanwhile.
_TO_THE_OLD = (MailKind.ADDRESS_CHANGE_STARTED, MailKind.ADDRESS_CHANGE_CONFIRMED)

_DESK = Origin("desk", is_known_browser=True)


class Outcome(Enum):
    CONFIRMED = "confirmed"
    WRONG = "wrong"
    TAKEN = "taken"  # the address belongs to another person by now


@transaction.atomic
def start(*, customer: User, new_email: str, reason: str, actor: User, address: str) -> AddressChange:
    """Write to both addresses: a notice to the old one, a code to the new one. Raises NotPossibleError."""
    list(User.objects.select_for_update(no_key=True).filter(pk=customer.pk).only("pk"))
    customer.refresh_from_db()
    if not (customer.is_active and customer.is_customer):
        raise NotPossibleError("This account is closed.")
    if customer.email.casefold() == new_email.casefold():
        raise NotPossibleError("This is the primary address already.")
    if customer.address_changes.open().exists():
        raise NotPossibleError("A change is under way. Cancel it first.")
    if _is_taken(new_email, customer):
        raise NotPossibleError("This address belongs to another account, or is about to.")
    change = AddressChange.objects.create(
        user=customer,
        old_email=customer.email,
        new_email=new_email,
        reason=reason,
        started_at=timezone.now(),
        started_by=actor,
    )
    audit.record(Verb.ADDRESS_CHANGE_STARTED, customer=customer, actor=actor, address=address, reason=reason)
    _tell(change, MailKind.ADDRESS_CHANGE_STARTED, to=change.old_email)
    # At the cap none is mailed now, and the customer asks for one. Strangers cannot use up the desk's own.
    with suppress(limits.TooManyError):
        _mail_a_code(customer.client_id or "", new_email, change, origin=_DESK, of_any_browser=True)
    return change


def ask(*, request: HttpRequest, client_id: str, email: str, address: str) -> Ticket:
    """Mail one more code to the new address. Whether there is such a change shows nowhere.

    Raises limits.TooManyError.
    """
    limits.take(limits.of_address(limits.ENTRANCE_FORMS, address))
    started = AddressChange.objects.filter(status=Status.STARTED, new_email__iexact=email)
    change = started.filter(user__client_id__iexact=canonical(client_id)).select_related("user").first()
    origin = browsers.origin(request, pk=change.user_id if change else 0)  # nobody has id 0
    return _mail_a_code(client_id, email, change, origin=origin)


def confirm(*, client_id: str, email: str, code: str, ticket: Ticket | None, address: str) -> Outcome:
    """Take a right code for the word of the new address's owner, and begin the hold.

    Raises limits.TooManyError.
    """
    limits.take(limits.of_address(limits.ENTRANCE_FORMS, address))
    with transaction.atomic():
        for candidate in codes.tickets_about(ticket, Purpose.CONFIRM_ADDRESS, _about(client_id, email)):
            judgement = codes.judge(candidate, Purpose.CONFIRM_ADDRESS, code, needs_more=lambda user: False)
            if judgement.verdict is Verdict.RIGHT and judgement.address_change is not None:
                return _hold(judgement.address_change, address)
            if judgement.verdict is Verdict.WRONG and judgement.tries_left == 0:
                audit.record(Verb.CODES_USED_UP, customer=judgement.user, address=address)
    return Outcome.WRONG


@transaction.atomic
def shorten(*, change: AddressChange, reason: str, actor: User, address: str) -> None:
    """Let the confirmed address count now. Raises NotPossibleError, for whoever started the change too."""
    if change.started_by_id == actor.pk:
        raise NotPossibleError("You started this change, so another person has to shorten its hold.")
    held = AddressChange.objects.on_hold().filter(pk=change.pk)
    if not held.update(due_at=timezone.now(), shortened_by=actor, shortened_reason=reason):
        raise NotPossibleError("This change is not on hold any more.")
    audit.record(
        Verb.ADDRESS_HOLD_SHORTENED, customer=change.user, actor=actor, address=address, reason=reason
    )


@transaction.atomic
def cancel(*, change: AddressChange, actor: User, address: str, reason: str = "") -> bool:
    """By the owner of the old address, or by support with a `reason`.

    False: it is over already, and nothing was changed.
    """
    return _end(
        change, Status.CANCELLED, Verb.ADDRESS_CHANGE_CANCELLED, actor=actor, address=address, reason=reason
    )


def settle(now: datetime) -> None:
    """Let addresses count whose hold is over, and end changes that were never confirmed. Safe to repeat."""
    for change in AddressChange.objects.due(now).select_related("user"):
        _let_count(change)
    for change in AddressChange.objects.never_confirmed(now).select_related("user"):
        with transaction.atomic():
            _end(change, Status.EXPIRED, Verb.ADDRESS_CHANGE_EXPIRED)


def _about(client_id: str, email: str) -> str:
    return f"{folded(canonical(client_id))}\0{folded(email)}"


def _mail_a_code(
    client_id: str,
    email: str,
    change: AddressChange | None,
    *,
    origin: Origin,
    of_any_browser: bool = False,
) -> Ticket:
    return codes.begin(
        purpose=Purpose.CONFIRM_ADDRESS,
        user=change.user if change else None,
        about=_about(client_id, email),
        email=email,
        origin=origin,
        address_change=change,
        of_any_browser=of_any_browser,
    )


def _hold(change: AddressChange, address: str) -> Outcome:
    now = timezone.now()
    if _is_taken(change.new_email, change.user):
        _end(change, Status.TAKEN, Verb.ADDRESS_TAKEN)
        return Outcome.TAKEN
    try:
        with transaction.atomic():
            held = AddressChange.objects.filter(pk=change.pk, status=Status.STARTED).update(
                status=Status.CONFIRMED, confirmed_at=now, due_at=now + settings.ADDRESS_HOLD
            )
    except IntegrityError:  # somebody else confirmed the same address in this very moment
        _end(change, Status.TAKEN, Verb.ADDRESS_TAKEN)
        return Outcome.TAKEN
    if not held:
        return Outcome.WRONG
    change.refresh_from_db()
    codes.end_attempts_of(change)
    audit.record(Verb.ADDRESS_CONFIRMED, customer=change.user, actor=change.user, address=address)
    _tell(change, MailKind.ADDRESS_CHANGE_CONFIRMED, to=change.old_email)
    return Outcome.CONFIRMED


@transaction.atomic
def _let_count(change: AddressChange) -> None:
    codes.end_attempts(change.user)
    user = User.objects.select_for_update(no_key=True).get(pk=change.user_id)
    held = AddressChange.objects.due(timezone.now()).filter(pk=change.pk)
    if held.select_for_update(no_key=True).first() is None:
        return
    try:
        with transaction.atomic():
            user.email = change.new_email
            user.save(update_fields=["email"])
    except IntegrityError:  # the address went to somebody else during the hold
        _end(change, Status.TAKEN, Verb.ADDRESS_TAKEN)
        return
    sessions.end_all(user)
    held.update(status=Status.COUNTS, ended_at=timezone.now())
    MailDomain.objects.watch(user.email)
    audit.record(Verb.ADDRESS_CHANGED, customer=user)
    outbox.readdress(owner_id=user.pk, old=change.old_email, new=change.new_email, but=_TO_THE_OLD)
    for which, to in (("old", change.old_email), ("new", change.new_email)):
        _tell(change, MailKind.ADDRESS_CHANGED, to=to, which=which)


def _end(
    change: AddressChange,
    status: Status,
    verb: Verb,
    *,
    actor: User | None = None,
    address: str | None = None,
    reason: str = "",
) -> bool:
    """End an open change without its address ever counting; False where it is over already."""
    codes.end_attempts_of(change)
    still_open = AddressChange.objects.open().filter(pk=change.pk)
    if not still_open.update(status=status, ended_at=timezone.now()):
        return False
    audit.record(verb, customer=change.user, actor=actor, address=address, reason=reason)
    _tell(
        change,
        MailKind.ADDRESS_KEPT,
        to=change.old_email,
        ended=status.value,
        by_customer=actor == change.user,
    )
    return True


def _is_taken(email: str, customer: User) -> bool:
    """By another person, or by another's change that is confirmed already."""
    if User.objects.filter(email__iexact=email).exclude(pk=customer.pk).exists():
        return True
    return AddressChange.objects.on_hold().filter(new_email__iexact=email).exclude(user=customer).exists()


def _tell(change: AddressChange, kind: MailKind, *, to: str, which: str = "", **context: Fact) -> None:
    outbox.send(
        kind,
        owner_id=change.user_id,
        to=to,
        cause=f"{kind}:{change.pk}:{which}",
        context={
            "client_id": change.user.client_id,
            "old_email": change.old_email,
            "new_email": change.new_email,
            "counts_from": change.due_at,
            "to_the_new": to == change.new_email,
            **context,
        },
    )
