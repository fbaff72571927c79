"""How many rows there are: counted where that is quick, else as the planner thinks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet, Value

# In units of the planner, a thousand of which are a few milliseconds. What costs more is not counted.
_DEAREST = 4_000
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


def count_each(querysets: Sequence["QuerySet[Any]"]) -> list[int] | None:
    """How many rows each has, up to AT_MOST, all in one statement. None where that would take too long."""
    parts: list[str] = []
    parameters: list[Any] = []
    for queryset in querysets:
        try:
            few = queryset.order_by().values(one=Value(1))[:AT_MOST]
            sql, values = few.query.sql_with_params()
        except EmptyResultSet:
            sql, values = "SELECT 1 WHERE 1 = 0", ()
        # Written by Django from querysets, values apart.
        parts.append(f"(SELECT COUNT(*) FROM ({sql}) AS part)")  # noqa: S608 # nosec B608
        parameters += values
    statement = f"SELECT {', '.join(parts)}"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            if _plan(cursor.fetchone())["Total Cost"] > _DEAREST:
                return None
        cursor.execute(statement, parameters)
        return list(cursor.fetchone())


def _plan(row: Any) -> Mapping[str, Any]:
    found = row[0]
    plan: Mapping[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def _rounded(number: float) -> int:
    """To two digits: more of them the planner does not know."""
    return int(float(f"{number:.1e}"))
