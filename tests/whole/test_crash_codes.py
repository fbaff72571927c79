"""The worker that draws and mails a code is killed at each of its steps, and started again.

Every try draws a fresh code, since the one before is nowhere to be read: what counts is the latest mail.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import MailedCode, User
from notifications.models import Mail
from tests.conftest import PASSWORD
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import MAIL, Stack, empty_broker, free_port
from tests.whole.visitor import code_of
from tests.whole.waiting import bells_waiting, locked, wait_until


@pytest.fixture
def workers(
    transactional_db: None, patient_bell: None, tmp_path: Path, simulator: Simulator, mail_sink: MailSink
) -> Iterator[Stack]:
    """None runs yet."""
    empty_broker()
    stack = Stack(tmp_path, simulator, mail_sink, port=free_port())
    try:
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def code(workers: Stack, client: Client, alice: User) -> MailedCode:
    """Asked for, not drawn yet."""
    client.post("/sign-in/", {"email": alice.email, "password": PASSWORD})
    return MailedCode.objects.get()


def check_end(client: Client, sink: MailSink, *, letters: int) -> None:
    accepted = Mail.objects.filter(status=Mail.Status.ACCEPTED)
    wait_until(accepted.exists, "the mail server has the code")
    assert len(sink.messages) == letters
    assert len({letter.message_id for letter in sink.messages}) == letters, "each holds another code"
    assert client.post("/sign-in/code/", {"code": code_of(sink.messages[-1])})["Location"] == "/"
    assert client.get("/").status_code == 200


def test_it_mails_a_code_whose_bell_was_lost(
    code: MailedCode, workers: Stack, client: Client, mail_sink: MailSink
) -> None:
    assert bells_waiting("mail") == 1
    empty_broker()
    workers.start(MAIL)
    check_end(client, mail_sink, letters=1)


def test_it_mails_a_code_whose_worker_died_before_it_drew_one(
    code: MailedCode, workers: Stack, client: Client, mail_sink: MailSink
) -> None:
    with locked(MailedCode, code.pk) as lock:
        workers.start(MAIL)
        lock.wait_for_somebody()
        workers.kill(MAIL)
        lock.drop_those_who_wait()
    code.refresh_from_db()
    assert (code.mail, code.mac, code.expires_at) == (None, "", None)
    workers.start(MAIL)
    check_end(client, mail_sink, letters=1)


def test_it_draws_another_code_when_the_worker_died_before_the_servers_answer(
    code: MailedCode, workers: Stack, client: Client, mail_sink: MailSink
) -> None:
    mail_sink.hold()
    workers.start(MAIL)
    wait_until(lambda: mail_sink.held, "the mail server has the mail's text")
    workers.kill(MAIL)
    mail_sink.release()
    code.refresh_from_db()
    drawn_first = code.mac
    assert drawn_first
    workers.start(MAIL)
    check_end(client, mail_sink, letters=1)
    code.refresh_from_db()
    assert code.mac != drawn_first


def test_it_mails_a_code_twice_only_if_the_worker_dies_between_the_250_and_its_record(
    code: MailedCode, workers: Stack, client: Client, mail_sink: MailSink
) -> None:
    """The second mail has the first one's id and a code of its own, which replaces the first."""
    mail_sink.hold()
    workers.start(MAIL)
    wait_until(lambda: mail_sink.held, "the mail server has the mail's text")
    with locked(Mail, Mail.objects.get().pk) as lock:
        mail_sink.release()
        wait_until(lambda: mail_sink.messages, "the mail server took it")
        lock.wait_for_somebody()
        workers.kill(MAIL)
        lock.drop_those_who_wait()
    workers.start(MAIL)
    check_end(client, mail_sink, letters=2)
    first, second = mail_sink.messages[:2]  # the sign-in that followed is mailed too
    assert code_of(first) != code_of(second)
