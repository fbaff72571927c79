"""Indexes that the search of the desk needs on PostgreSQL, and how any index is made while the portal serves.

They are no part of the models: SQLite knows neither the operator classes nor trigrams, and needs none at the
size that it is for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps.registry import Apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import DatabaseError, connection, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NO_TRIGRAMS = (
    "The database has no extension pg_trgm, and this role may not make it. The desk's search finds beginnings"
    " only. Let a superuser run CREATE EXTENSION pg_trgm, then run: python manage.py make_search_indexes"
)


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """expression: as Django's `istartswith` and `icontains` write it. trigrams: for any piece of a text."""

    name: str
    table: str
    expression: str
    trigrams: bool

    @property
    def sql(self) -> str:
        kind = "gin ({} gin_trgm_ops)" if self.trigrams else "btree ({} text_pattern_ops)"
        return (
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {self.name} ON {self.table}"
            f" USING {kind.format(self.expression)}"
        )


def for_search(table: str, name: str, expression: str) -> tuple[SearchIndex, SearchIndex]:
    """Of one text: for its beginning, and for any piece of it."""
    return (
        SearchIndex(f"{name}_begin", table, expression, trigrams=False),
        SearchIndex(f"{name}_inside", table, expression, trigrams=True),
    )


def make(indexes: Sequence[SearchIndex]) -> bool:
    """False where there are no trigrams. Outside a transaction, on PostgreSQL."""
    with connection.cursor() as cursor:
        for index in indexes:
            if not index.trigrams:
                cursor.execute(index.sql)
        try:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            return False
        for index in indexes:
            if index.trigrams:
                cursor.execute(index.sql)
    return True


def has_trigrams() -> bool:
    """Whether a piece of a text is found without reading the whole table. On SQLite tables are small."""
    if connection.vendor != "postgresql":
        return True
    if not _seen:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%' LIMIT 1")
            if cursor.fetchone():
                _seen.append(True)
    return bool(_seen)


_seen: list[bool] = []  # once there they stay, so that nobody looks again


def migration_of(indexes: Sequence[SearchIndex]) -> migrations.RunPython:
    """For a migration that is not atomic."""
    return migrations.RunPython(_forwards(indexes), _backwards(indexes))


_Step = Callable[[Apps, BaseDatabaseSchemaEditor], None]


def _forwards(indexes: Sequence[SearchIndex]) -> _Step:
    def step(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql" and not make(indexes):
            print(f"\n{NO_TRIGRAMS}")  # noqa: T201 - for whoever migrates

    return step


def _backwards(indexes: Sequence[SearchIndex]) -> _Step:
    def step(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            with schema_editor.connection.cursor() as cursor:
                for index in indexes:
                    cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}")

    return step


class AddIndexWhileServing(AddIndexConcurrently):
    """An index of a model that holds up nobody who writes meanwhile. In a migration that is not atomic."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            # One that was stopped half-way leaves an index that nothing uses, in the way of the next try.
            name = schema_editor.quote_name(self.index.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
