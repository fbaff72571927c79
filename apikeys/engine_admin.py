"""The trading engine at the desk: what it was offered, and the tokens that open its door."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator

from accounts import audit
from accounts.access import fresh_proof
from accounts.addresses import client_address
from accounts.audit_verbs import Verb
from accounts.desk.forms import ReasonForm
from accounts.desk.page import agent
from accounts.roles import Act, may
from apikeys.desk import columns
from apikeys.desk.engine_tokens import tokens_revoke
from apikeys.desk.search import bot_ways, key_ways
from apikeys.engine import tokens
from apikeys.models import EngineToken, Handover, Scope
from notifications.desk.filters import Option, OptionsFilter, choices_filter
from notifications.desk.search import Way, best_first
from notifications.read_only import ReadOnlyAdmin


class WaitingFilter(OptionsFilter):
    title = "waiting"
    parameter_name = "waiting"

    def get_options(self) -> list[Option]:
        late = timezone.now() - settings.ENGINE_LATE
        return [
            Option("pending", "Not settled yet", Q(settled_at=None)),
            Option("late", "For longer than it should", Q(settled_at=None, created_at__lte=late)),
        ]


@admin.register(Handover)
class HandoverAdmin(ReadOnlyAdmin):
    """What the trading engine was offered and what it answered. Envelopes are not shown to anybody."""

    list_display = ("number", "kind", "key", "created_at", "fetched_at", "settled_at", "outcome", "reason")
    list_filter = (
        WaitingFilter,
        choices_filter("kind", Handover.Kind.choices),
        choices_filter("outcome", Handover.Outcome.choices),
    )
    has_search = True
    search_help_text = "BOT ID or a part of it, or the last four characters of the API key"
    list_select_related = ("key__bot",)
    sortable_by = ("number",)
    ordering = ("-number",)
    exclude = ("envelope",)

    def search_ways(self, request: HttpRequest, term: str) -> list[Way]:
        return best_first([*key_ways(term, "key__"), *bot_ways(term, "key__bot__")])


class EngineTokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """Makes a token. It is shown once, in the answer to this form, and kept nowhere."""

    reason = ReasonForm.base_fields["reason"]

    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)
    addresses = forms.CharField(
        required=False, help_text="Addresses and networks, parted by commas. Empty: usable from anywhere."
    )
    days = forms.IntegerField(min_value=1, max_value=3650, initial=365, help_text="How long it lives.")

    class Meta:
        model = EngineToken
        fields = ("name", "scopes", "addresses", "days", "reason")

    def clean_addresses(self) -> list[str]:
        try:
            return tokens.networks(self.cleaned_data["addresses"].replace(",", " ").split())
        except ValueError:
            raise forms.ValidationError(
                "These are no network addresses. They look like 10.0.0.0/24, 192.0.2.7."
            ) from None


@admin.register(EngineToken)
class EngineTokenAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        columns.scopes,
        columns.addresses,
        "created_at",
        "expires_at",
        "used_at",
        "revoked_at",
    )
    form = EngineTokenForm
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, Act.MANAGE_ENGINE_TOKENS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Act.MANAGE_ENGINE_TOKENS)

    def get_fieldsets(self, request: HttpRequest, obj: EngineToken | None = None) -> Any:
        shown = EngineTokenForm.Meta.fields if obj is None else self.list_display
        return [(None, {"fields": shown})]

    # A token opens what every bot trades with: who makes or ends one was proved lately.
    @method_decorator(fresh_proof())  # type: ignore[arg-type]  # it decorates plain views
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return super().changeform_view(request, object_id, form_url, extra_context)

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: EngineToken, form: Any, change: bool) -> None:
        made = form.cleaned_data
        obj.text = tokens.make(
            obj,
            name=made["name"],
            scopes=[Scope(scope) for scope in made["scopes"]],
            addresses=made["addresses"],
            life=timedelta(days=made["days"]),
        )
        audit.record(
            Verb.ENGINE_TOKEN_MADE,
            customer=None,
            actor=agent(request),
            address=client_address(request),
            name=obj.name,
            reason=made["reason"],
        )

    def response_add(
        self, request: HttpRequest, obj: EngineToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """At once, and not led to another page: a message to that one would lie in the row of the session."""
        context = {"opts": self.opts, "title": f"Engine token {obj}", "token": obj}
        return TemplateResponse(
            request, "admin/apikeys/enginetoken/made.html", self.admin_site.each_context(request) | context
        )

    @admin.action(description="Revoke the chosen tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[EngineToken]) -> HttpResponse:
        of = list(chosen.order_by("pk").values_list("pk", flat=True))
        return redirect(reverse("admin:tokens_revoke", query={"of": of}))

    def get_urls(self) -> list[Any]:
        revoking = path("revoke/", self.admin_site.admin_view(tokens_revoke), name="tokens_revoke")
        return [revoking, *super().get_urls()]
