"""A list of the desk as a file: what its filters and its search show, in named columns, after a reason.

An admin class names each column. Nothing else of a row is read, so a field that is added to a model is in no
file until somebody writes it here.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from accounts import audit
from accounts.access import fresh_proof
from accounts.addresses import client_address
from accounts.audit_verbs import Verb
from accounts.desk.forms import ReasonForm
from accounts.desk.page import agent, require
from accounts.roles import Act, may
from notifications.desk.csv_lines import lines
from notifications.desk.lists import KeysetChangeList, LargeTableAdmin

# Read from the database at once.
_ROWS = 2_000


class ExportableAdmin(LargeTableAdmin):
    """export_fields: the name of each column and what it has, such as `bot__bot_id`."""

    export_fields: ClassVar[Mapping[str, str | Combinable]]
    change_list_template = "admin/list_to_export.html"

    def get_urls(self) -> list[Any]:
        own = path("export/", self.admin_site.admin_view(self.export), name=self._export_name())
        return [own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown = dict(extra_context or {})
        if may(request.user, Act.EXPORT):
            query = request.GET.copy()
            query.pop(PAGE_VAR, None)
            shown["export_address"] = reverse(f"admin:{self._export_name()}", query=query)
        return super().changelist_view(request, shown)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @method_decorator(fresh_proof())  # type: ignore[arg-type]  # it decorates plain views
    def export(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """The page that says what will be in the file, and the file."""
        require(request, Act.EXPORT)
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        try:
            changes = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect(shown)
        assert isinstance(changes, KeysetChangeList)  # noqa: S101
        form = ReasonForm(request.POST if request.method == "POST" else None)
        words = filter_in_words(changes)
        if form.is_valid():
            with transaction.atomic():
                audit.record(
                    Verb.LIST_EXPORTED,
                    customer=None,
                    actor=agent(request),
                    address=client_address(request),
                    list=str(self.opts.verbose_name_plural),
                    filter=words,
                    number=str(changes.count),
                    reason=form.cleaned_data["reason"],
                )
            return self._file(changes)
        context = {
            "opts": self.opts,
            "title": f"Export {self.opts.verbose_name_plural}",
            "list_address": reverse(shown, query=request.GET),
            "rows": [
                ("List", str(self.opts.verbose_name_plural)),
                ("Shown", words),
                ("Rows", changes.count),
                ("Columns", ", ".join(self.export_fields)),
            ],
            "most": f"{settings.EXPORT_ROWS_MAX:,}",
            "form": form,
        }
        return TemplateResponse(request, "admin/export.html", self.admin_site.each_context(request) | context)

    def _file(self, changes: KeysetChangeList) -> StreamingHttpResponse:
        most = settings.EXPORT_ROWS_MAX
        rows = changes.queryset.values_list(*self.export_fields.values())[: most + 1]
        file = lines(
            list(self.export_fields),
            # A cursor of the server's: neither this process nor its driver ever holds more than these rows.
            rows.iterator(chunk_size=_ROWS),
            most=most,
            cut_off=f"Cut off after {most:,} rows. Narrow the list by its filters for the rest.",
        )
        name = f"{self.opts.verbose_name_plural}-{timezone.now():%Y%m%d-%H%M%S}.csv".replace(" ", "-")
        return StreamingHttpResponse(
            file,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name.lower()}"'},
        )

    def _export_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_export"


def filter_in_words(changes: KeysetChangeList) -> str:
    """What a list is narrowed by. Of a search only what it found by: the term may be somebody's address."""
    found = [
        f"{spec.title}: {label}"
        for spec in changes.filter_specs
        if isinstance(spec, SimpleListFilter) and (label := _label(spec))
    ]
    for lookup in changes.model_admin.linked_by:
        if value := changes.request.GET.get(lookup):
            found.append(f"{lookup.removesuffix('__exact').replace('__', ' ')} {value}")
    if changes.query:
        found.append(
            f"a search, found by {changes.way.why}" if changes.way else "a search that finds nothing"
        )
    return "; ".join(found) or "everything"


def _label(spec: SimpleListFilter) -> str:
    """The words of the chosen option. Behind a colon it may have a detail, which comes from outside."""
    value = str(spec.value() or "")
    labels = {str(key): str(label) for key, label in spec.lookup_choices}
    return labels.get(value) or labels.get(value.partition(":")[0], "")
