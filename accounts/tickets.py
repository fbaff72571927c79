"""Which pending attempt a browser holds, in one signed cookie of its own.

It is apart from the session, so that a visitor who is not signed in has none, and sign-in begins a new one.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse

from accounts.codes import Ticket

_COOKIE = "__Host-attempt" if settings.HTTPS else "attempt"
_SALT = "accounts.ticket"
# Five codes a minute apart, each good for ten minutes, and a quarter of an hour to set a password.
_LIFE = timedelta(minutes=30)


def keep(response: HttpResponse, ticket: Ticket) -> None:
    response.set_signed_cookie(
        _COOKIE,
        f"{ticket.attempt_id}:{ticket.token}",
        salt=_SALT,
        max_age=int(_LIFE.total_seconds()),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def held(request: HttpRequest) -> Ticket | None:
    try:
        value = request.get_signed_cookie(_COOKIE, salt=_SALT, max_age=int(_LIFE.total_seconds()))
    except (KeyError, BadSignature):
        return None
    if value is None:
        return None
    attempt_id, _, token = value.partition(":")
    return Ticket(UUID(attempt_id), token)


def drop(response: HttpResponse) -> None:
    response.delete_cookie(_COOKIE, samesite="Lax")
