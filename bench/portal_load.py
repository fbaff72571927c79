"""Fifty signed-in customers who click through the portal for two minutes, beside an empty Django view.

gunicorn with its settings of production serves both, one after the other, to the same clicking process, with
the same pauses. Every page of a customer is in the round: the bots, key forms, keys, the security history,
the exchanges and their guides.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.urls import reverse
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY

from accounts import sessions
from accounts.models import KnownBrowser, PrimaryMailDevice, User
from apikeys.exchanges.registry import EXCHANGES
from apikeys.models import ApiKey, Bot
from bench import stage
from demo.filling import fill
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import ROOT, WEB, free_port

CUSTOMERS = 50
SECONDS, SECONDS_OF_EMPTY = 120, 30
# Of somebody who knows the way. Without pauses fifty browsers are a queue, and its length the figure.
PAUSE = (0.5, 1.5)
FILLED_CUSTOMERS, FILLED_KEYS = 2_000, 10_000
READY_WITHIN = 30.0


def measure() -> Mapping[str, float]:
    with stage.fresh_database(), Simulator() as simulator, MailSink() as sink:
        fill(keys=FILLED_KEYS, customers=FILLED_CUSTOMERS, sealed=False)
        people = [_person(customer) for customer in _customers()]
        with stage.portal(simulator, sink, WEB) as stack:
            portal = _click("the portal", stack.url, people, SECONDS)
        with _empty_view() as url:
            nobody = {"cookies": {}, "pages": ["/"]}
            empty = _click("an empty view", url, [nobody] * CUSTOMERS, SECONDS_OF_EMPTY)
    return {"portal_p95_ms": portal * 1000, "portal_vs_empty_view": portal / empty}


def _customers() -> Sequence[User]:
    """Some that nothing keeps from their key forms."""
    with_bots = User.objects.filter(client_id__isnull=False, is_active=True, bots__isnull=False)
    return list(with_bots.exclude(mailbox_holds__isnull=False).distinct().order_by("pk")[:CUSTOMERS])


def _person(customer: User) -> dict[str, Any]:
    bots = list(Bot.objects.filter(customer=customer).values_list("pk", flat=True))
    keys = list(ApiKey.objects.filter(bot__in=bots).values_list("pk", flat=True))
    pages = [reverse("apikeys:bots"), reverse("accounts:security"), reverse("apikeys:exchanges")]
    pages += [reverse("apikeys:key_form", args=[pk]) for pk in bots]
    pages += [reverse("apikeys:key", args=[pk]) for pk in keys]
    pages += [reverse("apikeys:guide", args=[exchange]) for exchange in EXCHANGES]
    return {"cookies": {settings.SESSION_COOKIE_NAME: _session(customer)}, "pages": pages}


def _session(customer: User) -> str:
    """As a sign-in leaves it; signing in fifty times would measure the hashing of passwords."""
    now = timezone.now()
    browser = KnownBrowser.objects.create(user=customer, digest=token_hex(32), created_at=now, seen_at=now)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(customer.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = customer.get_session_auth_hash()
    session[DEVICE_ID_SESSION_KEY] = PrimaryMailDevice.objects.get(user=customer).persistent_id
    sessions.begin(session, browser=browser, device="Firefox on Windows", address="192.0.2.44")
    session.save()
    return str(session.session_key)


def _click(what: str, url: str, people: Sequence[Mapping[str, Any]], seconds: int) -> float:
    """Seconds that 19 of 20 clicks took at most. Breaks off where one went wrong."""
    task = {"url": url, "seconds": seconds, "pause": PAUSE, "people": people}
    command = [sys.executable, "-m", "bench.clicking"]
    ended = subprocess.run(
        command, cwd=ROOT, input=json.dumps(task), capture_output=True, text=True, check=True
    )
    seen: dict[str, list[Any]] = json.loads(ended.stdout)
    if seen["errors"]:
        raise RuntimeError(f"{len(seen['errors'])} clicks went wrong, such as {seen['errors'][0]}")
    seconds_each: list[float] = seen["seconds"]
    percentiles = statistics.quantiles(seconds_each, n=100)
    median, p95, p99 = (percentiles[number - 1] * 1000 for number in (50, 95, 99))
    print(
        f"  {what}: {len(seen['seconds'])} clicks in {seconds} s, none wrong; median {median:.0f} ms,"
        f" p95 {p95:.0f}, p99 {p99:.0f}, longest {max(seen['seconds']) * 1000:.0f}",
        flush=True,
    )
    return p95 / 1000


@contextlib.contextmanager
def _empty_view() -> Iterator[str]:
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", "bench.empty", "--workers=2", f"--bind={url[7:]}"]
    log = Path(os.environ["PORTAL_TEST_DIR"]) / "empty.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + READY_WITHIN
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"The empty view does not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 # nosec B310 - ours, on loopback
            return bool(answer.status == 200)
    except OSError:
        return False
