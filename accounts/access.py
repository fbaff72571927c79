"""Who may see a page: only somebody whose session was verified by a mailed code. And how often."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from accounts import limits
from accounts.addresses import client_address
from accounts.limits import Limit
from accounts.models import User

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


class SignedInRequest(HttpRequest):
    """A request that passed `signed_in`: its user is one of ours, verified by a second proof."""

    user: User
    client_address: str


def signed_in(
    view: Callable[Concatenate[SignedInRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Send everybody else to the sign-in page, and keep the answer out of every cache."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        user = request.user
        if not (isinstance(user, User) and user.is_verified()):  # type: ignore[attr-defined]
            return redirect_to_login(request.get_full_path(), reverse(settings.LOGIN_URL))
        response = view(request, *args, **kwargs)  # type: ignore[arg-type]
        add_never_cache_headers(response)
        return response

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
