"""Everything that docker-compose.yml starts, with secrets from files, a second beat, and no container.

Stopped in the middle of its work, it loses nothing and does nothing twice.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import AuditEvent, User
from apikeys.models import ApiKey, Bot, KeyCheck
from apikeys.status import KeyStatus
from notifications.models import Mail
from tests.conftest import PASSWORD
from tests.deploy.compose import ComposedStack
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import ROOT, database_url, empty_broker, free_port
from tests.whole.visitor import Page, Visitor, code_of
from tests.whole.waiting import locked, wait_until

pytestmark = pytest.mark.skipif(not settings.REDIS_URL, reason="the compose file has Redis")

WORKERS = ("check-worker", "mail-worker", "sweep-worker", "chore-worker")
OLD, GOOD = DEMO_KEYS["bybit"]["old"], DEMO_KEYS["bybit"]["good"]


@pytest.fixture
def stack(
    tmp_path: Path, simulator: Simulator, mail_sink: MailSink, transactional_db: None
) -> Iterator[ComposedStack]:
    secrets = tmp_path / "secrets"
    subprocess.run(
        [str(ROOT / "scripts" / "secrets"), str(secrets), "--", sys.executable],
        check=True,
        capture_output=True,
        cwd=ROOT,
    )
    (secrets / "database_url").write_text(database_url())
    (secrets / "email_url").write_text(f"smtp://127.0.0.1:{mail_sink.smtp_port}")
    empty_broker()
    port = free_port()
    given = {
        "PORTAL_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "REDIS_URL": settings.REDIS_URL,
        "BROKER_URL": settings.BROKER_URL,
        "EXCHANGE_BASE_URLS": f'{{"bybit": "{simulator.url}"}}',
        "PORTAL_EGRESS_IPS": "203.0.113.10",
    }
    running = ComposedStack(tmp_path, simulator, mail_sink, port=port, secrets=secrets, given=given)
    try:
        yield running
    finally:
        running.stop()


def send(visitor: Visitor, bot: Bot, which: str) -> Page:
    key = DEMO_KEYS["bybit"][which]
    path = f"/bots/{bot.pk}/key/"
    visitor.get(path)
    return visitor.post(path, {"api_key": key.api_key, "secret": key.secret})


def is_stopping(stack: ComposedStack, name: str) -> bool:
    return b"Warm shutdown" in stack.log(name).read_bytes()


def test_it_works_as_a_whole_and_stops_without_losing_what_it_has_in_hand(
    stack: ComposedStack, alice: User, bybit_bot: Bot, simulator: Simulator, mail_sink: MailSink
) -> None:
    stack.start("web", *WORKERS, "beat", "beat#2")
    for name in ("check-worker", "beat"):
        os.utime(stack.alive_file(name), (0, 0))
        assert not stack.is_healthy(name), "it hangs, as far as one can see"
    visitor = Visitor(stack.url)
    visitor.sign_in("alice@example.com", PASSWORD)
    code = code_of(mail_sink.wait_for(lambda letter: "code" in letter.subject.lower(), 60))
    visitor.get("/sign-in/code/")
    assert visitor.post("/sign-in/code/", {"code": code}).location == "/"
    send(visitor, bybit_bot, "old")
    old = ApiKey.objects.get()
    wait_until(ApiKey.objects.filter(pk=old.pk, status=KeyStatus.ACTIVE).exists, "the first key is active")

    for name in ("web", *WORKERS, "beat", "beat#2"):
        wait_until(lambda: stack.is_healthy(name), f"{name} shows that it lives")  # noqa: B023  called here only

    # A web process, in the middle of a request.
    answers: list[Page] = []
    asking = threading.Thread(target=lambda: answers.append(send(visitor, bybit_bot, "good")))
    simulator.behave("bybit", "hold", GOOD.api_key)
    with locked(Bot, bybit_bot.pk) as lock:
        asking.start()
        lock.wait_for_somebody()
        stack.tell_to_end("web")
        wait_until(
            lambda: b"Handling signal: term" in stack.log("web").read_bytes(), "the web server was told"
        )
    asking.join()
    assert answers[0].location.startswith("/keys/")

    # A check worker, while the exchange thinks.
    key = ApiKey.objects.exclude(pk=old.pk).get()
    wait_until(simulator.held, "the exchange is asked")
    mail_sink.hold()
    stack.tell_to_end("check-worker")
    wait_until(lambda: is_stopping(stack, "check-worker"), "the check worker was told")
    simulator.release()
    assert stack.wait_for_end("check-worker") == 0
    assert stack.wait_for_end("web") == 0
    wait_until(
        ApiKey.objects.filter(pk=key.pk, status=KeyStatus.ACTIVE).exists, "what it had in hand is done"
    )
    assert KeyCheck.objects.filter(key=key, outcome="accepted").count() == 1

    # A mail worker, while the mail server thinks.
    wait_until(lambda: mail_sink.held, "the mail server has the mail's text")
    stack.tell_to_end("mail-worker")
    wait_until(lambda: is_stopping(stack, "mail-worker"), "the mail worker was told")
    mail_sink.release()
    assert stack.wait_for_end("mail-worker") == 0
    stack.start("mail-worker")
    refresh = Mail.objects.filter(kind="api_refresh")
    wait_until(refresh.filter(status=Mail.Status.ACCEPTED).exists, "the mail server has the mail")

    verify = [sys.executable, "manage.py", "verify_audit"]
    chain = subprocess.run(verify, cwd=ROOT, env=stack.environment("chore-worker"), check=False)
    assert chain.returncode == 0, "two beats had events linked twice"
    for name in ("sweep-worker", "chore-worker", "beat", "beat#2", "mail-worker"):
        stack.tell_to_end(name)
        assert stack.wait_for_end(name) == 0, name
    assert refresh.count() == 1
    subjects = [letter.subject for letter in mail_sink.messages]
    assert sum(subject.startswith("API refresh") for subject in subjects) == 1
    assert sum("code" in subject.lower() for subject in subjects) == 1
    activated = AuditEvent.objects.filter(verb="key_activated").order_by("pk")
    assert list(activated.values_list("key_id", flat=True)) == [old.pk, key.pk]
