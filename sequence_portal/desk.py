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
from accounts.devices import has_factor
from accounts.models import AddressChange, MailboxHold
from accounts.views.entrance import sign_out
from apikeys.desk.close import close as close_customer
from apikeys.models import ApiKey, ExchangeState, Handover


class PortalAdminSite(AdminSite):
    site_header = site_title = "Sequence Portal"
    index_title = "Desk"
    index_template = "admin/desk.html"

    def get_urls(self) -> list[Any]:
        closing = path(
            "accounts/user/<int:customer_pk>/close/", self.admin_view(close_customer), name="customer_close"
        )
        return [closing, *super().get_urls()]

    def has_permission(self, request: HttpRequest) -> bool:
        """A mailed code is not enough: it verifies a session too, and is as good as the mailbox."""
        return super().has_permission(request) and has_strong_proof(request)

    def index(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> TemplateResponse:
        """Says what becomes of a proved key, and what the engine leaves waiting."""
        late = Handover.objects.late(timezone.now()).count()
        if not settings.ENGINE_PUBLIC_KEYS:
            engine = "No trading engine is configured: a proved key is active at once."
        elif late:
            engine = f"Hand-overs that wait for the trading engine for longer than 15 minutes: {late}."
        else:
            engine = "A proved key is active once the trading engine has taken it over."
        shown = {"subtitle": engine, "queues": _queues(request)}
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


def _queues(request: HttpRequest) -> list[dict[str, object]]:
    """What waits for a person, each with the list of it, for whoever may see that."""
    changes = reverse("admin:accounts_addresschange_changelist", query={"open": "1"})
    asked = MailboxHold.Status.ASKED
    holds = reverse("admin:accounts_mailboxhold_changelist", query={"status__exact": asked})
    queues: list[dict[str, object]] = []
    if request.user.has_perm("apikeys.view_apikey"):
        held = reverse("admin:apikeys_apikey_changelist", query={"needs": "account"})
        number = ApiKey.objects.held().count()
        queues.append({"name": "Keys of another exchange account", "count": number, "url": held})
        away = reverse("admin:apikeys_exchangestate_changelist")
        number = ExchangeState.objects.away(timezone.now()).count()
        queues.append({"name": "Exchanges that do not answer", "count": number, "url": away})
    if request.user.has_perm("accounts.view_mailboxhold"):
        number = MailboxHold.objects.filter(status=asked).count()
        queues.append({"name": "Microsoft mailboxes to clear or change", "count": number, "url": holds})
    if request.user.has_perm("accounts.view_addresschange"):
        number = AddressChange.objects.open().count()
        queues.append({"name": "Address changes under way", "count": number, "url": changes})
    return queues
