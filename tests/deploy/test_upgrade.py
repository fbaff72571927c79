"""Migrations run while the version before serves, so it must go on reading and writing what it knows."""

from collections.abc import Iterator

import pytest
from django.db import connection, models
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader

# The last migration of each app in the last release, 0.1.0. Moves with every release.
RELEASED = {"accounts": "0001_initial", "apikeys": "0001_initial", "notifications": "0001_initial"}
# What would make a statement of the version before fail, or means another thing to it.
BREAKING = (
    operations.RemoveField,
    operations.RenameField,
    operations.RenameModel,
    operations.DeleteModel,
    operations.AlterModelTable,
    operations.AddConstraint,
)
# Those that were looked at: the version before never writes what they forbid.
HARMLESS = {
    # Staff are made by a command and have no User ID.
    "accounts.0003_no_customer_is_staff: Create constraint no_customer_is_staff on model user",
}


def tables_of_the_release() -> Iterator[type[models.Model]]:
    loader = MigrationLoader(None)
    before = loader.project_state([*RELEASED.items()]).apps
    yield from (
        model for model in before.get_models(include_auto_created=True) if model._meta.app_label in RELEASED
    )


@pytest.mark.django_db
def test_it_lets_the_version_before_read_and_write_every_row() -> None:
    wrong: list[str] = []
    for model in tables_of_the_release():
        table = model._meta.db_table
        known = {field.column: field for field in model._meta.local_concrete_fields}
        with connection.cursor() as cursor:
            now = {
                column.name: column
                for column in connection.introspection.get_table_description(cursor, table)
            }
        wrong += [f"{table}.{name} is gone" for name in known.keys() - now.keys()]
        wrong += [
            f"{table}.{name} wants a value: give it a db_default or let it be null"
            for name, column in now.items()
            if name not in known and not column.null_ok and column.default is None
        ]
        wrong += [
            f"{table}.{name} takes no null any more"
            for name, field in known.items()
            if name in now and field.null and not now[name].null_ok
        ]
        wrong += [
            f"{table}.{name} became shorter"
            for name, field in known.items()
            if name in now
            and isinstance(field, models.CharField)
            and 0 < int(now[name].display_size or 0) < (field.max_length or 0)
        ]
    assert wrong == []


def test_it_forbids_nothing_that_the_version_before_does() -> None:
    known = {(model._meta.app_label, model._meta.model_name) for model in tables_of_the_release()}
    found = {
        f"{app}.{name}: {operation.describe()}"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app in RELEASED and name > RELEASED[app]
        for operation in migration.operations
        if isinstance(operation, BREAKING)
        and (app, getattr(operation, "model_name", getattr(operation, "name_lower", "")).lower()) in known
    }
    assert found == HARMLESS
