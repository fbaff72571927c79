"""Flower as production starts it, over Redis: who sees what, and that nobody can do anything by it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from apikeys.models import Bot
from tests.apikeys.test_hand_over import hand_over
from tests.conftest import make_staff, signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import CHECKS, MAIL, ROOT, SERVICES, Stack, free_port, running_stack
from tests.whole.waiting import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not settings.REDIS_URL, reason="Flower watches a broker that tells events, such as Redis."
    ),
]

TOKEN = "a-token-for-figures"
# What Flower of itself would do for whoever asks so.
CONTROLS = (
    "worker/shutdown/{worker}",
    "worker/pool/restart/{worker}",
    "worker/pool/grow/{worker}",
    "worker/queue/cancel-consumer/{worker}?queue=checks",
    "task/send-task/apikeys.check_key",
    "task/async-apply/apikeys.check_key",
    "task/apply/apikeys.check_key",
    "task/revoke/{task}?terminate=true",
    "task/abort/{task}",
    "task/rate-limit/apikeys.check_key?workername={worker}&ratelimit=0",
    "task/timeout/apikeys.check_key?workername={worker}&soft=1",
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    headers: http.client.HTTPMessage


@dataclass(frozen=True)
class Flower:
    port: int

    def ask(self, path: str, who: Client | None = None, *, method: str = "GET", **headers: str) -> Answer:
        cookies = who.cookies.output([], "", ";").strip() if who else ""
        sent = {"Host": "127.0.0.1", "Cookie": cookies} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, f"/flower{path}", headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode(errors="replace"), answer.headers)


@pytest.fixture
def workers(tmp_path: Path, simulator: Simulator, mail_sink: MailSink) -> Iterator[Stack]:
    with running_stack(tmp_path, simulator, mail_sink, CHECKS, MAIL) as running:
        yield running


@pytest.fixture
def flower(workers: Stack, tmp_path: Path) -> Iterator[Flower]:
    port = free_port()
    command = [word.replace("5555", str(port)) for word in SERVICES["flower"]["command"]]
    environ = workers.environment("flower") | {"METRICS_TOKEN": TOKEN}
    with (tmp_path / "flower.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT
        )
    started = Flower(port)
    try:
        wait_until(lambda: _listens(started), "Flower answers")
        yield started
    finally:
        process.terminate()
        process.wait(10)


def _listens(flower: Flower) -> bool:
    try:
        return flower.ask("/static/favicon.ico").status == 200
    except OSError:
        return False


def test_it_lets_operations_look_and_nobody_do_anything(
    flower: Flower, workers: Stack, alice: User, binance_bot: Bot
) -> None:
    customer, support = signed_in(alice), signed_in(make_staff(Role.SUPPORT))
    lead, watcher = make_staff(Role.LEAD), signed_in(make_staff(Role.OPERATIONS))
    by_mail = signed_in(lead, by_mail_alone=True)

    for page in ("/", "/tasks", "/workers", "/broker", "/worker/x", "/no/such"):
        for who in (None, by_mail):
            answer = flower.ask(page, who)
            assert answer.status == 302, page
            assert answer.headers["Location"].endswith("/admin/login/?next=%2Fflower%2F")
            assert "flower" not in answer.body.lower()
        for who in (customer, support):
            assert flower.ask(page, who).status == 403, page
    for path in ("/api/workers", "/api/tasks", "/api/queues/length", "/metrics", "/healthcheck"):
        for who in (None, by_mail, customer, support):
            assert flower.ask(path, who).status == 403, path
        assert flower.ask(path, watcher).status == 200, path
    for path in ("/metrics", "/healthcheck"):
        assert flower.ask(path, Authorization=f"Bearer {TOKEN}").status == 200
        assert flower.ask(path, Authorization="Bearer wrong").status == 403
    assert flower.ask("/api/tasks", Authorization=f"Bearer {TOKEN}").status == 403
    assert flower.ask("/tasks", watcher, Host="evil.example").status == 400

    wait_until(lambda: "telemetry.heartbeat" in flower.ask("/api/tasks", watcher).body, "events arrive")
    hand_over(signed_in(alice), binance_bot, "good")
    wait_until(
        lambda: "'accepted'" in flower.ask("/api/tasks", watcher).body, "the result of the check is shown"
    )
    tasks = flower.ask("/api/tasks", watcher).body
    worker = json.loads(flower.ask("/api/workers?refresh=1", watcher).body)
    checks = next(name for name in worker if name.startswith("checks"))

    pages = [flower.ask(path, watcher).body for path in ("/", "/tasks", "/broker")]
    pages += [flower.ask(f"/worker/{checks}", watcher).body, tasks, json.dumps(worker)]
    pages += [flower.ask(f"/task/{task}", watcher).body for task in json.loads(tasks)]
    everything = "\n".join([*pages, flower.ask("/metrics", watcher).body])
    handed_in = DEMO_KEYS["binance"]["good"]
    ours = [getattr(settings, name) for name in ("SECRET_KEY", "CODE_KEY", "FINGERPRINT_KEY", "AUDIT_KEY")]
    for secret in (handed_in.api_key, handed_in.secret, alice.email, TOKEN, *ours):
        assert secret not in everything
    assert settings.SEAL_PRIVATE_KEYS.partition(":")[2] not in everything
    assert "Pool" in pages[3]

    some_task = next(iter(json.loads(tasks)))
    cookies = watcher.cookies.output([], "", ";").strip() + "; _xsrf=abc"
    of_this_page = {"Sec_Fetch_Site": "same-origin", "Cookie": cookies, "X_XSRFToken": "abc"}
    for control in CONTROLS:
        path = f"/api/{control.format(worker=checks, task=some_task)}"
        assert flower.ask(path, watcher, method="POST").status == 403, control
        assert flower.ask(path, watcher, method="POST", **of_this_page).status in (404, 405), control
        assert flower.ask(path, watcher).status == 404, control
    for name in (CHECKS, MAIL):
        assert workers.processes[name].poll() is None
    assert "connect-src 'self'" in flower.ask("/tasks", watcher).headers["Content-Security-Policy"]
