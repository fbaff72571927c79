"""Django admin, open only to staff whose session was verified by a second proof."""

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.views.entrance import sign_out
from apikeys.models import Handover


class PortalAdminSite(AdminSite):
    site_header = site_title = "Sequence Portal"
    index_title = "Desk"

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and request.user.is_verified()  # type: ignore[union-attr]

    def index(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> TemplateResponse:
        """Says what becomes of a proved key, and what the engine leaves waiting."""
        late = Handover.objects.late(timezone.now()).count()
        if not settings.ENGINE_PUBLIC_KEYS:
            engine = "No trading engine is configured: a proved key is active at once."
        elif late:
            engine = f"Hand-overs that wait for the trading engine for longer than 15 minutes: {late}."
        else:
            engine = "A proved key is active once the trading engine has taken it over."
        return super().index(request, {"subtitle": engine} | (extra_context or {}))

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """There is one way in for everybody; a password alone opens nothing here."""
        if request.user.is_authenticated:
            return redirect("apikeys:bots")
        return redirect(reverse("accounts:sign_in", query={"next": request.GET.get("next", "/admin/")}))

    # Django types these three as pages of its own templates.
    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Signs out as everywhere, with an event."""
        return sign_out(request)

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """There is one way to set a password: with a mailed code, a mail, and every session ended."""
        return redirect("accounts:help")

    def password_change_done(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        return redirect("accounts:help")
