"""Who may see a page: somebody whose session was verified, for some pages lately so. And how often."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts import limits, sessions
from accounts.addresses import client_address
from accounts.desk.typed import show_again
from accounts.devices import Factor, has_factor
from accounts.limits import Limit
from accounts.models import User

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

_READS = frozenset({"GET", "HEAD"})


class SignedInRequest(HttpRequest):
    """A request that passed `signed_in`: its user is one of ours, verified by a second proof."""

    user: User
    client_address: str


def signed_in(
    view: Callable[Concatenate[SignedInRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Send everybody else to the sign-in page.

    Staff whose session no second factor verified are sent to where they add one.
    """
    return _guarded(view, staff_need_a_factor=True)


def signed_in_to_enrol(
    view: Callable[Concatenate[SignedInRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """As `signed_in`, and open to staff who have no second factor yet."""
    return _guarded(view, staff_need_a_factor=False)


class _Decorator(Protocol):
    def __call__(
        self, view: Callable[Concatenate[SignedInRequest, P], HttpResponse], /
    ) -> Callable[Concatenate[SignedInRequest, P], HttpResponse]: ...


def fresh_proof(
    *, back: Callable[..., str] | None = None, unless: Callable[[SessionBase], bool] = lambda _: False
) -> _Decorator:
    """Inside `signed_in`: ask anew for a code or factor where the last one is older than an hour.

    What was sent from a page of the desk is not done, and is shown again, so that nothing typed is lost.
    Other pages may have been sent a secret, which no page gives back.

    back: where the person goes on after that, made of what the view is given; the page itself where missing.
    unless: when something that is sent, not only looked at, needs no fresh proof.
    """

    def decorate(
        view: Callable[Concatenate[SignedInRequest, P], HttpResponse],
    ) -> Callable[Concatenate[SignedInRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            is_sent = request.method not in _READS
            if (is_sent and unless(request.session)) or has_fresh_proof(request):
                return view(request, *args, **kwargs)
            if is_sent and _is_desk(request):
                return show_again(request)
            onward = back(*args, **kwargs) if back and is_sent else request.get_full_path()
            return redirect(reverse("accounts:confirm", query={"next": onward}))

        return guarded

    return decorate


def _is_desk(request: HttpRequest) -> bool:
    found = request.resolver_match
    return found is not None and "admin" in found.namespaces


def has_fresh_proof(request: SignedInRequest) -> bool:
    """A session that began before the person added a factor has not proved it, however young it is."""
    if not sessions.proof_is_fresh(request.session):
        return False
    return has_strong_proof(request) or not has_factor(request.user)


def has_strong_proof(request: HttpRequest) -> bool:
    """Whether the session was verified by a second factor, and not by a mailed code alone."""
    return isinstance(getattr(request.user, "otp_device", None), Factor)


def _guarded(
    view: Callable[Concatenate[SignedInRequest, P], HttpResponse], *, staff_need_a_factor: bool
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        user = request.user
        if not (isinstance(user, User) and user.is_verified()):  # type: ignore[attr-defined]
            return redirect_to_login(request.get_full_path(), reverse(settings.LOGIN_URL))
        if staff_need_a_factor and user.is_staff and not has_strong_proof(request):
            if has_factor(user):
                return redirect(reverse("accounts:confirm", query={"next": request.get_full_path()}))
            return redirect("accounts:factors")
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return guarded


def limited(
    **methods: Limit,
) -> Callable[[Callable[Concatenate[HttpRequest, P], R]], Callable[Concatenate[HttpRequest, P], R]]:
    """Count requests of these methods: one address by itself, and with it the customer who is signed in.

    The view raises limits.TooManyError past the limit. A HEAD counts as a GET.
    """

    def limit(
        view: Callable[Concatenate[HttpRequest, P], R],
    ) -> Callable[Concatenate[HttpRequest, P], R]:
        @wraps(view)
        def counted(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
            method = "GET" if request.method == "HEAD" else request.method or ""
            if method in methods:
                limits.take(limits.of_address(methods[method], client_address(request), request.user.pk))
            return view(request, *args, **kwargs)

        return counted

    return limit
