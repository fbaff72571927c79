"""Sessions of a person are ended from elsewhere: by the person, or by support."""

from django.db import transaction
from django.http import HttpRequest

from accounts import audit, codes, sessions
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from accounts.models import User


@transaction.atomic
def end_one(*, request: HttpRequest, user: User, session_id: str, address: str) -> bool:
    """False: it had ended before, or is somebody else's."""
    ended = sessions.end(request.session, user, session_id)
    if ended is None:
        return False
    audit.record(Verb.SESSION_ENDED, customer=user, actor=user, address=address, device=ended.device)
    return True


@transaction.atomic
def end_others(*, request: HttpRequest, user: User, address: str) -> None:
    sessions.end_others(request.session, user)
    audit.record(Verb.OTHER_SESSIONS_ENDED, customer=user, actor=user, address=address)


@transaction.atomic
def end_all(*, customer: User, by: By) -> None:
    """Support ends every session of a customer, and sign-ins under way. Raises NotPossibleError."""
    codes.end_attempts(customer)
    user = User.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if not (user.is_customer and user.is_active):
        raise NotPossibleError("This account is closed.")
    sessions.end_all(user)
    audit.record(Verb.SESSIONS_ENDED, customer=user, actor=by.actor, address=by.address, reason=by.reason)
