"""Hand-overs a second: many proved keys taken over by one reference client, from a real web server.

Every bot trades with an old key and waits for the engine with a new one, so each hand-over is fetched,
opened, acknowledged, the old key retired, the new one made active, and its mail written. The client runs as a
process of its own, as in production, and its start is part of the time.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection

from apikeys import vault
from apikeys.engine import tokens
from apikeys.models import ApiKey, Handover, Scope
from apikeys.status import KeyStatus
from bench import stage
from notifications.models import Mail
from tests.engine.rows import make_ready_keys
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import WEB

CLIENT = Path(__file__).resolve().parent.parent / "docs" / "engine-client" / "engine_client.py"
HANDOVERS = 10_000
CUSTOMERS = 2_000


def measure() -> Mapping[str, float]:
    private, public = vault.generate_pair()
    settings.ENGINE_PUBLIC_KEYS = public
    with stage.fresh_database(), Simulator() as simulator, MailSink() as sink:
        make_ready_keys(HANDOVERS, customers=CUSTOMERS)
        token = tokens.make(
            name="bench", scopes=list(Scope), addresses=["127.0.0.1"], life=timedelta(hours=1)
        )
        before = cpu_of_children()
        with stage.portal(simulator, sink, WEB) as stack:
            seconds = drain(stack.url, token, private)
            client = cpu_of_children() - before
        web = cpu_of_children() - before - client
        check()
    print(f"  {HANDOVERS} hand-overs in {seconds:.1f} s, over {connection.vendor}")
    print(f"  CPU, each with its start: client {client:.1f} s, web {web:.1f} s")
    return {"handovers_per_s": HANDOVERS / seconds}


def drain(url: str, token: str, private: str) -> float:
    """Seconds that the reference client takes for everything that waits."""
    environ = {
        "PATH": os.environ["PATH"],
        "ENGINE_PORTAL_URL": url,
        "ENGINE_TOKEN": token,
        "ENGINE_PRIVATE_KEYS": private,
        "ENGINE_STATE": str(Path(os.environ["PORTAL_TEST_DIR"]) / "engine.sqlite3"),
    }
    begun = time.perf_counter()
    command = [sys.executable, str(CLIENT), "--once"]
    subprocess.run(command, env=environ, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def cpu_of_children() -> float:
    """Seconds of the processes that have ended. Unlike the figure it hardly depends on the neighbours."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check() -> None:
    """A quick run that did the wrong thing is no figure."""
    found = {
        "active": ApiKey.objects.filter(status=KeyStatus.ACTIVE, replaces__isnull=False).count(),
        "retired": ApiKey.objects.filter(status=KeyStatus.RETIRED).count(),
        "settled": Handover.objects.filter(outcome=Handover.Outcome.ACKED).count(),
        "mails": Mail.objects.filter(kind="api_refresh").count(),
    }
    if set(found.values()) != {HANDOVERS}:
        raise RuntimeError(f"Of {HANDOVERS} hand-overs there came: {found}")
