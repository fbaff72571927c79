"""What is only ever added is changed by nobody, whatever way around the models is taken."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.append_only import TABLES
from accounts.audit_verbs import Verb
from accounts.models import AuditEvent, AuditLink, User

pytestmark = pytest.mark.django_db

STATEMENTS = [
    "UPDATE {table} SET {column} = {column} + 1000",
    "UPDATE {table} SET {column} = {column} WHERE {column} > 0",
    "DELETE FROM {table}",
    "DELETE FROM {table} WHERE {column} > 0",
]
MORE = {
    "postgresql": [
        "TRUNCATE {table} CASCADE",
        "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({column}) DO UPDATE SET {column} = 7",
    ],
    "sqlite": [
        "REPLACE INTO {table} SELECT * FROM {table}",
        "INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT DO UPDATE SET {column} = 7",
    ],
}


@pytest.fixture
def rows(alice: User) -> Callable[[], list[object]]:
    with transaction.atomic():
        audit.record(Verb.SIGNED_IN, customer=alice, actor=alice, address="192.0.2.1")
    event = AuditEvent.objects.get()
    AuditLink.objects.create(number=1, event_id=event.pk, digest="d", linked_at=timezone.now(), mac="m")
    return lambda: [*AuditEvent.objects.values(), *AuditLink.objects.values()]


@pytest.mark.parametrize("table", TABLES)
def test_the_database_refuses_every_change(table: str, rows: Callable[[], list[object]]) -> None:
    before = rows()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # truncates no table with checks outstanding
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in STATEMENTS + MORE[connection.vendor]:
        with (
            pytest.raises(IntegrityError, match=f"{table} is append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement.format(table=table, column=TABLES[table][0]))
    assert rows() == before
