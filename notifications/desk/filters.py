"""Filters of a list whose options are known beforehand, each with the number of rows that it would show.

Django's own look for the values that occur, or count each option by itself, which reads the whole table.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from notifications.desk.counts import AT_MOST, Part, part_of, parts_of_values


@dataclass(frozen=True, slots=True)
class Option:
    value: str  # in the address
    label: str
    condition: Q


class OptionsFilter(SimpleListFilter):
    """title, parameter_name and options are given by a subclass.

    field: a text field, where each option is one of its values.
    """

    options: Sequence[Option] = ()
    field = ""

    def get_options(self) -> Sequence[Option]:
        return self.options

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(option.value, option.label) for option in self.get_options()]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = [option for option in self.get_options() if option.value == self.value()]
        return queryset.filter(chosen[0].condition) if chosen else queryset

    def parts(self, rows: "QuerySet[Any]") -> list[Part]:
        """What each option would show of these rows, to be counted."""
        if self.field:
            return parts_of_values(rows, self.field, [option.value for option in self.get_options()])
        return [part_of(rows.filter(option.condition)) for option in self.get_options()]

    def choices(self, changelist: Any) -> Iterator[Any]:
        everything, *options = super().choices(changelist)
        yield everything
        numbers = changelist.numbers_of(self)
        for choice, option in zip(options, self.get_options(), strict=True):
            yield {**choice, "display": _with_number(option.label, numbers.get(option.value))}


def choices_filter(field: str, choices: Iterable[tuple[str, str]], title: str = "") -> type[OptionsFilter]:
    """By the values of one field. The address has them as Django's own filter does."""
    options = [Option(str(value), str(label), Q(**{field: value})) for value, label in choices]
    named = title or field.rpartition("__")[2].replace("_", " ")
    made = options_filter(f"{field}__exact", options, named)
    made.field = field
    return made


def yes_no_filter(field: str, yes: str, no: str, title: str) -> type[OptionsFilter]:
    options = [Option("1", yes, Q(**{field: True})), Option("0", no, Q(**{field: False}))]
    return options_filter(f"{field}__exact", options, title)


def options_filter(parameter: str, options: Sequence[Option], title: str) -> type[OptionsFilter]:
    return type(
        "Options", (OptionsFilter,), {"parameter_name": parameter, "title": title, "options": options}
    )


def _with_number(label: str, number: int | None) -> str:
    if number is None:
        return label
    return f"{label} ({number:,}{'+' if number >= AT_MOST else ''})"
