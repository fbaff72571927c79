"""Flower behind the portal's own sign-in, and reading only.

Flower knows basic authentication and a few companies' sign-in, and guards its figures by neither. It runs
with our settings, under a path of the portal's own host, so the session cookie reaches it, and each request
is judged as the desk judges it: staff, a second factor, and the act of watching workers.

What can be asked is a list of Flower's reading handlers. Whatever stops a worker, sends a task or changes a
queue has no address here, whoever asks and whatever Flower's options say.
"""

import asyncio
from enum import Enum
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import flower.app
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.utils import timezone
from django_otp.middleware import OTPMiddleware
from flower.api import BaseApiHandler, tasks, workers
from flower.urls import handlers as every_handler
from flower.views import BaseHandler, auth, monitor
from flower.views.broker import BrokerView
from flower.views.error import NotFoundErrorHandler
from flower.views.tasks import TasksDataTable, TasksView, TaskView
from flower.views.workers import WorkersView, WorkerView
from tornado.routing import URLSpec
from tornado.web import StaticFileHandler

from accounts import sessions
from accounts.access import has_strong_proof
from accounts.roles import Act, may
from accounts.session_store import SessionStore
from sequence_portal.insiders import has_token

# Nobody's address. Flower protects what is posted to it only where some sign-in is configured.
NOBODY = "nobody@flower.invalid"
PREFIX = "flower"

_PAGES = frozenset(
    {WorkersView, WorkerView, TaskView, TasksView, TasksDataTable, BrokerView, NotFoundErrorHandler}
)
_FIGURES = frozenset({monitor.Metrics, monitor.Healthcheck})
_READING = _FIGURES | {
    workers.ListWorkers,
    tasks.ListTasks,
    tasks.ListTaskTypes,
    tasks.GetQueueLengths,
    tasks.TaskInfo,
}
# The table of tasks asks by POST, since a query would be too long for an address.
_READS_BY_POST = TasksDataTable

# The one inline script of Flower's pages, which says whether to load them again, by its digest.
_INLINE = "'sha256-A0YIP5A+DKoseGAUTHRoMPDkKPK5cKzfYH3mjcCKtj8='"
_POLICY = (
    f"default-src 'none'; script-src 'self' {_INLINE}; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


class Verdict(Enum):
    WATCHES = "watches"
    UNKNOWN = "unknown"  # nobody, or somebody whose session is not proved by a second factor
    REFUSED = "refused"


def judge(session_key: str | None) -> tuple[Verdict, str]:
    """Who this session is of, and whether they watch workers. A session is not kept alive by watching."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    try:
        if SESSION_KEY not in request.session or sessions.has_ended(request.session, timezone.now()):
            return Verdict.UNKNOWN, ""
        request.user = get_user(request)
        OTPMiddleware(lambda _: HttpResponse())(request)
        if not request.user.is_authenticated:
            return Verdict.UNKNOWN, ""
        if not request.user.is_staff:
            return Verdict.REFUSED, ""
        if not has_strong_proof(request):
            return Verdict.UNKNOWN, ""
        allowed = may(request.user, Act.WATCH_WORKERS)
        return (Verdict.WATCHES, str(request.user)) if allowed else (Verdict.REFUSED, "")
    finally:
        # This is a thread of Flower's: its connection goes back to the pool.
        connections.close_all()


class Door(BaseHandler):  # type: ignore[misc]  # Flower has no types
    """In front of each handler of the list, by being the first of its bases."""

    _person = ""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")

    async def prepare(self) -> None:
        domain, _ = split_domain_port(self.request.host)
        if not validate_host(domain, settings.ALLOWED_HOSTS):
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        if self.request.method not in ("GET", "HEAD") and not isinstance(self, _READS_BY_POST):
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED)
            return
        if isinstance(self, tuple(_FIGURES)) and has_token(self.request.headers.get("Authorization", "")):
            return
        cookie = self.get_cookie(settings.SESSION_COOKIE_NAME)
        try:
            # Django asks its database in a thread, never inside the loop that serves everybody.
            verdict, self._person = await asyncio.get_running_loop().run_in_executor(None, judge, cookie)
        except DatabaseError:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        if verdict is Verdict.UNKNOWN and isinstance(self, tuple(_PAGES)) and self.request.method == "GET":
            query = urlencode({"next": f"/{PREFIX}/"})
            self.redirect(f"{settings.PORTAL_URL}/admin/login/?{query}")
        elif verdict is not Verdict.WATCHES:
            self._refuse(HTTPStatus.FORBIDDEN)
        elif isinstance(self, BaseApiHandler):
            super().prepare()

    def get_current_user(self) -> str | None:
        return self._person or None

    def options(self, *_: Any, **__: Any) -> None:
        """Flower answers these without asking who it is."""
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED)

    def _refuse(self, status: HTTPStatus) -> None:
        """Without a page of Flower's, which would say what runs here."""
        self.clear()
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(status.phrase)


class Leave(Door):
    """Flower's link to sign out. There is one place for that."""

    def get(self) -> None:
        self.redirect(f"{settings.PORTAL_URL}/admin/")


def install() -> None:
    """Put the list in place of Flower's own, which it takes from this name when it starts."""
    flower.app.default_handlers = _behind_the_door()


def _behind_the_door() -> list[URLSpec]:
    specs = []
    for entry in every_handler:
        spec = entry if isinstance(entry, URLSpec) else URLSpec(*entry)
        if spec.handler_class is auth.LogoutHandler:
            spec = URLSpec(spec.regex.pattern, Leave, name=spec.name)
        elif spec.handler_class in _PAGES | _READING:
            guarded = type(spec.handler_class.__name__, (Door, spec.handler_class), {})
            spec = URLSpec(spec.regex.pattern, guarded, spec.kwargs, spec.name)
        elif spec.handler_class is not StaticFileHandler:
            continue
        specs.append(spec)
    return specs
