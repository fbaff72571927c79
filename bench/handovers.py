"""Hand-overs a second: many proved keys taken over by one reference client, from a real web server.

Every bot trades with an old key and waits for the engine with a new one, so each hand-over is fetched,
opened, acknowledged, the old key retired, the new one made active, and its mail written. The client runs as a
process of its own, as in production, and its start is part of the time.

Then all keys are revoked at once, while a client polls: seconds from the commit of a batch to the moment in
which the engine fetched the last revocation of it.
"""

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from apikeys import vault
from apikeys.engine import tokens
from apikeys.flows.revoke import revoke_all
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
PATIENCE = 120.0


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
            check()
        web = cpu_of_children() - before - client
        with stage.portal(simulator, sink, WEB) as stack, polling(stack.url, token, private):
            soon = revoke_everything()
    print(f"  {HANDOVERS} hand-overs in {seconds:.1f} s, over {connection.vendor}")
    print(f"  CPU, each with its start: client {client:.1f} s, web {web:.1f} s")
    return {"handovers_per_s": HANDOVERS / seconds, "revocation_to_engine_s": soon}


def drain(url: str, token: str, private: str) -> float:
    """Seconds that the reference client takes for everything that waits."""
    begun = time.perf_counter()
    command = [sys.executable, str(CLIENT), "--once"]
    environ = environment(url, token, private)
    subprocess.run(command, env=environ, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def environment(url: str, token: str, private: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "ENGINE_PORTAL_URL": url,
        "ENGINE_TOKEN": token,
        "ENGINE_PRIVATE_KEYS": private,
        "ENGINE_STATE": str(Path(os.environ["PORTAL_TEST_DIR"]) / "engine.sqlite3"),
    }


@contextlib.contextmanager
def polling(url: str, token: str, private: str) -> Iterator[None]:
    """The reference client as it runs in production, every two seconds."""
    environ = environment(url, token, private)
    client = subprocess.Popen([sys.executable, str(CLIENT)], env=environ, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        client.terminate()
        client.wait(30)


def revoke_everything() -> float:
    """The longest that a revocation took from its commit to the engine."""
    revocations = Handover.objects.filter(kind=Handover.Kind.REVOCATION)
    committed = []
    for _ in revoke_all(exchange="binance"):
        committed.append((timezone.now(), revocations.aggregate(last=Max("number"))["last"]))
    until = time.monotonic() + PATIENCE
    while revocations.filter(fetched_at=None).exists():
        if time.monotonic() > until:
            raise RuntimeError("The engine did not fetch every revocation.")
        time.sleep(0.2)
    longest, before = 0.0, 0
    for at, last in committed:
        batch = revocations.filter(number__gt=before, number__lte=last)
        fetched = batch.aggregate(at=Max("fetched_at"))["at"]
        longest, before = max(longest, (fetched - at).total_seconds()), last
    if revocations.count() != HANDOVERS:
        raise RuntimeError(f"Of {HANDOVERS} revocations there came {revocations.count()}.")
    return longest


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
