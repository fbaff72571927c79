"""People at the desk. Codes, attempts and devices are not shown to anybody."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Q
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.audit_verbs import Verb
from accounts.desk.address import address
from accounts.desk.export import ExportableAdmin
from accounts.desk.factors import factors
from accounts.desk.letter import customer_letter, letter, letter_pdf
from accounts.desk.mailbox import mailbox
from accounts.desk.people import customer_password, customer_sessions, person_unlock, staff_end
from accounts.desk.search import event_ways, person_ways
from accounts.mail_domains import Provider
from accounts.models import AddressChange, AuditEvent, MailboxHold, MailDomain, User
from notifications.desk.filters import Option, choices_filter, options_filter, yes_no_filter
from notifications.desk.search import Way, best_first, ways_of
from notifications.read_only import ReadOnlyAdmin


@admin.register(User)
class UserAdmin(ExportableAdmin, ReadOnlyAdmin):
    list_display = ("__str__", "name", "email", "account", "created_at")
    list_filter = (
        yes_no_filter("is_staff", "Staff", "Customers", "who"),
        yes_no_filter("is_active", "Open", "Closed", "account"),
    )
    has_search = True
    search_help_text = "User ID or half of it, address, or name"
    fields = ("client_id", "name", "email", "is_staff", "is_active", "created_at", "closed_at")
    export_fields: ClassVar = {name: name for name in fields}
    change_list_template = "admin/accounts/user/change_list.html"

    @admin.display
    def account(self, person: User) -> str:
        kind = "Staff" if person.is_staff else "Customer"
        return kind if person.is_active else f"{kind}, closed"

    def search_ways(self, request: HttpRequest, term: str) -> list[Way]:
        return person_ways(term)

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


@admin.register(AddressChange)
class AddressChangeAdmin(ReadOnlyAdmin):
    list_display = ("customer", "status", "new_email", "started_at", "started_by", "due_at", "ended_at")
    list_display_links = ("status",)
    list_filter = (
        options_filter(
            "open",
            [Option("1", "Waits to be confirmed, or on hold", Q(status__in=AddressChange.OPEN))],
            "under way",
        ),
        choices_filter("status", AddressChange.Status.choices),
    )
    has_search = True
    search_help_text = "User ID or half of it, name, or one of the addresses"
    list_select_related = ("user", "started_by")

    def search_ways(self, request: HttpRequest, term: str) -> list[Way]:
        of_change = [*ways_of(term, "Old address", "old_email"), *ways_of(term, "New address", "new_email")]
        return best_first([*person_ways(term, "user__"), *of_change])

    @admin.display(description="customer")
    def customer(self, change: AddressChange) -> SafeString:
        return _link("admin:customer_address", change.user)


@admin.register(MailboxHold)
class MailboxHoldAdmin(ReadOnlyAdmin):
    list_display = ("customer", "status", "email", "asked_at", "note", "decided_at", "decided_by")
    list_display_links = ("status",)
    list_filter = (choices_filter("status", MailboxHold.Status.choices),)
    has_search = True
    search_help_text = "User ID or half of it, name, or address"
    list_select_related = ("user", "decided_by")
    ordering = ("pk",)  # who asked first has waited longest

    def search_ways(self, request: HttpRequest, term: str) -> list[Way]:
        return best_first([*person_ways(term, "user__"), *ways_of(term, "Address", "email")])

    @admin.display(description="customer")
    def customer(self, hold: MailboxHold) -> SafeString:
        return _link("admin:customer_mailbox", hold.user)


@admin.register(MailDomain)
class MailDomainAdmin(ReadOnlyAdmin):
    list_display = ("name", "provider", "exchanger", "looked_up_at", "due_at")
    list_filter = (choices_filter("provider", Provider.choices),)
    has_search = True
    search_help_text = "A domain or a part of it"
    sortable_by = ("name", "due_at")
    ordering = ("name",)

    def search_ways(self, request: HttpRequest, term: str) -> list[Way]:
        return ways_of(term, "Domain", "name")


def _link(name: str, customer: User) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(name, args=[customer.pk]), customer)


def _in_words(verb: str) -> str:
    return verb.replace("_", " ").capitalize()


@admin.register(AuditEvent)
class AuditEventAdmin(ExportableAdmin, ReadOnlyAdmin):
    list_display = ("at", "what", "customer", "bot", "by", "address")
    list_filter = (
        choices_filter("actor_kind", [(kind, str(kind).capitalize()) for kind in AuditEvent.Actor], "by"),
        choices_filter("verb", [(verb, _in_words(verb)) for verb in Verb], "what"),
    )
    has_search = True
    search_help_text = "User ID or half of it, address, name, or a whole BOT ID"
    list_select_related = ("customer",)
    linked_by = ("customer__exact", "key_id__exact")
    export_fields: ClassVar = {
        "number": "id",
        "at": "at",
        "verb": "verb",
        "client_id": "customer__client_id",
        "bot_id": "bot_id",
        "key": "key_id",
        "actor_kind": "actor_kind",
        "actor": "actor_id",
        "address": "address",
    }
    fields = ("at", "what", "by", "actor", "customer", "key", "bot", "address", "more")
    readonly_fields = ("what", "by", "key", "bot", "more")

    @admin.display
    def what(self, event: AuditEvent) -> str:
        """As the filter names it. The sentence that customers read has places for what stands in `detail`."""
        return _in_words(event.verb)

    @admin.display
    def by(self, event: AuditEvent) -> str:
        return event.get_actor_kind_display()

    @admin.display(description="BOT ID")
    def bot(self, event: AuditEvent) -> str:
        return event.bot_id or "-"

    @admin.display
    def key(self, event: AuditEvent) -> str:
        if event.key_id is None:
            return "-"
        page = reverse("admin:apikeys_apikey_change", args=[event.key_id])
        return format_html('<a href="{}">{}</a>', page, event.key_id)

    @admin.display
    def more(self, event: AuditEvent) -> str:
        """The values that stand in its sentence."""
        return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in event.detail.items()) or "-"

    def search_ways(self, request: HttpRequest, term: str) -> list[Way]:
        return event_ways(term)


admin.site.unregister(Group)
