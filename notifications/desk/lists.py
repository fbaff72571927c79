"""The list that every model has at the desk: quick however many rows there are, and without scripts."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.db.models import BinaryField, Field, JSONField, Model, QuerySet, TextField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from notifications.desk import columns, counts, keyset, search
from notifications.desk.filters import OptionsFilter

# Options of a list's filters that are counted while it is narrowed. An event has seventy, and to plan them
# together with another filter takes longer than the page may.
_MOST_COUNTED = 40


class KeysetChangeList(ChangeList):
    """Django's, with pages by keyset, counts that cost little, and a search that knows the better match.

    Sorted by one field and the primary key behind it, in one direction.
    """

    model_admin: "LargeTableAdmin"
    multi_page = can_show_all = show_all = False  # of Django's own pages, which skip rows
    way: search.Way | None = None  # by which the search found something

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        by = super().get_ordering(request, queryset)[0]
        if not isinstance(by, str) or by.lstrip("-") not in (*self.model_admin.sortable_by, "pk"):
            self.params.pop(ORDER_VAR, None)
            by = self.model_admin.ordering[0]
        self.descending = by.startswith("-")
        name, key = by.lstrip("-"), self.lookup_opts.pk
        first: Any = key if name == "pk" else self.lookup_opts.get_field(name)
        self.sorted_by: list[Field[Any, Any]] = [first] if first == key else [first, key]
        return [f"-{field.attname}" if self.descending else field.attname for field in self.sorted_by]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> "QuerySet[Any]":
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        self.ways = self.model_admin.search_ways(request, self.query) if self.query else []
        if self.query:
            self.way = search.first_way(self.root_queryset, self.ways)
            rows = self.way.narrow(rows) if self.way else rows.none()
        shown = [getattr(column, "admin_order_field", column) for column in self.list_display]
        return rows.defer(*_wide_fields(self.model, self.list_select_related, but=shown))

    def get_results(self, request: HttpRequest) -> None:
        self.request = request
        place = keyset.parse(request.GET.get(PAGE_VAR, ""), self.sorted_by)
        page = keyset.page(
            self.queryset, self.sorted_by, place, descending=self.descending, size=self.list_per_page
        )
        if not page.rows and place != keyset.FIRST:
            page = keyset.page(
                self.queryset,
                self.sorted_by,
                keyset.FIRST,
                descending=self.descending,
                size=self.list_per_page,
            )
        self.page, self.result_list = page, page.rows
        self.count = counts.Count(len(page.rows)) if page.is_all else counts.count(self.queryset)
        self.result_count, self.full_result_count = self.count.number, None
        self.show_full_result_count, self.show_admin_actions = False, bool(page.rows)

    def url_for_result(self, result: Model) -> str:
        """With what the list is narrowed to, for the way back. Worked out once for all rows."""
        if not hasattr(self, "_around"):
            page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            before, after = reverse(page, args=["row"]).rsplit("row", 1)
            self._around = before, f"{after}?{self.preserved_filters}" if self.preserved_filters else after
            self.preserved_filters = ""  # else Django resolves the address of each row, to add them
        before, after = self._around
        return f"{before}{quote(getattr(result, self.pk_attname))}{after}"

    def pages(self) -> list[tuple[str, str]]:
        """Words and address of each page that can be gone to from here."""
        previous, following = self.page.previous, self.page.next
        to = {
            "First": previous and None,
            "Previous": previous,
            "Next": following,
            "Last": following and "last",
        }
        return [(words, self.get_query_string({PAGE_VAR: at})) for words, at in to.items() if at != ""]

    def numbers_of(self, wanted: OptionsFilter) -> dict[str, int]:
        """How many rows each option of a filter would show, those of all filters counted at once."""
        if not hasattr(self, "_numbers"):
            self._numbers = self._count_options()
        return self._numbers.get(wanted.parameter_name or "", {})

    def _count_options(self) -> dict[str, dict[str, int]]:
        if self.query:  # planning dozens of searches alone would take longer than the page may
            return {}
        specs = [spec for spec in self.filter_specs if isinstance(spec, OptionsFilter)]
        # How many rows wait for a person the planner cannot tell, nor whether they are quickly counted.
        if any(spec.used_parameters for spec in self.filter_specs if not isinstance(spec, OptionsFilter)):
            return {}
        parts = [spec.parts(self._without(spec)) for spec in specs]
        if sum(map(len, parts)) > _MOST_COUNTED and self.has_active_filters:
            return {}
        found = iter(counts.count_each([part for of_spec in parts for part in of_spec]) or ())
        return {
            spec.parameter_name or "": {
                option.value: number for option, number in zip(spec.get_options(), found, strict=False)
            }
            for spec in specs
        }

    def _without(self, but: OptionsFilter) -> "QuerySet[Any]":
        """The rows of every filter but one."""
        rows = self.root_queryset
        for spec in self.filter_specs:
            if spec is not but and (narrowed := spec.queryset(self.request, rows)) is not None:
                rows = narrowed
        return rows


class LargeTableAdmin(ModelAdmin):  # type: ignore[type-arg]  # takes a parameter in stubs only
    """sortable_by, ordering: fields that are never null, and each the first of an index.

    linked_by: lookups that links from other pages have in their address, such as `bot__exact`. No other is
    taken from an address: one on a column like `password` would tell it letter by letter.
    """

    list_per_page = 50
    show_facets = ShowFacets.NEVER
    sortable_by: ClassVar[tuple[str, ...]] = ()
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    linked_by: ClassVar[tuple[str, ...]] = ()
    has_search: ClassVar[bool] = False

    def shown_columns(self, request: HttpRequest) -> Sequence[columns.Column]:
        """The columns for this request, as `list_display` has them."""
        return self.list_display

    def get_list_display(self, request: HttpRequest) -> list[columns.Column]:
        return [self._column(name) for name in self.shown_columns(request)]

    def get_sortable_by(self, request: HttpRequest) -> list[columns.Column]:
        return [self._column(name) for name in self.sortable_by]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        links = super().get_list_display_links(request, list_display)
        return links and [self._column(one) for one in links]

    def _column(self, column: columns.Column) -> columns.Column:
        model: Any = self.model
        return columns.column(model, column) if isinstance(column, str) else column

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        shown = super().get_changelist_instance(request)
        shown.search_help_text = self.search_help(request)
        shown.title = capfirst(str(self.opts.verbose_name_plural))
        return shown

    @admin.display(description="Choose")
    def action_checkbox(self, obj: Model) -> SafeString:
        """As Django's own, which renders a template for each row: a fifth of the time of a list."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="Choose {}">',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            obj,
        )

    def search_help(self, request: HttpRequest) -> str:
        """What can be searched for, by this person."""
        return str(self.search_help_text or "")

    def search_ways(self, request: HttpRequest, term: str) -> list[search.Way]:
        """What a term may stand for here, the better match first. For admins that have a search."""
        return []

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        """The list searches by itself."""
        return queryset, False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        of_filters = {getattr(one, "parameter_name", None) for one in self.get_list_filter(request)}  # type: ignore[arg-type]
        return lookup in of_filters or lookup in self.linked_by


def _wide_fields(model: type[Model], related: Any, *, but: Any) -> list[str]:
    """Most bytes of a row are in these, and a list shows none of them."""
    found = _wide_of(model)
    for path in related if isinstance(related, list | tuple) else ():
        other: Any = model
        prefix = ""
        for part in path.split("__"):
            other = other._meta.get_field(part).related_model
            prefix += f"{part}__"
            found += _wide_of(other, prefix)
    return [name for name in found if name not in but]


def _wide_of(model: type[Model], prefix: str = "") -> list[str]:
    wide = (BinaryField, JSONField, TextField)
    return [f"{prefix}{field.name}" for field in model._meta.concrete_fields if isinstance(field, wide)]
