"""Rings the broker for one row. The row is the truth and the bell a convenience: what the broker loses, the
schedule finds again by query.
"""

import logging
import threading
import time
from functools import partial
from typing import Any
from uuid import UUID

import celery
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

logger = logging.getLogger(__name__)

# Ringing takes a few milliseconds. A broker that accepts connections and then says nothing would hold a
# request for seconds (4 to 5 were measured), so the request goes on without it after this long.
RING_PATIENCE = 0.25
# After a bell that did not ring, none is tried for this long: one slow request, not all of them. The
# schedule finds the rows meanwhile.
RING_QUIET = 5.0

# One look of the schedule rings no more than this: a backlog drains over several looks and never floods the
# broker. The next one rings once fewer than the second number wait.
RING_AT_MOST, FEW = 500, 50

_quiet_until = 0.0  # on the monotonic clock; shared by all threads, where a late read costs one slow ring


def ring_on_commit(task: str, row_id: str) -> None:
    """Ring once the caller's transaction has committed, and not at all when it is rolled back."""
    transaction.on_commit(partial(ring, task, row_id), robust=True)


def ring(task: str, row_id: str, *, expires: float | None = None) -> bool:
    """Put one row id on the queue of `task`; say whether the broker took it. Never raises.

    expires: seconds after which a worker drops the bell unheard.
    """
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return False
    rang = threading.Event()
    ringer = threading.Thread(target=_ring, args=(task, row_id, expires, rang), name="ring", daemon=True)
    ringer.start()
    ringer.join(RING_PATIENCE)
    if not rang.is_set():
        _quiet_until = time.monotonic() + RING_QUIET
        logger.warning("The broker did not take %s for %s; the schedule will find it.", task, row_id)
    return rang.is_set()


def ring_all(task: str, row_ids: "QuerySet[Any, UUID]") -> int:
    """Ring for rows that the schedule found; say for how many. For none while many messages wait already.

    Workers that are slower than the schedule would otherwise find each bell expired behind those of the looks
    before, and do nothing but throw bells away. So a queue is filled up only when it is nearly empty, and its
    bells last much longer than a look.
    """
    waits = waiting(settings.CELERY_TASK_ROUTES[task]["queue"])
    if waits is None or waits >= FEW:
        return 0
    rung = 0
    for row_id in row_ids[:RING_AT_MOST]:
        if not ring(task, str(row_id), expires=settings.BELL_LASTS.total_seconds()):
            break
        rung += 1
    return rung


def waiting(queue: str) -> int | None:
    """How many messages wait in a queue; None where the broker does not say."""
    try:
        with celery.current_app.connection_for_write() as broker:
            try:
                channel: Any = broker.default_channel
                return int(channel.queue_declare(queue=queue, passive=True).message_count)
            except broker.channel_errors:  # nothing was ever put into it, or with Redis: it is empty
                return 0
    except Exception as error:  # whatever a transport raises; its message may quote the broker's password
        logger.warning("The broker does not say what waits in %s: %s", queue, type(error).__name__)
        return None


def _ring(task: str, row_id: str, expires: float | None, rang: threading.Event) -> None:
    global _quiet_until
    try:
        celery.current_app.send_task(task, args=[row_id], expires=expires)
    except Exception as error:  # whatever a transport raises: a bell must not fail what it announces
        # The class only: the message of a connection error may quote the broker's address and password.
        logger.warning("Ringing %s failed: %s", task, type(error).__name__)
    else:
        rang.set()
        # It was slow, not away: the first ring of a process opens the connection and may take this long.
        _quiet_until = 0.0
