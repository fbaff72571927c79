"""Django admin, open only to staff whose session was verified by a second proof."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse


class PortalAdminConfig(AdminConfig):
    default_site = "sequence_portal.admin_site.PortalAdminSite"


class PortalAdminSite(AdminSite):
    site_header = site_title = "Sequence Portal"
    index_title = "Desk"

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and request.user.is_verified()  # type: ignore[union-attr]

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """There is one way in for everybody; a password alone opens nothing here."""
        if request.user.is_authenticated:
            return redirect("apikeys:bots")
        return redirect(reverse("accounts:sign_in", query={"next": request.GET.get("next", "/admin/")}))
