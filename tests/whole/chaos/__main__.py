"""Everything fails again and again while keys are handed over; then nothing may be lost, doubled or wrong.

    python -m tests.whole.chaos servers 1000     on PostgreSQL and Redis, both its own
    python -m tests.whole.chaos embedded 100     on SQLite and the embedded broker

Prints what was done and what came of it; status 1 where anything is not as it must be.
"""

import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import django

from tests.whole.chaos.servers import Servers

EMBEDDED, SERVERS = "embedded", "servers"
RATE = {EMBEDDED: 6.0, SERVERS: 16.0}  # keys a second

kind, number = sys.argv[1], int(sys.argv[2])
place = tempfile.TemporaryDirectory(prefix="portal-chaos-")
servers = Servers(Path(place.name), embedded=kind == EMBEDDED)
servers.take_over_the_environment()
django.setup()

from tests.whole.chaos.run import run  # noqa: E402  needs the settings that setup reads


def main() -> int:
    logging.disable(logging.WARNING)  # of this process: the mail sink and every flow tell of each step
    began = time.monotonic()
    with place, servers:
        wrong, counts = run(number, RATE[kind], servers)
    tell(wrong, counts, time.monotonic() - began)
    return 1 if wrong else 0


def tell(wrong: list[str], counts: Counter[str], seconds: float) -> None:
    for what, times in counts.items():
        print(f"{times:8} {what}")  # noqa: T201
    print(f"{seconds:8.0f} seconds in all")  # noqa: T201
    for sentence in wrong[:50]:
        print(f"WRONG: {sentence}")  # noqa: T201
    print(f"{len(wrong)} things are wrong." if wrong else "Nothing was lost, doubled or wrong.")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
