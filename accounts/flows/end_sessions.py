"""A person ends sessions of theirs from another one."""

from django.db import transaction
from django.http import HttpRequest

from accounts import audit, sessions
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
