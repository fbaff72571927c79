"""Waiting for what another process does, and holding it up from outside: nothing in the product helps."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import psycopg
import redis
from django.conf import settings
from django.db import connection, models

from tests import rabbit
from tests.stack import database_url

PATIENCE = 60.0


def wait_until(what: Callable[[], Any], words: str, within: float = PATIENCE) -> Any:
    """The first truthy answer. How long it takes is no matter, as long as it comes."""
    until = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < until, f"In {within:.0f} seconds it did not come about that {words}."
        time.sleep(0.01)
    return found


def bells_waiting(queue: str) -> int:
    """How many messages no worker has taken yet."""
    if rabbit.IS_USED:
        return rabbit.waiting(queue)
    if settings.REDIS_URL:
        store: Any = redis.Redis.from_url(settings.REDIS_URL)
        return int(store.llen(queue))
    folder = Path(str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]))
    return len(list(folder.glob(f"*.{queue}.msg")))


class Lock(Protocol):
    def wait_for_somebody(self) -> None:
        """Until another process stands before the locked row."""

    def drop_those_who_wait(self) -> None:
        """After a kill: the server learns of it late, and would still carry out the statement that waited."""


class _RowLock:
    def __init__(self, held: "psycopg.Connection[Any]", watching: "psycopg.Connection[Any]") -> None:
        self._pid = held.info.backend_pid
        self._watching = watching

    def wait_for_somebody(self) -> None:
        wait_until(self._waiting, "somebody waits for the locked row")

    def drop_those_who_wait(self) -> None:
        for (pid,) in self._waiting():
            self._watching.execute("SELECT pg_terminate_backend(%s)", [pid])
        wait_until(lambda: not self._waiting(), "nobody waits for the locked row")

    def _waiting(self) -> list[Any]:
        question = "SELECT pid FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
        return self._watching.execute(question, [self._pid]).fetchall()


class _FileLock:
    """SQLite locks the whole file for writers, and shows nobody who waits: they get time to come."""

    def wait_for_somebody(self) -> None:
        time.sleep(1.5)

    def drop_those_who_wait(self) -> None:
        """A waiting writer died with its process."""


@contextmanager
def locked(model: type[models.Model], pk: int | UUID) -> Iterator[Lock]:
    """Hold one row, by a connection of its own, until the end of the block."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as file:
            file.execute("PRAGMA busy_timeout = 20000")
            file.execute("BEGIN IMMEDIATE")
            yield _FileLock()
            file.execute("ROLLBACK")
        return
    with (
        psycopg.connect(database_url()) as held,
        psycopg.connect(database_url(), autocommit=True) as watching,
    ):
        table = psycopg.sql.Identifier(model._meta.db_table)
        found = held.execute(psycopg.sql.SQL("SELECT 1 FROM {} WHERE id = %s FOR UPDATE").format(table), [pk])
        assert found.fetchone()
        yield _RowLock(held, watching)
        held.rollback()
