"""Whether this process can serve people at this moment, found out within `PATIENCE` whatever is away.

A database or broker that accepts connections and then says nothing would hold a request for seconds, so the
looking is done beside it, in one thread at a time: strangers can ask as often as they like, and cause no
more than one look after the other.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from celery import current_app
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from telemetry import heartbeats

logger = logging.getLogger(__name__)

# Who probes us is answered within 200 ms. The rest is for the request itself.
PATIENCE = 0.15


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _migrations() -> bool:
    """Whether every migration that this code knows is applied. Asked until it is so, and then not again:
    a migration of a newer version takes nothing away that this one needs.
    """
    global _migrated
    if not _migrated:
        loader = MigrationLoader(connection)
        _migrated = loader.disk_migrations.keys() <= loader.applied_migrations.keys()
    return _migrated


def _worker() -> bool:
    return heartbeats.seen_lately(timezone.now())


def _broker() -> bool:
    with current_app.connection_for_write(connect_timeout=1) as broker:
        broker.ensure_connection(max_retries=0, timeout=1)
    return True


_migrated = False
# What is looked at, in this order. Without the first one the next two cannot be.
_OF_THE_DATABASE: dict[str, Callable[[], bool]] = {
    "database": _database,
    "migrations": _migrations,
    "worker": _worker,
}
PARTS = (*_OF_THE_DATABASE, "broker")


@dataclass(slots=True)
class Look:
    """What was found, by the names of `PARTS`. What was not reached in time is not there."""

    found: dict[str, bool] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def ready(self) -> bool:
        return self.done.is_set() and all(self.found.get(part) for part in PARTS)


_lock = threading.Lock()
_latest: Look | None = None


def look() -> Look:
    """Look at everything, or wait for the look that somebody else began."""
    global _latest
    with _lock:
        current = _latest
        if current is None or current.done.is_set():
            current = _latest = Look()
            threading.Thread(target=_look, args=(current,), name="readiness", daemon=True).start()
    current.done.wait(PATIENCE)
    return current


def _look(at: Look) -> None:
    try:
        for name, is_well in _OF_THE_DATABASE.items():
            if not _found(at, name, is_well):
                break
        _found(at, "broker", _broker)
    finally:
        # The thread ends here. Its connection goes back to the pool, or is closed.
        connections.close_all()
        at.done.set()


def _found(at: Look, name: str, is_well: Callable[[], bool]) -> bool:
    at.found[name] = False
    try:
        at.found[name] = is_well()
    except Exception as error:  # whatever a driver raises, the answer is that we are not ready
        # The class only: a message may hold addresses.
        logger.warning("Not ready: %s, %s", name, type(error).__name__)
    return at.found[name]
