"""Support ends a customer's password; the customer sets a new one by the way that everybody has."""

from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from accounts import audit, codes, sessions
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from accounts.models import User
from notifications import outbox
from notifications.kinds import MailKind


@transaction.atomic
def start(*, customer: User, by: By) -> None:
    """End the password and every session, and mail how to set a new one. Raises NotPossibleError.

    Nobody at the desk learns or chooses anything: a new password takes User ID, primary address and the code
    that is mailed there, as a forgotten one does. Second factors stay.
    """
    codes.end_attempts(customer)
    user = User.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if not (user.is_customer and user.is_active):
        raise NotPossibleError("This account is closed.")
    user.set_unusable_password()
    user.save(update_fields=["password"])
    sessions.end_all(user)
    audit.record(Verb.PASSWORD_ENDED, customer=user, actor=by.actor, address=by.address, reason=by.reason)
    outbox.send(
        MailKind.PASSWORD_ENDED,
        owner_id=user.pk,
        to=user.email,
        cause=f"password_ended:{uuid4()}",
        context={"client_id": user.client_id, "ended_at": timezone.now()},
    )
