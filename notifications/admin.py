"""Mail as support sees it: what was sent to whom and when, to read only. Bodies are left out."""

from django.contrib import admin

from notifications.models import Mail
from notifications.read_only import ReadOnlyAdmin


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("kind", "owner_id", "subject", "status", "tries", "created_at", "due_at", "accepted_at")
    list_filter = ("kind", "status")
    search_fields = ("=owner_id", "=to")
    search_help_text = "The customer's number or the whole address"
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fields = (
        ("kind", "status"),
        "subject",
        ("owner_id", "to"),
        "cause",
        ("created_at", "due_at", "accepted_at"),
        ("tries", "last_answer"),
    )
