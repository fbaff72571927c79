"""People at the desk. Codes, attempts and devices are not shown to anybody."""

from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.models import AuditEvent, User
from notifications.read_only import ReadOnlyAdmin


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "name", "email", "is_staff", "is_active", "created_at")
    list_filter = ("is_staff", "is_active")
    search_fields = ("client_id", "email", "name")
    fields = ("client_id", "name", "email", "is_staff", "is_active", "created_at")
    ordering = ("-created_at",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "verb", "customer", "bot_id", "actor_kind", "address")
    list_filter = ("verb", "actor_kind")
    search_fields = ("customer__client_id", "customer__email", "bot_id")
    list_select_related = ("customer",)
    ordering = ("-at", "-id")


admin.site.unregister(Group)
