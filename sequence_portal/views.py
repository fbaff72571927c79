"""Health, error pages, and what every template knows about the site."""

from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.utils import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError


def site(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    return {"support_email": settings.SUPPORT_EMAIL, "portal_url": settings.PORTAL_URL}


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is alive."""
    return JsonResponse({"status": "alive"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Database and broker answer. Says nothing about why not: strangers can ask too."""
    broker = current_app.connection_for_write(connect_timeout=1)
    away: tuple[type[BaseException], ...] = (
        DatabaseError,
        OSError,
        OperationalError,
        *broker.connection_errors,
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with broker:
            broker.ensure_connection(max_retries=0, timeout=1)
    except away:
        return JsonResponse({"status": "not ready"}, status=503)
    return JsonResponse({"status": "ready"})


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
