"""Health, error pages, and what every template knows about the site."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.views.decorators.http import require_safe

from sequence_portal import readiness
from sequence_portal.insiders import may_read


def site(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    return {"support_email": settings.SUPPORT_EMAIL, "portal_url": settings.PORTAL_URL}


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is alive."""
    return JsonResponse({"status": "alive"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Database, migrations, a worker, the broker. Says which is away only to who may read metrics."""
    now = readiness.look()
    answer: dict[str, object] = {"status": "ready" if now.ready else "not ready"}
    if may_read(request):
        answer |= {part: now.found.get(part) for part in readiness.PARTS}
    return JsonResponse(answer, status=200 if now.ready else 503)


def form_out_of_date(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a form whose CSRF token does not fit: an old tab, or another site posting here."""
    return render(request, "403_form.html", status=403)


def broken(request: HttpRequest) -> HttpResponse:
    """500, rendered without database, user or context processors: any of them may be what broke."""
    reference = request.META.get("portal.reference", "")
    page = loader.render_to_string(
        "500.html", {"reference": reference, "support_email": settings.SUPPORT_EMAIL}
    )
    return HttpResponse(page, status=500)
