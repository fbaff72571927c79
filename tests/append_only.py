"""Takes the triggers off the append-only tables for a while, as whoever owns the database could."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from accounts.append_only import TABLES


@contextmanager
def triggers_off() -> Iterator[None]:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            found = [(name, sql) for name, sql in cursor.fetchall() if name.startswith(tuple(TABLES))]
        undo, redo = [f"DROP TRIGGER {name}" for name, _ in found], [sql for _, sql in found]
    else:
        # A table with foreign keys that are still to be checked cannot be altered.
        undo = ["SET CONSTRAINTS ALL IMMEDIATE", *(f"ALTER TABLE {t} DISABLE TRIGGER USER" for t in TABLES)]
        redo = [*(f"ALTER TABLE {t} ENABLE TRIGGER USER" for t in TABLES), "SET CONSTRAINTS ALL DEFERRED"]
    _execute(undo)
    try:
        yield
    finally:
        _execute(redo)


def _execute(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
