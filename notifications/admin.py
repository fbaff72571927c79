"""Mail as support sees it: what was sent to whom and when, to read only. Bodies are left out."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from notifications.desk.filters import choices_filter
from notifications.desk.mail_search import mail_ways
from notifications.desk.search import Way
from notifications.kinds import MailKind
from notifications.models import Mail
from notifications.read_only import ReadOnlyAdmin

# Asked for by name: this app knows people by number alone.
_SEE_PEOPLE = "accounts.view_user"


class NeedsFilter(admin.SimpleListFilter):
    title = "needs a person"
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("undelivered", "Could not be delivered, lately")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        return queryset & Mail.objects.undelivered(timezone.now()) if self.value() else queryset


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("kind", "owner_id", "subject", "status", "tries", "created_at", "accepted_at")
    list_filter = (
        NeedsFilter,
        choices_filter("status", Mail.Status.choices),
        choices_filter("kind", MailKind.choices),
    )
    has_search = True
    sortable_by = ("created_at",)
    ordering = ("-created_at",)
    linked_by = ("owner_id__exact",)
    fields = (
        "kind",
        "status",
        "subject",
        "owner_id",
        "to",
        "cause",
        "created_at",
        "due_at",
        "accepted_at",
        "tries",
        "last_answer",
        "times_resent",
    )

    def search_ways(self, request: HttpRequest, term: str) -> list[Way]:
        return mail_ways(term, with_address=request.user.has_perm(_SEE_PEOPLE))

    def search_help(self, request: HttpRequest) -> str:
        if request.user.has_perm(_SEE_PEOPLE):
            return "The whole address, the customer's number, or a part of the subject"
        return "The customer's number, or a part of the subject"

    def get_fields(self, request: HttpRequest, obj: Mail | None = None) -> Any:
        if request.user.has_perm(_SEE_PEOPLE):
            return self.fields
        return [name for name in self.fields if name != "to"]
