"""Pages of a list by the row at which they begin, not by a number of rows to skip.

A page costs the same wherever it is. Each row is shown once though others come in between, and "next" goes on
behind the row that was shown last even where that row is gone.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet

Fields = Sequence["Field[Any, Any]"]


class Side(StrEnum):
    AFTER = "after"
    BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Place:
    """Beside the row that has these values in the fields that the list is sorted by. Without: at an end."""

    side: Side = Side.AFTER
    values: tuple[Any, ...] = ()


FIRST, LAST = Place(Side.AFTER), Place(Side.BEFORE)


@dataclass(frozen=True, slots=True)
class Page:
    """previous, next: places as text for an address; empty where there is nothing more."""

    rows: list[Any]
    previous: str
    next: str

    @property
    def is_all(self) -> bool:
        return not self.previous and not self.next


def page(queryset: "QuerySet[Any]", fields: Fields, place: Place, *, descending: bool, size: int) -> Page:
    """The rows at a place, in one statement.

    fields: what the list is sorted by, all in one direction. None is ever null, and the last is unique.
    """
    backwards = place.side is Side.BEFORE
    down = descending != backwards
    rows = queryset.order_by(*(f"-{field.attname}" if down else field.attname for field in fields))
    if place.values:
        rows = rows.filter(_beyond(fields, place.values, down=down))
    found = list(rows[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_previous, has_next = (more, bool(place.values)) if backwards else (bool(place.values), more)
    return Page(
        rows=found,
        previous=as_text(Side.BEFORE, found[0], fields) if has_previous and found else "",
        next=as_text(Side.AFTER, found[-1], fields) if has_next and found else "",
    )


def as_text(side: Side, row: Model, fields: Fields) -> str:
    kept = json.dumps([field.value_to_string(row) for field in fields], separators=(",", ":"))
    return f"{side}.{base64.urlsafe_b64encode(kept.encode()).decode().rstrip('=')}"


def parse(text: str, fields: Fields) -> Place:
    """What cannot be read, or is of a list that was sorted otherwise, is the first page."""
    if text == "last":
        return LAST
    side, _, token = text.partition(".")
    try:
        kept = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        values = tuple(field.to_python(value) for field, value in zip(fields, kept, strict=True))
        return Place(Side(side), values) if None not in values else FIRST
    except (ValueError, TypeError, OverflowError, ValidationError, RecursionError):
        return FIRST


def _beyond(fields: Fields, values: tuple[Any, ...], *, down: bool) -> Q:
    """Behind the row with these values, field by field: a < x, or a = x and b < y.

    The first field is bounded once more by itself. PostgreSQL begins in the index there, which it cannot tell
    from the alternatives.
    """
    operator = "lt" if down else "gt"
    beyond, equal = Q(), Q()
    for field, value in zip(fields, values, strict=True):
        beyond |= equal & Q(**{f"{field.attname}__{operator}": value})
        equal &= Q(**{field.attname: value})
    return Q(**{f"{fields[0].attname}__{operator}e": values[0]}) & beyond
