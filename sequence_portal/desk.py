"""Django admin, open only to staff whose session was verified by a second factor."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from accounts.access import has_strong_proof
from accounts.desk.page import agent
from accounts.devices import has_factor
from accounts.roles import Act, may
from accounts.views.entrance import sign_out
from apikeys.desk import customers
from apikeys.desk.close import close as close_customer
from apikeys.desk.customer_page import customer_page
from apikeys.desk.queues import queues
from sequence_portal.desk_charts import charts_of_days
from sequence_portal.search import search, unless_refused
from sequence_portal.wallboard import wallboard


class PortalAdminSite(AdminSite):
    site_header = site_title = "Sequence Portal"
    index_title = "Desk"
    index_template = "admin/desk.html"
    # The lists stand in a row on top of every page, so that tables have the whole width.
    enable_nav_sidebar = False

    def get_urls(self) -> list[Any]:
        """The wallboard, and pages about customers that need what `accounts` may not know."""
        pages = (
            ("wallboard/", wallboard, "wallboard"),
            # In place of the form of a person, for those who are customers.
            ("accounts/user/<int:customer_pk>/change/", customer_page, "customer"),
            ("accounts/user/<int:customer_pk>/close/", close_customer, "customer_close"),
            ("accounts/user/<int:customer_pk>/bot/", customers.launch_bot, "customer_bot"),
            ("accounts/user/new/", customers.add_customer, "customer_add"),
            ("accounts/user/import/", customers.import_customers, "customer_import"),
            ("search/", search, "search"),
        )
        own = [path(route, self.admin_view(view), name=name) for route, view, name in pages]
        return [*own, *super().get_urls()]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page comes by here, those of Django's lists too."""
        return super().admin_view(unless_refused(view), cacheable)

    def has_permission(self, request: HttpRequest) -> bool:
        """A mailed code is not enough: it verifies a session too, and is as good as the mailbox."""
        return super().has_permission(request) and has_strong_proof(request)

    def index(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> TemplateResponse:
        """What waits for a person, how the last days went, and then the lists."""
        now = timezone.now()
        shown: dict[str, object] = {"queues": queues(agent(request), now), "engine": _what_becomes_of_a_key()}
        if request.user.has_perm("apikeys.view_apikey"):
            shown["charts"] = charts_of_days(now)
        shown["watches"] = may(request.user, Act.WATCH_WORKERS)
        return super().index(request, shown | (extra_context or {}))

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """There is one way in for everybody; a password alone opens nothing here."""
        if self.has_permission(request):
            return redirect("admin:index")
        onward = {"next": request.GET.get("next", reverse("admin:index"))}
        if not request.user.is_authenticated:
            return redirect(reverse("accounts:sign_in", query=onward))
        if not request.user.is_staff:
            return redirect("apikeys:bots")
        return redirect(
            reverse("accounts:confirm", query=onward) if has_factor(request.user) else "accounts:factors"
        )

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
        return redirect("accounts:factors")

    def password_change_done(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        return redirect("accounts:factors")


def _what_becomes_of_a_key() -> str:
    if settings.ENGINE_PUBLIC_KEYS:
        return "A proved key is active once the trading engine has taken it over."
    return "No trading engine is configured: a proved key is active at once."
