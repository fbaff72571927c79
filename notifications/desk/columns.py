"""Columns of a list that show a field as it is, worked out once for a list instead of once for each cell.

For every cell of a named field Django looks the field up, makes a mapping of its choices, and asks for the
format of times, which together is half of the time of a page of 50 rows.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import BooleanField, DateTimeField, Field, JSONField, Model

Column = str | Callable[[Any], Any]


@cache
def column(model: type[Model], name: str) -> Column:
    """What Django's admin takes for a column, of the same name and heading. The name where it knows more."""
    try:
        field: Field[Any, Any] = model._meta.get_field(name)  # type: ignore[assignment]
    except FieldDoesNotExist:
        return name
    if field.is_relation or isinstance(field, BooleanField | JSONField):
        return name
    show = _reader(field)
    show.__name__ = name
    _plain.add(show)
    return admin.display(description=str(field.verbose_name), ordering=name)(show)


def is_plain(column: Callable[[Any], Any]) -> bool:
    """Whether it shows a field as text and no more: made here, of no tick, link or date of Django's."""
    return column in _plain


_plain: set[Callable[[Any], Any]] = set()


def _reader(field: "Field[Any, Any]") -> Callable[[Any], Any]:
    name = field.attname
    if field.flatchoices:
        labels = dict(field.flatchoices)
        return lambda row: labels.get(getattr(row, name))
    if isinstance(field, DateTimeField):
        return lambda row: when(getattr(row, name))
    return lambda row: getattr(row, name)


def when(at: datetime | None) -> str | None:
    """As DATETIME_FORMAT says it. Times are UTC, as everything here."""
    return f"{at:%-d %b %Y, %H:%M}" if at else None
