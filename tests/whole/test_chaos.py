"""Workers are killed, brokers emptied, databases restarted, mail servers and exchanges misbehave, all while
keys are handed over: see `tests.whole.chaos`. Its processes and servers are its own.
"""

import os
import subprocess
import sys

import pytest
from django.db import connection

from tests.stack import ROOT
from tests.whole.chaos.servers import NOT_INSTALLED

# How many keys; another number is for whoever works on this.
NUMBER = os.environ.get("PORTAL_CHAOS_KEYS")


def run(kind: str, number: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.whole.chaos", kind, NUMBER or number],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == NOT_INSTALLED:
        pytest.skip(ended.stdout)
    print(ended.stdout)  # noqa: T201  what was done, and how many copies the window of SMTP brought
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr[-4000:]}"


@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_or_wrong_whatever_fails() -> None:
    """A thousand keys where the tests run on servers, since PostgreSQL is installed there; else a hundred."""
    if connection.vendor == "postgresql":
        run("servers", "1000")
    else:
        run("embedded", "100")
