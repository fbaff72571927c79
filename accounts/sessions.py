"""Sessions: how long one lasts, which a person has, and how long ago the person last proved who they are.

60 minutes idle, 12 hours at most; an opened key form 60 minutes in any case.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts import browsers
from accounts.models import KnownBrowser, Session, User
from accounts.session_store import FACTS

_ID = re.compile(r"[0-9a-f]{40}")
_SIGNED_IN_AT = "signed_in_at"
_SEEN_AT = "seen_at"
_PROVED_AT = "proved_at"
_KEY_FORM_UNTIL = "key_form_until"
# Seen times are written at most this often, so that not every page costs a write.
_SEEN_STEP = timedelta(minutes=1)


def begin(session: SessionBase, *, browser: KnownBrowser, device: str, address: str) -> None:
    """Note when, where and with what the person signed in."""
    now = timezone.now().isoformat()
    session[_SIGNED_IN_AT] = session[_SEEN_AT] = session[_PROVED_AT] = now
    session[FACTS] = {"browser": browser.pk, "device": device, "address": address}


def proved(session: SessionBase) -> None:
    """Note that the person gave a right code or factor just now."""
    session[_PROVED_AT] = timezone.now().isoformat()


def proof_is_fresh(session: SessionBase) -> bool:
    return timezone.now() < _time(session, _PROVED_AT) + settings.FRESH_PROOF


def last_proof(session: SessionBase) -> str:
    """Changes with every proof."""
    return f"{session.session_key} {_time(session, _PROVED_AT).isoformat()}"


def of(user: User, now: datetime) -> list[Session]:
    """The person's sessions that have not ended, the one seen last first."""
    rows = Session.objects.filter(user=user, expire_date__gt=now).order_by("-seen_at")
    return [row for row in rows if not has_ended(row.get_decoded(), now)]


def end(session: SessionBase, user: User, session_id: str) -> Session | None:
    """End another session of the person, and forget its browser. None: it had ended, or is not theirs.

    An older session of this very browser ends alone.
    """
    row = Session.objects.filter(user=user, pk=session_id).first() if _ID.fullmatch(session_id) else None
    if row is not None:
        row.delete()
        _forget(user, session, pk=row.browser_id)
    return row


def end_others(session: SessionBase, user: User) -> None:
    """End every session of the person but this one, and forget every browser but this one."""
    Session.objects.filter(user=user).exclude(pk=id_of(session)).delete()
    _forget(user, session)


def end_all(user: User) -> None:
    """End every session of the person and forget every browser: the next sign-in in each is mailed."""
    KnownBrowser.objects.filter(user=user).delete()
    Session.objects.filter(user=user).delete()


def id_of(session: SessionBase) -> str:
    """The session's name in a list, which opens nothing."""
    return Session.digest_of(session.session_key or "")


def _forget(user: User, session: SessionBase, **which: Any) -> None:
    here = session.get(FACTS, {}).get("browser")
    KnownBrowser.objects.filter(user=user, **which).exclude(pk=here).delete()


def key_form_is_open(session: SessionBase) -> bool:
    return timezone.now() < _time(session, _KEY_FORM_UNTIL)


def key_form_opened(session: SessionBase) -> None:
    """Let the form be finished: the exchange shows a secret only once, and the session must not end."""
    now = timezone.now()
    if now < _time(session, _SIGNED_IN_AT) + settings.SESSION_ABSOLUTE:
        session[_KEY_FORM_UNTIL] = (now + settings.KEY_FORM_LIFE).isoformat()


def has_ended(session: SessionBase | Mapping[str, Any], now: datetime) -> bool:
    if now < _time(session, _KEY_FORM_UNTIL):
        return False
    idle = now >= _time(session, _SEEN_AT) + settings.SESSION_IDLE
    return idle or now >= _time(session, _SIGNED_IN_AT) + settings.SESSION_ABSOLUTE


class SessionLimitsMiddleware:
    """Ends a session that is over, before any view sees it; marks the browser of one that begins."""

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
        response = self.get_response(request)
        browsers.mark(request, response)
        return response


def _time(session: SessionBase | Mapping[str, Any], name: str) -> datetime:
    """A missing time is long ago, so a session without one has ended."""
    return datetime.fromisoformat(session.get(name, "2000-01-01T00:00:00+00:00"))
