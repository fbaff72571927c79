import logging
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery, current_app
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from notifications import bell, outbox, tasks
from notifications.facts import freeze
from notifications.kinds import MailKind
from notifications.models import Mail
from tests.notifications.samples import CONTEXTS
from tests.stack import empty_broker
from tests.whole.waiting import bells_waiting


class Broker:
    """Notes the bells; with `away` it fails as a transport does."""

    def __init__(self) -> None:
        self.bells: list[tuple[str, list[str]]] = []
        self.expires: list[float | None] = []
        self.away = False

    def send_task(self, name: str, args: list[str], expires: float | None) -> None:
        if self.away:
            raise ConnectionRefusedError("redis://:hunter2@broker")
        self.bells.append((name, args))
        self.expires.append(expires)

    def connection_for_write(self) -> Any:
        return current_app.connection_for_write()


@pytest.fixture(autouse=True)
def not_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_quiet_until", 0.0)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(bell, "celery", SimpleNamespace(current_app=broker))
    return broker


@pytest.fixture
def silent_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """Takes connections and never says a word, the worst a broker can do to a request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = Celery(broker=f"redis://127.0.0.1:{listener.getsockname()[1]}/0", set_as_current=False)
        app.conf.broker_transport_options = {"socket_connect_timeout": 1, "socket_timeout": 2}
        app.conf.broker_connection_timeout = 2
        monkeypatch.setattr(bell, "celery", SimpleNamespace(current_app=app))
        yield app


def send(cause: str = "api_refresh:1", **changed: Any) -> None:
    asked: dict[str, Any] = {"owner_id": 7, "to": "alice@example.com", "cause": cause} | changed
    outbox.send(MailKind.API_REFRESH, context=CONTEXTS[MailKind.API_REFRESH], **asked)


def row(cause: str, minutes_due: int, status: str = Mail.Status.WAITING) -> Mail:
    now = timezone.now()
    return Mail.objects.create(
        kind=MailKind.WELCOME,
        owner_id=7,
        to="alice@example.com",
        cause=cause,
        subject="Welcome",
        context={},
        status=status,
        created_at=now,
        due_at=now - timedelta(minutes=minutes_due),
    )


@pytest.mark.django_db
def test_it_writes_the_row_and_rings_after_the_commit(
    broker: Broker, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        send()
        assert broker.bells == []

    mail = Mail.objects.get()
    assert broker.bells == [("notifications.deliver", [str(mail.id)])]
    assert (mail.kind, mail.owner_id, mail.to) == (MailKind.API_REFRESH, 7, "alice@example.com")
    assert mail.subject == "API refresh: 0x1A2 / JaneDoe / BTC-1"
    assert mail.context == freeze(CONTEXTS[MailKind.API_REFRESH])
    assert mail.context["activated_at"] == {"$time": "2026-11-22T17:46:31+00:00"}
    assert (mail.status, mail.tries) == (Mail.Status.WAITING, 0)
    # A worker of 0.1 takes what has a body, and would send these.
    assert (mail.has_body, mail.text, mail.html) == (False, "", "")
    assert list(Mail.objects.due(timezone.now())) == [mail]


@pytest.mark.django_db(transaction=True)
def test_it_leaves_nothing_of_a_transaction_that_failed(broker: Broker) -> None:
    with transaction.atomic():
        send()
        transaction.set_rollback(True)

    assert not Mail.objects.exists()
    assert broker.bells == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "write",
    [send, lambda: outbox.note(MailKind.SIGN_IN_CODE, owner_id=7, to="a@b.cd", cause="c", subject="s")],
    ids=["send", "note"],
)
def test_it_refuses_to_write_outside_a_transaction(write: Callable[[], object]) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        write()

    assert not Mail.objects.exists()


@pytest.mark.django_db
def test_it_keeps_no_code() -> None:
    with transaction.atomic(), pytest.raises(ValueError, match="code"):
        outbox.send(
            MailKind.SIGN_IN_CODE,
            owner_id=7,
            to="alice@example.com",
            cause="code:1",
            context=CONTEXTS[MailKind.SIGN_IN_CODE],
        )

    assert not Mail.objects.exists()


@pytest.mark.django_db
def test_it_mails_a_cause_once(
    broker: Broker, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        send(to="alice@example.com")
        send(to="bob@example.com")
        send(cause="api_refresh:2", to="charlie@example.com")

    assert sorted(Mail.objects.values_list("to", flat=True)) == ["alice@example.com", "charlie@example.com"]
    rung = {row_id for _, (row_id,) in broker.bells}
    assert rung >= {str(mail_id) for mail_id in Mail.objects.values_list("pk", flat=True)}


@pytest.mark.django_db(transaction=True)
def test_it_keeps_the_transaction_whole_when_another_wrote_the_cause(broker: Broker) -> None:
    with transaction.atomic():
        send(to="alice@example.com")
    with transaction.atomic():
        send(to="bob@example.com")
        send(cause="api_refresh:2", to="charlie@example.com")

    assert sorted(Mail.objects.values_list("to", flat=True)) == ["alice@example.com", "charlie@example.com"]


@pytest.mark.django_db
def test_it_survives_a_broker_that_is_away(
    broker: Broker,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker.away = True
    with caplog.at_level(logging.DEBUG), django_capture_on_commit_callbacks(execute=True):
        send()

    assert Mail.objects.count() == 1
    assert "ConnectionRefusedError" in caplog.text
    assert "hunter2" not in caplog.text

    # Asked again at once it leaves the broker alone, and rings once the quiet time is over.
    broker.away = False
    assert not bell.ring("notifications.deliver", "x")
    bell._quiet_until = 0.0
    assert bell.ring("notifications.deliver", "x")


@pytest.mark.timeout(20)
def test_it_does_not_wait_for_a_broker_that_says_nothing(silent_broker: Celery) -> None:
    began = time.monotonic()
    assert not bell.ring("notifications.deliver", "first")
    first = time.monotonic() - began
    for _ in range(100):
        assert not bell.ring("notifications.deliver", "later")
    all_of_them = time.monotonic() - began

    assert bell.RING_PATIENCE <= first < bell.RING_PATIENCE + 1
    assert all_of_them - first < 0.5


def test_it_puts_the_id_and_nothing_else_on_a_real_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Celery(broker="memory://", set_as_current=False)
    app.conf.task_default_queue = "test-bells"
    monkeypatch.setattr(bell, "celery", SimpleNamespace(current_app=app))

    assert bell.ring("notifications.deliver", "the-id")

    with app.connection_for_read() as connection:
        message = connection.SimpleQueue("test-bells").get(timeout=5)
    assert message.headers["task"] == "notifications.deliver"
    assert message.payload[:2] == [["the-id"], {}]


@pytest.mark.django_db
def test_it_notes_a_code_mail_without_a_body(broker: Broker) -> None:
    asked = {"owner_id": 7, "to": "alice@example.com", "cause": "code:1", "subject": "Your code"}
    mail = outbox.note(MailKind.SIGN_IN_CODE, **asked)  # type: ignore[arg-type]
    again = outbox.note(MailKind.SIGN_IN_CODE, **asked)  # type: ignore[arg-type]

    assert again == mail
    assert (mail.context, mail.has_body, mail.text, mail.html) == (None, False, "", "")
    tasks.ring_unsent()
    assert broker.bells == []


@pytest.mark.django_db
def test_it_rings_what_is_due_oldest_first_and_not_too_much(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_broker()
    monkeypatch.setattr(bell, "RING_AT_MOST", 2)
    ids = {name: str(row(name, minutes).id) for name, minutes in (("newer", 1), ("oldest", 3), ("older", 2))}
    row("later", -1)
    row("done", 9, status=Mail.Status.ACCEPTED)

    tasks.ring_unsent()

    assert [args for _, args in broker.bells] == [[ids["oldest"]], [ids["older"]]]
    assert broker.expires == [60.0, 60.0]


@pytest.mark.django_db
def test_it_rings_again_only_once_workers_have_heard_most_of_what_was_rung(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty_broker()
    monkeypatch.setattr(bell, "FEW", 3)
    for cause in "abcd":
        row(cause, 1)
    assert tasks.ring_unsent() == "rang for 4"
    assert tasks.ring_unsent() == "rang for 0"
    assert bells_waiting("mail") == 4
    empty_broker()
    assert tasks.ring_unsent() == "rang for 4"
    empty_broker()


@pytest.mark.django_db
def test_it_stops_ringing_where_the_broker_is_away(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bell, "RING_QUIET", 0.0)
    for cause in "abc":
        row(cause, 1)
    broker.away = True

    tasks.ring_unsent()

    assert caplog.text.count("ConnectionRefusedError") == 1
