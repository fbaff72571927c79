"""Many rows at once: by COPY on PostgreSQL, by executemany on SQLite."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.color import no_style
from django.db import connection, models
from django.db.models.expressions import DatabaseDefault

_AT_ONCE = 2_000


class Table:
    """Takes rows by field name and writes them when there are enough. Values of JSON fields come as text.

    A field that a row does not name gets its default; without `numbered` the database gives the primary key.
    in_order_of: rows are kept aside and written in the order of this field, so that numbers follow it.
    """

    def __init__(self, model: type[models.Model], *, numbered: bool = False, in_order_of: str = "") -> None:
        self.model = model
        fields = [f for f in model._meta.concrete_fields if numbered or not f.primary_key]
        self._defaults = [(field.attname, _default(field)) for field in fields]
        self._columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
        self._table = connection.ops.quote_name(model._meta.db_table)
        self._order = in_order_of
        self._aside = f"filling_{model._meta.db_table}" if in_order_of else self._table
        self._rows: list[Sequence[Any]] = []
        if in_order_of:
            # Names come from the models, here and below, never from outside.
            empty = f"SELECT {self._columns} FROM {self._table} WHERE 1 = 0"  # noqa: S608 # nosec B608
            _execute(f"CREATE TEMPORARY TABLE {self._aside} AS {empty}")

    def add(self, **row: Any) -> None:
        self._rows.append([row.get(name, default) for name, default in self._defaults])
        if len(self._rows) >= _AT_ONCE:
            self._write()

    def finish(self) -> None:
        self._write()
        if self._order:
            order = connection.ops.quote_name(self._order)
            rows = f"SELECT {self._columns} FROM {self._aside} ORDER BY {order}"  # noqa: S608 # nosec B608
            _execute(f"INSERT INTO {self._table} ({self._columns}) {rows}")
            _execute(f"DROP TABLE {self._aside}")

    def _write(self) -> None:
        rows, self._rows = self._rows, []
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {self._aside} ({self._columns}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            elif rows:
                marks = ", ".join(["%s"] * len(self._defaults))
                insert = f"INSERT INTO {self._aside} ({self._columns}) VALUES ({marks})"  # noqa: S608 # nosec B608
                cursor.executemany(insert, [[_for_sqlite(value) for value in row] for row in rows])


def next_number(model: type[models.Model]) -> int:
    newest: int | None = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    return (newest or 0) + 1


def count_on(numbered: Iterable[type[models.Model]]) -> None:
    """Numbers that the database gives go on behind those that were written."""
    for statement in connection.ops.sequence_reset_sql(no_style(), list(numbered)):
        _execute(statement)


def analyze() -> None:
    """The planner would otherwise take the tables for empty."""
    _execute("ANALYZE")


def as_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _default(field: "models.Field[Any, Any]") -> Any:
    value = field.get_default()
    if isinstance(value, DatabaseDefault):  # a list of all columns does not ask the database for its own
        value = field.db_default
    return as_json(value) if isinstance(field, models.JSONField) and value is not None else value


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value.hex if isinstance(value, UUID) else value


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
