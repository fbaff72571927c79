"""A backup is taken, the world goes on, and the portal comes back on what was restored: see the runbook."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import celery
import psycopg
import pytest
from django.conf import settings
from django.test import Client

from accounts.audit_chain import Head, link_committed
from accounts.models import AuditLink
from apikeys.models import Bot
from notifications.models import Mail
from notifications.tasks import deliver
from tests.apikeys.test_hand_over import checked, hand_over
from tests.conftest import PASSWORD
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import MAIL, ROOT, SWEEPS, WEB, Stack, database_url, empty_broker, free_port
from tests.whole.visitor import Visitor, code_of
from tests.whole.waiting import wait_until

pytestmark = pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"), reason="a backup is one of PostgreSQL"
)


@pytest.fixture
def restored() -> Iterator[str]:
    """The address of an empty database beside that of the test."""
    url = f"{database_url()}_restored"
    name = url.rpartition("/")[2]
    with psycopg.connect(database_url(), autocommit=True) as server:
        drop = psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(psycopg.sql.Identifier(name))
        server.execute(drop)
        server.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        yield url
        server.execute(drop)


def newest_head() -> str:
    link_committed()
    return str(Head.of(AuditLink.objects.latest("number")))


def manage(database: str, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.django_db(transaction=True)
def test_it_goes_on_from_a_backup(
    tmp_path: Path,
    as_alice: Client,
    bybit_bot: Bot,
    binance_bot: Bot,
    simulator: Simulator,
    mail_sink: MailSink,
    restored: str,
) -> None:
    key = checked(hand_over(as_alice, bybit_bot, "good"))
    mail = Mail.objects.get()
    head = newest_head()
    file = tmp_path / "portal.dump"
    subprocess.run(["pg_dump", "--format=custom", f"--file={file}", database_url()], check=True)

    deliver(str(mail.pk))
    hand_over(as_alice, binance_bot, "good")
    later_head = newest_head()
    assert later_head != head
    asked = simulator.number_of_calls("bybit")

    restore = ["pg_restore", "--exit-on-error", "--no-owner", f"--dbname={restored}", str(file)]
    subprocess.run(restore, check=True)
    assert manage(restored, "migrate", "--check").returncode == 0
    told = manage(restored, "after_restore", "--yes").stdout
    assert "by themselves: 1\n" in told, told
    assert "at once: 1\n" in told, told

    assert manage(restored, "verify_audit", f"--head={head}").returncode == 0
    cut = manage(restored, "verify_audit", f"--head={later_head}")
    assert cut.returncode == 1
    assert "The chain is broken. Number of breaks: 1" in cut.stderr, "what came after the backup is missed"

    empty_broker()
    stack = Stack(tmp_path, simulator, mail_sink, free_port(), extra={"DATABASE_URL": restored})
    try:
        stack.start(WEB, SWEEPS, MAIL)
        celery.current_app.send_task("apikeys.plan_sweeps")
        # The stored secret opens, since the exchange takes the signature.
        wait_until(lambda: simulator.number_of_calls("bybit") > asked, "the key is looked at again")
        visitor = Visitor(stack.url)
        session = {"session": as_alice.cookies["session"].value}
        assert Visitor(stack.url, dict(session)).get("/").status == 302, "sessions of before have ended"
        visitor.sign_in("alice@example.com", PASSWORD)
        code = code_of(mail_sink.wait_for(lambda letter: "code" in letter.subject.lower(), 60))
        visitor.get("/sign-in/code/")
        assert visitor.post("/sign-in/code/", {"code": code}).location == "/"
        assert 'data-bot-status="active"' in visitor.get("/").text
        assert 'data-key-status="active"' in visitor.get(f"/keys/{key.pk}/").text
    finally:
        stack.stop()
    copies = [letter for letter in mail_sink.messages if str(mail.pk) in str(letter.message_id)]
    assert len(copies) == 1, "what was sent after the backup was not sent again"

    with psycopg.connect(restored) as now:
        is_far = "SELECT nextval(pg_get_serial_sequence('apikeys_handover', 'number')) > 1000000"
        assert now.execute(is_far).fetchone() == (True,), "no hand-over gets a number again"
