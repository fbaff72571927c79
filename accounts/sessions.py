"""How long a session lasts: 60 minutes idle, 12 hours at most; an opened key form 60 minutes in any case."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

_SIGNED_IN_AT = "signed_in_at"
_SEEN_AT = "seen_at"
_KEY_FORM_UNTIL = "key_form_until"
# Seen times are written at most this often, so that not every page costs a write.
_SEEN_STEP = timedelta(minutes=1)


def begin(session: SessionBase) -> None:
    """Note when the person signed in."""
    now = timezone.now().isoformat()
    session[_SIGNED_IN_AT] = session[_SEEN_AT] = now


def key_form_opened(session: SessionBase) -> None:
    """Let the form be finished: the exchange shows a secret only once, and the session must not end."""
    now = timezone.now()
    if now < _time(session, _SIGNED_IN_AT) + settings.SESSION_ABSOLUTE:
        session[_KEY_FORM_UNTIL] = (now + settings.KEY_FORM_LIFE).isoformat()


def has_ended(session: SessionBase, now: datetime) -> bool:
    if now < _time(session, _KEY_FORM_UNTIL):
        return False
    idle = now >= _time(session, _SEEN_AT) + settings.SESSION_IDLE
    return idle or now >= _time(session, _SIGNED_IN_AT) + settings.SESSION_ABSOLUTE


class SessionLimitsMiddleware:
    """Ends a session that is over, before any view sees it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session:
            now = timezone.now()
            if has_ended(request.session, now):
                logout(request)
                return redirect(reverse(settings.LOGIN_URL, query={"ended": 1}))
            # With a script by the header, without one by the address that the page reloads.
            waiting_page_asks = "1" in (request.headers.get("X-Portal-Poll"), request.GET.get("poll"))
            if not waiting_page_asks and now >= _time(request.session, _SEEN_AT) + _SEEN_STEP:
                request.session[_SEEN_AT] = now.isoformat()
        return self.get_response(request)


def _time(session: SessionBase, name: str) -> datetime:
    """A missing time is long ago, so a session without one has ended."""
    return datetime.fromisoformat(session.get(name, "2000-01-01T00:00:00+00:00"))
