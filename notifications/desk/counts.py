"""How many rows there are: counted where that is quick, else as the planner thinks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet, Value

# In units of the planner, and what costs more is not counted. A thousand are 5 milliseconds where rows are
# counted in an index, and up to 30 where they are looked up, as for most options of filters.
_DEAREST = 3_000
_DEAREST_OPTIONS = 1_500
# Of a filter's options, how far is counted.
AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Count:
    number: int
    is_exact: bool = True

    def __str__(self) -> str:
        return f"{self.number:,}" if self.is_exact else f"about {self.number:,}"


def count(queryset: "QuerySet[Any]") -> Count:
    """Exact on SQLite, and wherever it is quick."""
    rows = queryset.order_by().values("pk")
    if connection.vendor == "postgresql":
        try:
            plan = json.loads(rows.explain(format="json"))[0]["Plan"]
        except EmptyResultSet:
            return Count(0)
        if plan["Total Cost"] > _DEAREST:
            return Count(_rounded(plan["Plan Rows"]), is_exact=False)
    return Count(rows.count())


@dataclass(frozen=True, slots=True)
class Part:
    """What selects the rows that are counted, up to AT_MOST of them. Values apart."""

    sql: str
    values: Sequence[Any]


def part_of(queryset: "QuerySet[Any]") -> Part:
    try:
        sql, values = queryset.order_by().values(one=Value(1))[:AT_MOST].query.sql_with_params()
    except EmptyResultSet:
        return Part("SELECT 1 WHERE 1 = 0", ())
    return Part(sql, values)


def parts_of_values(queryset: "QuerySet[Any]", field: str, values: Sequence[str]) -> list[Part]:
    """The rows with each value of a text field. Written once: it takes Django longer than the counting."""
    written = part_of(queryset.filter(**{field: _ANY}))
    return [
        Part(written.sql, [value if each == _ANY else each for each in written.values]) for value in values
    ]


_ANY = "any of the values"  # no field has it


def count_each(parts: Sequence[Part]) -> list[int] | None:
    """How many rows each has, all in one statement. None where that would take too long."""
    # Written by Django from querysets, values apart.
    selected = ", ".join(f"(SELECT COUNT(*) FROM ({part.sql}) AS part)" for part in parts)  # noqa: S608 # nosec B608
    statement, values = f"SELECT {selected}", [value for part in parts for value in part.values]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
            if _plan(cursor.fetchone())["Total Cost"] > _DEAREST_OPTIONS:
                return None
        cursor.execute(statement, values)
        return list(cursor.fetchone())


def _plan(row: Any) -> Mapping[str, Any]:
    found = row[0]
    plan: Mapping[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def _rounded(number: float) -> int:
    """To two digits: more of them the planner does not know."""
    return int(float(f"{number:.1e}"))
