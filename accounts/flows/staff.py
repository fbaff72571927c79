"""Members of staff: made by an operator, who names the role; set up by themselves with a mailed code."""

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest
from django_otp import devices_for_user

from accounts import audit, codes, roles, sessions
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from accounts.browsers import Origin
from accounts.codes import Ticket
from accounts.devices import has_factor
from accounts.flows import set_password, sign_in
from accounts.models import PrimaryMailDevice, Purpose, User
from accounts.roles import Role


class IsCustomerError(Exception):
    """The address is a customer's. Nobody is both: staff need an address of their own."""


@dataclass(frozen=True, slots=True)
class Made:
    user: User
    is_new: bool
    earlier_role: Role | None


@transaction.atomic
def create(*, email: str, role: Role) -> Made:
    """Make a member of staff, or give one another role, and mail a code to set a password with.

    Run again it mails a new code, and the earlier one ends; password and second factors stay until they are
    changed by the person. Who had left begins anew. Raises IsCustomerError, or limits.TooManyError
    after five codes in a quarter of an hour.
    """
    user = User.objects.select_for_update(no_key=True).filter(email__iexact=email).first()
    if user is not None and not user.is_staff:
        raise IsCustomerError
    is_new = user is None
    user = user or User.objects.create_user(email, is_staff=True)
    earlier = None if is_new else roles.role_of(user)
    if not user.is_active:
        is_new, user.is_active = True, True
        user.save(update_fields=["is_active"])
    if earlier is not role:
        user.groups.set(Group.objects.filter(name=role.value))
        audit.record(Verb.STAFF_ADDED if is_new else Verb.ROLE_CHANGED, customer=user, role=role.label)
    codes.end_attempts(user, Purpose.STAFF_START)
    origin = Origin("command line", is_known_browser=True)
    codes.begin(purpose=Purpose.STAFF_START, user=user, about=str(user.pk), email=user.email, origin=origin)
    return Made(user, is_new, earlier)


def why_not_end(person: User, actor: User) -> str:
    """A sentence for the desk, or nothing where this lead can end this member of staff."""
    if not person.is_staff:
        return "This is no member of staff."
    if person.pk == actor.pk:
        return "Nobody ends their own account. Another lead does."
    if not person.is_active:
        return "This account has ended already."
    return ""


@transaction.atomic
def end(*, person: User, by: By) -> None:
    """A member of staff has left: role, second factors, password and sessions end. Raises NotPossibleError.

    The person's row stays, since events name it. `create` makes them a member again.
    """
    codes.end_attempts(person)
    leads = User.objects.filter(is_staff=True, is_active=True, groups__name=Role.LEAD)
    # One order: two leads who end each other at once would leave none.
    list(User.objects.select_for_update(no_key=True).filter(pk__in=[person.pk, by.actor.pk]).order_by("pk"))
    person = User.objects.get(pk=person.pk)
    if reason := why_not_end(person, by.actor):
        raise NotPossibleError(reason)
    if not leads.filter(pk=by.actor.pk).exists():
        raise NotPossibleError("You are no lead any more.")
    for device in devices_for_user(person, confirmed=None):
        if not isinstance(device, PrimaryMailDevice):
            device.delete()
    sessions.end_all(person)
    earlier = roles.role_of(person)
    person.groups.clear()
    person.is_active = False
    person.set_unusable_password()
    person.save(update_fields=["is_active", "password"])
    audit.record(
        Verb.STAFF_ENDED,
        customer=person,
        actor=by.actor,
        address=by.address,
        role=earlier.label if earlier else "",
        reason=by.reason,
    )


@transaction.atomic
def enter_code(*, email: str, code: str) -> Ticket | None:
    """The code that was mailed by `create`; None where it is not right."""
    user = User.objects.filter(email__iexact=email, is_staff=True, is_active=True).first()
    return codes.claim(purpose=Purpose.STAFF_START, user=user, entered=code)


@transaction.atomic
def set_up(*, request: HttpRequest, ticket: Ticket, password: str, address: str) -> User | None:
    """Set the password, and sign in who has no second factor yet, so that they add one. None: start again."""
    user = set_password.finish(ticket=ticket, password=password, address=address, purpose=Purpose.STAFF_START)
    if user is not None and not has_factor(user):
        sign_in.let_in(request=request, user=user, address=address)
    return user
