"""What is asked of the database beyond its address: SQLite for one machine, PostgreSQL in production."""

from typing import Any

# SQLite has no row locks. A write transaction takes the whole file at once instead, which serialises what
# PostgreSQL serialises by SELECT … FOR UPDATE; without it readers that turn writers fail.
_SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL;",
}
# Connections are opened as they are needed: one for each thread that works on a task or a request at the
# moment. A sweep worker has the most. The pool gives an attempt up before its pauses get long, and begins
# anew with the next that asks: otherwise it might stay away for as long again as the server was.
_POOL = {"min_size": 1, "max_size": 20, "timeout": 10, "reconnect_timeout": 5}
# What is asked is found by an index: to start helpers takes longer than they save.
_NO_HELPERS = "-c max_parallel_workers_per_gather=0"


def complete(found: dict[str, Any]) -> dict[str, Any]:
    """Django's settings for the database of an address; what that says itself, such as `sslmode`, is kept."""
    given = found.get("OPTIONS", {})
    if found["ENGINE"].endswith("sqlite3"):
        return found | {"OPTIONS": _SQLITE | given}
    ours = {"pool": _POOL, "options": f"{_NO_HELPERS} {given.get('options', '')}".strip()}
    return found | {"ENGINE": "sequence_portal.postgresql", "OPTIONS": given | ours}
