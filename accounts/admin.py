"""People at the desk. Codes, attempts and devices are not shown to anybody."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.desk.address import address
from accounts.desk.factors import factors
from accounts.desk.letter import customer_letter, letter, letter_pdf
from accounts.desk.mailbox import mailbox
from accounts.desk.people import customer_password, customer_sessions, person_unlock, staff_end
from accounts.models import AddressChange, AuditEvent, MailboxHold, MailDomain, User
from notifications.read_only import ReadOnlyAdmin


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "name", "email", "is_staff", "is_active", "created_at")
    list_filter = ("is_staff", "is_active")
    search_fields = ("client_id", "email", "name")
    fields = ("client_id", "name", "email", "is_staff", "is_active", "created_at", "closed_at")
    ordering = ("-created_at",)

    def get_urls(self) -> list[Any]:
        guarded = self.admin_site.admin_view
        return [
            path("<int:customer_pk>/address/", guarded(address), name="customer_address"),
            path("<int:person_pk>/factors/", guarded(factors), name="person_factors"),
            path("<int:customer_pk>/mailbox/", guarded(mailbox), name="customer_mailbox"),
            path("<int:customer_pk>/sessions/", guarded(customer_sessions), name="customer_sessions"),
            path("<int:customer_pk>/password/", guarded(customer_password), name="customer_password"),
            path("<int:person_pk>/unlock/", guarded(person_unlock), name="person_unlock"),
            path("<int:person_pk>/end/", guarded(staff_end), name="staff_end"),
            path("<int:customer_pk>/letter/", guarded(customer_letter), name="customer_letter"),
            path("<int:customer_pk>/letter/<uuid:mail_id>/", guarded(letter), name="letter"),
            path("<int:customer_pk>/letter/<uuid:mail_id>/pdf/", guarded(letter_pdf), name="letter_pdf"),
            *super().get_urls(),
        ]


class OpenFilter(admin.SimpleListFilter):
    title = "under way"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "waits to be confirmed, or on hold")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AddressChange]) -> QuerySet[AddressChange]:
        return queryset & AddressChange.objects.open() if self.value() else queryset


@admin.register(AddressChange)
class AddressChangeAdmin(ReadOnlyAdmin):
    list_display = ("customer", "status", "new_email", "started_at", "started_by", "due_at", "ended_at")
    list_display_links = ("status",)
    list_filter = (OpenFilter, "status")
    search_fields = ("user__client_id", "old_email", "new_email")
    list_select_related = ("user", "started_by")
    ordering = ("-started_at",)

    @admin.display(description="customer", ordering="user__client_id")
    def customer(self, change: AddressChange) -> SafeString:
        return _link("admin:customer_address", change.user)


@admin.register(MailboxHold)
class MailboxHoldAdmin(ReadOnlyAdmin):
    list_display = ("customer", "status", "email", "asked_at", "note", "decided_at", "decided_by")
    list_display_links = ("status",)
    list_filter = ("status",)
    search_fields = ("user__client_id", "email")
    list_select_related = ("user", "decided_by")
    ordering = ("asked_at",)

    @admin.display(description="customer", ordering="user__client_id")
    def customer(self, hold: MailboxHold) -> SafeString:
        return _link("admin:customer_mailbox", hold.user)


@admin.register(MailDomain)
class MailDomainAdmin(ReadOnlyAdmin):
    list_display = ("name", "provider", "exchanger", "looked_up_at", "due_at")
    list_filter = ("provider",)
    search_fields = ("name",)
    ordering = ("name",)


def _link(name: str, customer: User) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(name, args=[customer.pk]), customer)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "verb", "customer", "bot_id", "actor_kind", "address")
    list_filter = ("verb", "actor_kind")
    search_fields = ("customer__client_id", "customer__email", "bot_id")
    list_select_related = ("customer",)
    ordering = ("-at", "-id")


admin.site.unregister(Group)
