"""PostgreSQL as the database, after it was away."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, connection
from psycopg import sql

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="A file is never away."),
]
# More than the pool looks at one by one before it gives up.
IDLE = 6


def leave_idle(number: int) -> None:
    """That many connections in the pool, opened at once and given back."""
    together = threading.Barrier(number)

    def one() -> None:
        try:
            connection.ensure_connection()
            together.wait(10)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)


def ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@pytest.fixture
def server() -> Iterator[psycopg.Connection]:
    """By a connection to another database."""
    at = connection.get_connection_params() | {"dbname": "postgres"}
    with psycopg.connect(**{name: at[name] for name in at if name != "pool"}, autocommit=True) as found:
        yield found


def cut(server: psycopg.Connection) -> None:
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
        [connection.settings_dict["NAME"]],
    )


@contextmanager
def away(server: psycopg.Connection) -> Iterator[None]:
    name = sql.Identifier(connection.settings_dict["NAME"])
    server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
    try:
        cut(server)
        yield
    finally:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


def test_it_serves_at_once_when_every_idle_connection_is_dead(server: psycopg.Connection) -> None:
    leave_idle(IDLE)
    connection.close()
    cut(server)
    ask()


def test_it_serves_at_once_after_the_server_was_away(
    server: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    monkeypatch.setattr("django.db.connection.pool.timeout", 3)
    with away(server):
        connection.close()
        with pytest.raises(OperationalError):
            ask()
        # Pauses that double from one second on would end after 9 seconds at most, and after 13 at least.
        time.sleep(7)
    ask()
