"""Bots and keys at the desk. A sealed secret is never shown, and this process could not open it.

What belongs to the trading engine is in `apikeys.engine_admin`, which is loaded with this.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.desk.export import ExportableAdmin
from accounts.desk.mail import mail_resend
from accounts.roles import Act, may
from apikeys.desk import choosing
from apikeys.desk.account import account
from apikeys.desk.bot_page import bot_page
from apikeys.desk.bots import bot_move, bot_request
from apikeys.desk.columns import NamesExchange
from apikeys.desk.jobs import exchange_revoke, job
from apikeys.desk.key_page import key_page, uuid_or_404
from apikeys.desk.keys import customer_revoke, key_check, key_revoke
from apikeys.desk.search import bot_ways, key_ways
from apikeys.engine_admin import EngineTokenAdmin as EngineTokenAdmin
from apikeys.engine_admin import HandoverAdmin as HandoverAdmin
from apikeys.exchanges.base import Market
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import RETRIED, FindingCode
from apikeys.models import ApiKey, Bot, BotRequest, ExchangeState, Job
from apikeys.status import KeyStatus
from notifications.admin import MailAdmin
from notifications.desk.filters import choices_filter
from notifications.desk.search import Match, Way, best_first, by
from notifications.models import Mail
from notifications.read_only import ReadOnlyAdmin

_EXCHANGES = [(adapter.id, adapter.name) for adapter in EXCHANGES.values()]
_JOBS = [
    (act.value, str(act.label))
    for act in (Act.CHECK_KEY, Act.REVOKE_CHOSEN, Act.REVOKE_EXCHANGE, Act.RESEND_MAIL)
]


@admin.register(Bot)
class BotAdmin(NamesExchange, ExportableAdmin, ReadOnlyAdmin):
    list_display = ("bot_id", "customer", "exchange_name", "market", "created_at")
    list_filter = (choices_filter("exchange", _EXCHANGES), choices_filter("market", Market.choices))
    has_search = True
    list_select_related = ("customer",)
    linked_by = ("customer__exact",)
    export_fields: ClassVar = {
        "bot_id": "bot_id",
        "client_id": "customer__client_id",
        "exchange": "exchange",
        "market": "market",
        "created_at": "created_at",
    }

    def search_help(self, request: HttpRequest) -> str:
        of_people = ", or the customer's whole address" if request.user.has_perm("accounts.view_user") else ""
        return f"BOT ID or a part of it{of_people}"

    def search_ways(self, request: HttpRequest, term: str) -> list[Way]:
        ways = bot_ways(term)
        if request.user.has_perm("accounts.view_user"):
            ways.append(by(Match.EXACT, "Customer's address", "email", term, prefix="customer__"))
        return best_first(ways)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        _require_look(self, request)
        return bot_page(request, object_id)

    def get_urls(self) -> list[Any]:
        moving = path("<int:bot_pk>/move/", self.admin_site.admin_view(bot_move), name="bot_move")
        return [moving, *super().get_urls()]


@admin.register(BotRequest)
class BotRequestAdmin(NamesExchange, ReadOnlyAdmin):
    """Bots that customers asked for. Decided on a page of its own."""

    list_display = (
        "asked_at",
        "customer",
        "exchange_name",
        "market",
        "status",
        "decided_at",
        "decided_by",
        "bot",
    )
    list_filter = (choices_filter("status", BotRequest.Status.choices),)
    list_select_related = ("customer", "decided_by", "bot")
    sortable_by = ("asked_at",)
    ordering = ("-asked_at",)

    def shown_columns(self, request: HttpRequest) -> Any:
        return _without_people(self.list_display, request, "decided_by")

    def get_urls(self) -> list[Any]:
        deciding = self.admin_site.admin_view(bot_request)
        return [path("<uuid:request_pk>/decide/", deciding, name="bot_request"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Its page is one of ours."""
        _require_look(self, request)
        return redirect("admin:bot_request", uuid_or_404(object_id))


def _without_people(names: Any, request: HttpRequest, *who: str) -> Any:
    """Who did what is for those who may see people."""
    sees_people = request.user.has_perm("accounts.view_user")
    return names if sees_people else tuple(name for name in names if name not in who)


def _require_look(of_model: ReadOnlyAdmin, request: HttpRequest) -> None:
    """A page of ours in place of a change form: for those who may look, and nothing is posted to it."""
    if request.method not in ("GET", "HEAD") or not of_model.has_view_permission(request):
        raise PermissionDenied


class NeedsFilter(admin.SimpleListFilter):
    """The queues of the front page, by the names that `apikeys.desk.queues` links to."""

    title = "needs a person"
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("revoke", "May move money by now"),
            ("account", "Of another exchange account"),
            ("retried", "Retried for too long"),
            ("refused", "Refused, and nothing new"),
            ("unknown", "Active, with unknown rights"),
            ("moved", "Active, moved to another account"),
            ("silent", "Active, without an answer"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        name, _, detail = (self.value() or "").partition(":")
        keys, now = ApiKey.objects, timezone.now()
        match name:
            case "revoke":
                return queryset & keys.about_to_be_revoked()
            case "account":
                return queryset & keys.held()
            case "retried":
                return queryset & keys.unanswered(now)
            case "refused":
                return queryset & keys.given_up(now)
            case "unknown":
                return queryset & keys.with_unknown_rights(detail)
            case "moved":
                return queryset & keys.of_concern().filter(concern=FindingCode.WRONG_ACCOUNT)
            case "silent":
                return queryset & keys.of_concern().filter(concern__in=RETRIED)
        return queryset


@admin.register(ApiKey)
class ApiKeyAdmin(ExportableAdmin, ReadOnlyAdmin):
    list_display = ("last_four", "bot", "status", "failed_checks", "submitted_at", "checked_at", "ended_at")
    list_filter = (
        NeedsFilter,
        choices_filter("status", KeyStatus.choices),
        choices_filter("exchange", _EXCHANGES),
    )
    has_search = True
    search_help_text = "Last four characters of the API key, account at the exchange, BOT ID or a part of it"
    list_select_related = ("bot",)
    sortable_by = ("submitted_at",)
    ordering = ("-submitted_at",)
    linked_by = ("bot__exact", "bot__customer__exact")
    export_fields: ClassVar = {
        "last_four": "last_four",
        "bot_id": "bot__bot_id",
        "client_id": "bot__customer__client_id",
        "exchange": Coalesce(NullIf("exchange", Value("")), "bot__exchange"),
        "market": "bot__market",
        "status": "status",
        "held": "held",
        "failed_checks": "failed_checks",
        "submitted_at": "submitted_at",
        "checked_at": "checked_at",
        "activated_at": "activated_at",
        "expires_at": "expires_at",
        "ended_at": "ended_at",
        "problem": "problem",
        "problem_since": "problem_since",
        "concern": "concern",
        "concern_since": "concern_since",
        "unknown_rights": "unknown_rights",
        "revoke_at": "revoke_at",
    }

    actions = (
        choosing.action(Act.CHECK_KEY, "Check the chosen keys again", seen="status"),
        choosing.action(Act.REVOKE_CHOSEN, "Revoke the chosen keys", seen="status"),
    )

    def shown_columns(self, request: HttpRequest) -> Any:
        """With the time of the revocation where it is what the list is about."""
        is_about_it = request.GET.get(NeedsFilter.parameter_name) == "revoke"
        if not is_about_it:
            return self.list_display
        # None of these has ended.
        return (*(name for name in self.list_display if name != "ended_at"), "revoke_at")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        _require_look(self, request)
        return key_page(request, object_id)

    def has_check_key_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Act.CHECK_KEY)

    def has_revoke_chosen_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Act.REVOKE_CHOSEN)

    def search_ways(self, request: HttpRequest, term: str) -> list[Way]:
        return best_first([*key_ways(term), *bot_ways(term, "bot__")])

    def get_urls(self) -> list[Any]:
        guarded = self.admin_site.admin_view
        return [
            path("<uuid:key_id>/account/", guarded(account), name="key_account"),
            path("<uuid:key_id>/check/", guarded(key_check), name="key_check"),
            path("<uuid:key_id>/revoke/", guarded(key_revoke), name="key_revoke"),
            path("of/<int:customer_pk>/revoke/", guarded(customer_revoke), name="customer_revoke"),
            *super().get_urls(),
        ]


@admin.register(Job)
class JobAdmin(NamesExchange, ReadOnlyAdmin):
    """Acts on many rows: what waits for a second lead, what runs, and what became of the rest."""

    list_display = (
        "act",
        "exchange_name",
        "status",
        "total",
        "done",
        "skipped",
        "asked_by",
        "asked_at",
        "ended_at",
    )
    list_filter = (choices_filter("status", Job.Status.choices), choices_filter("act", _JOBS))
    list_select_related = ("asked_by",)
    sortable_by = ("asked_at",)
    ordering = ("-asked_at",)

    def shown_columns(self, request: HttpRequest) -> Any:
        return _without_people(self.list_display, request, "asked_by")

    def get_urls(self) -> list[Any]:
        guarded = self.admin_site.admin_view
        return [
            path("exchange/revoke/", guarded(exchange_revoke), name="exchange_revoke"),
            path("<uuid:job_id>/progress/", guarded(job), name="job"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Its page is one of ours."""
        return redirect("admin:job", uuid_or_404(object_id))


def _with_owner(names: Any, request: HttpRequest) -> Any:
    """Whose a mail is as a way to their page, for whoever may open it."""
    if not request.user.has_perm("accounts.view_user"):
        return names
    return ["owner" if name == "owner_id" else name for name in names]


class MailAtDesk(ExportableAdmin, MailAdmin):
    """With what support does about a mail. Whose it is, and which address counts, is known here."""

    actions = (choosing.action(Act.RESEND_MAIL, "Send the chosen mails again", seen="times_resent"),)
    readonly_fields = ("owner",)
    export_fields: ClassVar = {name: name for name in (*MailAdmin.list_display, "last_answer")}

    @admin.display(description="person")
    def owner(self, mail: Mail) -> SafeString:
        """Their name stands in a table that neither the list nor the page reads."""
        page = reverse("admin:accounts_user_change", args=[mail.owner_id])
        return format_html('<a href="{}">{}</a>', page, mail.owner_id)

    def shown_columns(self, request: HttpRequest) -> Any:
        return _with_owner(self.list_display, request)

    def get_fields(self, request: HttpRequest, obj: Mail | None = None) -> Any:
        return _with_owner(super().get_fields(request, obj), request)

    def has_resend_mail_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Act.RESEND_MAIL)

    def get_urls(self) -> list[Any]:
        resending = self.admin_site.admin_view(mail_resend)
        return [path("<uuid:mail_id>/resend/", resending, name="mail_resend"), *super().get_urls()]


admin.site.unregister(Mail)
admin.site.register(Mail, MailAtDesk)


@admin.register(ExchangeState)
class ExchangeStateAdmin(NamesExchange, ReadOnlyAdmin):
    """Exchanges that have failed us, and how far their clocks are from ours."""

    list_display = (
        "exchange_name",
        "failures",
        "failing_since",
        "open_until",
        "answered_at",
        "clock_ahead_ms",
    )
    fields = (*list_display, "clock_measured_at", "swept_until")
    readonly_fields = ("exchange_name",)
    sortable_by = ("failures",)
    ordering = ("-failures",)
