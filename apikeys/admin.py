"""Bots and keys at the desk. A sealed secret is never shown, and this process could not open it."""

from django.contrib import admin

from apikeys.models import ApiKey, Bot, KeyCheck
from notifications.read_only import ReadOnly, ReadOnlyAdmin


@admin.register(Bot)
class BotAdmin(ReadOnlyAdmin):
    list_display = ("bot_id", "customer", "exchange", "market", "created_at")
    list_filter = ("exchange", "market")
    search_fields = ("bot_id", "customer__email")
    list_select_related = ("customer",)


class KeyCheckInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = KeyCheck
    fields = readonly_fields = ("started_at", "finished_at", "outcome", "exchange_code", "findings_json")
    extra = 0


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("last_four", "bot", "status", "failed_checks", "submitted_at", "checked_at", "ended_at")
    list_filter = ("status", "bot__exchange")
    search_fields = ("bot__bot_id", "last_four")
    list_select_related = ("bot",)
    ordering = ("-submitted_at",)
    exclude = ("sealed", "fingerprint", "claim")
    inlines = [KeyCheckInline]
