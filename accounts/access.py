"""Who may see a page: only somebody whose session was verified by a mailed code."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from accounts.models import User

P = ParamSpec("P")


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
