"""The SQL by which the database itself refuses to change or delete what is only ever added.

For migrations. SQLite loses the triggers of a table when a migration makes that table anew, so such a
migration ends with `forbid_changes` too; `tests/accounts/test_append_only.py` finds one that does not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Table, and the columns that are unique in it.
TABLES: Mapping[str, Sequence[str]] = {
    "accounts_auditevent": ("id",),
    "accounts_auditlink": ("number", "event_id"),
}

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION accounts_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
# For each statement: it holds for TRUNCATE too, which passes by the triggers of rows.
_POSTGRESQL = """
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION accounts_append_only()
"""
_SQLITE = """
CREATE TRIGGER IF NOT EXISTS {table}_no_{act} BEFORE {act} ON {table} {when}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""


def forbid_changes(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the triggers that are missing. For RunPython."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_POSTGRESQL_FUNCTION, params=None)  # it holds a % of its own
        for table in TABLES:
            schema_editor.execute(_POSTGRESQL.format(table=table))
        return
    for table, unique in TABLES.items():
        for act in ("UPDATE", "DELETE"):
            schema_editor.execute(_SQLITE.format(table=table, act=act, when=""))
        # INSERT OR REPLACE deletes the row in its way without asking the trigger for deletions.
        taken = " OR ".join(f"{column} = NEW.{column}" for column in unique)
        when = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken})"  # noqa: S608 - names of ours # nosec B608
        schema_editor.execute(_SQLITE.format(table=table, act="INSERT", when=when))


def allow_changes(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The way back of the same migration."""
    for table in TABLES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER append_only ON {table}")
        else:
            for act in ("UPDATE", "DELETE", "INSERT"):
                schema_editor.execute(f"DROP TRIGGER {table}_no_{act}")
