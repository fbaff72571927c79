import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from notifications import delivery, tasks
from notifications.models import Mail
from tests.mail_sink import MailSink
from tests.notifications.worker import RENDERED, deliver, make_due

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def another_worker(mail: Mail) -> Iterator[None]:
    """Delivers in a second thread, with its own database connection."""

    def work() -> None:
        try:
            tasks.deliver(str(mail.id))
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        worker.join(15)
        assert not worker.is_alive()


def wait_until_held(sink: MailSink, count: int = 1) -> None:
    ends = time.monotonic() + 10
    while sink.held < count:
        assert time.monotonic() < ends, "No conversation reached the end of its data."
        time.sleep(0.01)


def test_it_does_not_double_while_another_worker_waits_for_the_answer(
    mail: Mail, mail_sink: MailSink
) -> None:
    mail_sink.hold()
    with another_worker(mail):
        wait_until_held(mail_sink)
        mail.refresh_from_db()
        assert mail.tries == 1, "the claim is not committed before the conversation"
        deliver(mail)
        assert mail_sink.held == 1
        mail_sink.release()

    mail.refresh_from_db()
    assert mail.status == Mail.Status.ACCEPTED
    assert mail.tries == len(mail_sink.messages) == 1


@contextmanager
def database_away() -> Iterator[None]:
    """For the statements about mail of other connections, some of which this cuts on PostgreSQL."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            yield
            return
        cursor.execute("ALTER TABLE notifications_mail RENAME TO notifications_mail_away")
        yield
        cursor.execute("ALTER TABLE notifications_mail_away RENAME TO notifications_mail")


def test_it_records_the_250_that_came_while_the_database_was_away(mail: Mail, mail_sink: MailSink) -> None:
    mail_sink.hold()
    with another_worker(mail):
        wait_until_held(mail_sink)
        with database_away():
            mail_sink.release()
            mail_sink.wait_for(lambda letter: True)
            time.sleep(0.2)  # so that the worker finds the database away
    mail.refresh_from_db()
    assert (mail.status, mail.tries) == (Mail.Status.ACCEPTED, 1)
    assert len(mail_sink.messages) == 1


def test_it_takes_a_mail_over_only_when_the_claim_has_ended(mail: Mail) -> None:
    now = timezone.now()
    claimed = delivery.claim(mail.id, now)
    assert claimed is not None
    assert (claimed.tries, claimed.due_at) == (1, now + delivery.CLAIM)

    assert delivery.claim(mail.id, now + delivery.CLAIM - timedelta(milliseconds=1)) is None
    again = delivery.claim(str(mail.id), now + delivery.CLAIM)
    assert again is not None
    assert again.tries == 2


def test_it_claims_nothing_that_is_done_or_unknown(mail: Mail) -> None:
    assert delivery.claim(uuid4(), timezone.now()) is None
    for status in (Mail.Status.ACCEPTED, Mail.Status.FAILED):
        Mail.objects.filter(pk=mail.pk).update(status=status)
        assert delivery.claim(mail.id, timezone.now()) is None


def test_it_claims_only_where_the_claim_is_committed(mail: Mail) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        delivery.claim(mail.id, timezone.now())


def test_it_lets_a_claim_outlast_the_conversation(settings: Settings) -> None:
    four_answers = 4 * settings.EMAIL_TIMEOUT
    assert delivery.OPEN_WITHIN + four_answers <= delivery.CLAIM.total_seconds()
    assert delivery.OPEN_WITHIN >= settings.EMAIL_TIMEOUT, "no room to open a connection"


def test_it_sends_nothing_over_a_connection_that_took_too_long(
    mail: Mail, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "OPEN_WITHIN", 0.0)
    deliver(mail)

    assert (mail.status, mail.last_answer) == (Mail.Status.WAITING, "SlowToOpenError")
    assert mail_sink.messages == []


def test_it_lets_no_late_worker_undo_what_its_successor_wrote(mail: Mail, mail_sink: MailSink) -> None:
    late = delivery.claim(mail.id, timezone.now())
    make_due(mail)
    assert late is not None
    successor = delivery.claim(mail.id, timezone.now())
    assert successor is not None
    mail_sink.refuse(451)
    assert not delivery.attempt(late, RENDERED)

    mail.refresh_from_db()
    assert mail.due_at == successor.due_at
    assert mail.last_answer == ""

    mail_sink.behave()
    assert delivery.attempt(late, RENDERED)
    mail.refresh_from_db()
    assert mail.status == Mail.Status.ACCEPTED, "the server has it, whoever handed it over"
    mail_sink.refuse(550)
    assert not delivery.attempt(successor, RENDERED)
    mail.refresh_from_db()
    assert mail.status == Mail.Status.ACCEPTED
