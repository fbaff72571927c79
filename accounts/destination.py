"""Where a person was going when they were asked to prove who they are, carried as `next` in the address."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def kept(request: HttpRequest) -> dict[str, str]:
    """The query that carries it on."""
    return {"next": request.GET["next"]} if "next" in request.GET else {}


def wanted(request: HttpRequest) -> str:
    """An address of this portal, whatever the query says; without one, where this person starts."""
    named = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(named, {request.get_host()}, require_https=request.is_secure()):
        return named
    return reverse("admin:index" if getattr(request.user, "is_staff", False) else "apikeys:bots")
