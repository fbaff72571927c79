"""The browser that somebody comes with: its words, and the mark by which it is known again.

The mark is a cookie of random bits, set at a sign-in. It is no login and skips no proof. It does two things:
a sign-in in a browser without one is mailed, and tries in a browser that its owner has signed in with before
are counted apart, so that nobody elsewhere uses them up.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.addresses import client_address, neighbourhood
from accounts.models import KnownBrowser, User

_COOKIE = "__Host-browser" if settings.HTTPS else "browser"
# The most that browsers grant a cookie. Renewed at each sign-in.
MARK_LIFE = timedelta(days=400)
# Written at most this often: it only tells which rows nobody needs any more.
_SEEN_STEP = timedelta(days=1)
_MARK = re.compile(r"[A-Za-z0-9_-]{43}")
# Set by `remember`, read by `mark`: the cookie goes out with whatever answer a view gives.
_TO_BE_SET = "portal.browser_mark"

# In this order: Edge, Opera and Samsung's say "Chrome" too, and Chrome says "Safari".
_NAMES = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Version/.*Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("ChromeOS", r"CrOS"),
    ("macOS", r"Macintosh|Mac OS X"),
    ("Linux", r"Linux|X11"),
)
# What a browser says about itself may be long, and is a stranger's text.
_SAID_MAX = 500


@dataclass(frozen=True, slots=True)
class Origin:
    """Where tries come from, for the limits that count by person: a known browser, or else an address."""

    name: str
    is_known_browser: bool = False


def device(request: HttpRequest) -> str:
    """Browser and system in our words, such as "Firefox on Windows"; never what the browser says itself."""
    said = request.headers.get("User-Agent", "")[:_SAID_MAX]
    name = next((name for name, pattern in _NAMES if re.search(pattern, said)), "Unknown browser")
    system = next((system for system, pattern in _SYSTEMS if re.search(pattern, said)), "")
    return f"{name} on {system}" if system else name


def origin(request: HttpRequest, **person: object) -> Origin:
    """`person`: conditions on the user, who need not exist. Known and unknown take the same statements."""
    digest = _held(request)
    conditions = {f"user__{name}": value for name, value in person.items()}
    if digest and KnownBrowser.objects.filter(digest=digest, **conditions).exists():
        return Origin(known_origin(digest), is_known_browser=True)
    return Origin(neighbourhood(client_address(request)))


def known_origin(digest: str) -> str:
    """The name of a known browser as an origin."""
    return f"browser {digest}"


def remember(request: HttpRequest, user: User) -> tuple[KnownBrowser, bool]:
    """The row of this browser for the person, and whether it is new. Runs in the caller's transaction."""
    now = timezone.now()
    mark = request.COOKIES.get(_COOKIE, "")
    digest = _held(request)
    row = KnownBrowser.objects.filter(user=user, digest=digest).first() if digest else None
    if not digest:
        mark = secrets.token_urlsafe(32)
    request.META[_TO_BE_SET] = mark
    if row is None:
        row = KnownBrowser(user=user, digest=_digest(mark), created_at=now, seen_at=now)
        row.save(force_insert=True)
        return row, True
    if now >= row.seen_at + _SEEN_STEP:
        row.seen_at = now
        row.save(update_fields=["seen_at"])
    return row, False


def mark(request: HttpRequest, response: HttpResponse) -> None:
    """Give the browser its mark, if somebody has signed in with this request."""
    if found := request.META.get(_TO_BE_SET):
        response.set_cookie(
            _COOKIE,
            found,
            max_age=MARK_LIFE,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )


def _held(request: HttpRequest) -> str:
    """The digest of the mark that the browser sent, or nothing."""
    held = request.COOKIES.get(_COOKIE, "")
    return _digest(held) if _MARK.fullmatch(held) else ""


def _digest(mark: str) -> str:
    return hashlib.sha256(mark.encode()).hexdigest()
