"""Processor time of this process and of the PostgreSQL process that serves it: what something costs, whoever
else is busy on the machine.
"""

import time
from pathlib import Path

from django.db import connection


def seconds() -> float:
    """So far, of both. Raises where the database runs elsewhere, since its part would go unseen."""
    return time.process_time() + _of_database()


def keep_to_one_process() -> None:
    """What the database hands to helpers of its own would not be counted."""
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")


def _of_database() -> float:
    connection.ensure_connection()
    process = Path(f"/proc/{connection.connection.info.backend_pid}")
    try:
        is_ours = (process / "cmdline").read_text().startswith("postgres")
        # The first number is nanoseconds on a processor: Documentation/scheduler/sched-stats.rst of Linux.
        ran = int((process / "schedstat").read_text().split()[0])
    except OSError:
        is_ours, ran = False, 0
    if not is_ours:
        raise RuntimeError("This part needs PostgreSQL on the same machine, to see what it costs.")
    return ran / 1e9
