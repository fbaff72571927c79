"""Django's admin as it comes, over the same tables and with the same columns, to compare with.

To be looked at without the folder of the portal's own templates, some of which have the names of Django's.
"""

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model
from django.urls import path

from accounts.models import AuditEvent, User
from apikeys.models import ApiKey, Bot, Handover
from notifications.models import Mail
from sequence_portal.urls import urlpatterns as of_the_portal

site = AdminSite(name="stock")
LISTS: dict[type[Model], dict[str, Any]] = {
    User: {
        "list_display": ("__str__", "name", "email", "is_staff", "is_active", "created_at"),
        "list_filter": ("is_staff", "is_active"),
        "search_fields": ("client_id", "email", "name"),
        "ordering": ("-created_at",),
    },
    AuditEvent: {
        "list_display": ("at", "verb", "customer", "bot_id", "actor_kind", "address"),
        "list_filter": ("verb", "actor_kind"),
        "search_fields": ("customer__client_id", "customer__email", "bot_id"),
        "list_select_related": ("customer",),
        "ordering": ("-at", "-id"),
    },
    Bot: {
        "list_display": ("bot_id", "customer", "exchange", "market", "created_at"),
        "list_filter": ("exchange", "market"),
        "search_fields": ("bot_id", "customer__email"),
        "list_select_related": ("customer",),
    },
    ApiKey: {
        "list_display": ("last_four", "bot", "status", "submitted_at", "checked_at", "ended_at"),
        "list_filter": ("status", "exchange"),
        "search_fields": ("bot__bot_id", "last_four"),
        "list_select_related": ("bot",),
        "ordering": ("-submitted_at",),
    },
    Handover: {
        "list_display": ("number", "kind", "key", "created_at", "fetched_at", "settled_at", "outcome"),
        "list_filter": ("kind", "outcome"),
        "search_fields": ("key__bot__bot_id", "key__last_four"),
        "list_select_related": ("key__bot",),
        "ordering": ("-number",),
    },
    Mail: {
        "list_display": ("kind", "owner_id", "subject", "status", "tries", "created_at", "accepted_at"),
        "list_filter": ("kind", "status"),
        "search_fields": ("subject", "=to"),
        "ordering": ("-created_at",),
    },
}
for model, options in LISTS.items():
    site.register(model, type("Stock", (ModelAdmin,), options))

urlpatterns = [path("stock/", site.urls), *of_the_portal]
