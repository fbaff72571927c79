"""A customer gets an account, without a password: the first one is set with a mailed code."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import User
from notifications import outbox
from notifications.kinds import MailKind


class IdTakenError(Exception):
    """Another customer has this User ID."""


class AddressTakenError(Exception):
    """The address is that of another person."""


@transaction.atomic
def add_customer(
    *, client_id: str, name: str, email: str, actor: User | None = None, address: str | None = None
) -> User:
    """client_id: in its canonical form. No actor: an import by command. Raises one of the two above."""
    _require_free(client_id, email)
    try:
        customer = User.objects.create_user(email, client_id=client_id, name=name)  # in a savepoint
    except IntegrityError:
        _require_free(client_id, email)  # somebody else was a moment earlier
        raise
    audit.record(Verb.IMPORTED, customer=customer, actor=actor, address=address)
    return customer


def _require_free(client_id: str, email: str) -> None:
    if User.objects.filter(client_id__iexact=client_id).exists():
        raise IdTakenError
    if User.objects.filter(email__iexact=email).exists():
        raise AddressTakenError


def invite(customer: User, bot_ids: Sequence[str]) -> None:
    """Within the caller's transaction: the welcome mail, once. It tells the way to a first password."""
    outbox.send(
        MailKind.WELCOME,
        owner_id=customer.pk,
        to=customer.email,
        cause=f"welcome:{customer.pk}",
        context={"client_id": customer.client_id, "bots": list(bot_ids)},
    )
