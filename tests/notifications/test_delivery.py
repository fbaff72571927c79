import logging
import smtplib
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.utils import timezone
from pytest_django import Settings

from notifications import delivery
from notifications.kinds import MailKind
from notifications.models import Mail
from notifications.render import RenderedMail, render
from telemetry.models import EVER, Tally, What
from tests.mail_sink import MailSink
from tests.notifications.samples import CONTEXTS
from tests.notifications.worker import RENDERED, deliver, make_due

pytestmark = pytest.mark.django_db(transaction=True)


def counted() -> list[str]:
    return list(Tally.objects.filter(slot=EVER, what=What.MAIL).values_list("result", flat=True))


def test_it_hands_over_text_and_html_under_a_stable_id(
    mail: Mail, mail_sink: MailSink, settings: Settings
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Sequence Portal <portal@sequence.example>"
    deliver(mail)

    (letter,) = mail_sink.messages
    assert letter.recipients == ("alice@example.com",)
    assert letter.sender == "portal@sequence.example"
    assert letter.message_id == f"<{mail.id}@sequence.example>"
    assert letter.message["Auto-Submitted"] == "auto-generated"
    written = render(MailKind.API_REFRESH, CONTEXTS[MailKind.API_REFRESH])
    assert (letter.subject, letter.text, letter.html) == (written.subject, written.text, written.html)
    assert "22 November 2026, 17:46:31 UTC" in letter.text
    assert (mail.status, mail.tries, mail.last_answer) == (Mail.Status.ACCEPTED, 1, "250")
    assert mail.accepted_at is not None
    assert abs(mail.accepted_at - letter.at) < timedelta(seconds=5)


def test_it_sends_an_accepted_mail_no_second_time(mail: Mail, mail_sink: MailSink) -> None:
    deliver(mail)
    make_due(mail)
    deliver(mail)

    assert len(mail_sink.messages) == 1
    assert mail.tries == 1


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
def test_it_tries_again_after_a_4xx(mail: Mail, mail_sink: MailSink, at: str) -> None:
    mail_sink.refuse(451, at=at, times=1)  # type: ignore[arg-type]
    before = timezone.now()
    deliver(mail)

    assert mail.status == Mail.Status.WAITING
    assert mail.last_answer.startswith("451 SMTP")
    assert delivery.PAUSES[0] <= mail.due_at - before < delivery.PAUSES[0] + timedelta(seconds=5)
    assert mail_sink.messages == []
    # Said to the sender, it is about every mail, and wakes people up.
    assert counted() == ["unsent" if at == "mail" else "retry"]

    deliver(mail)
    assert mail.tries == 1, "it came before its pause was over"

    make_due(mail)
    deliver(mail)
    assert mail.status == Mail.Status.ACCEPTED
    assert mail.tries == 2
    assert mail_sink.distinct_message_ids == len(mail_sink.messages) == 1


def test_it_says_at_each_try_what_it_said_at_the_first(
    mail: Mail, mail_sink: MailSink, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[RenderedMail] = []
    attempt = delivery.attempt

    def note(mail: Mail, rendered: RenderedMail) -> bool:
        tried.append(rendered)
        return attempt(mail, rendered)

    monkeypatch.setattr(delivery, "attempt", note)
    mail_sink.refuse(451, times=1)
    deliver(mail)
    settings.SUPPORT_EMAIL, settings.PORTAL_URL = "other@sequence.example", "https://other.example"
    make_due(mail)
    deliver(mail)

    assert mail.status == Mail.Status.ACCEPTED
    first, second = tried
    assert first == second
    assert mail_sink.messages[0].text == first.text


def test_it_sends_what_an_earlier_version_wrote_down(mail: Mail, mail_sink: MailSink) -> None:
    """Version 0.1 kept bodies; what waited at the upgrade has no facts."""
    html = "<style>p { color: red }</style><p>In words.</p>"
    Mail.objects.filter(pk=mail.pk).update(context=None, has_body=True, text="In words.\n", html=html)
    assert list(Mail.objects.due(timezone.now())) == [mail]
    deliver(mail)

    (letter,) = mail_sink.messages
    assert (mail.status, letter.text) == (Mail.Status.ACCEPTED, "In words.\n")
    assert 'style="color: red;"' in letter.html, "styles are inlined on the way out"
    assert letter.message_id.startswith(f"<{mail.id}@")


@pytest.mark.parametrize("at", ["rcpt", "data"])
def test_it_fails_at_once_where_the_recipient_is_refused(mail: Mail, mail_sink: MailSink, at: str) -> None:
    mail_sink.refuse(550, at=at, times=1)  # type: ignore[arg-type]
    deliver(mail)

    assert mail.status == Mail.Status.FAILED
    assert mail.last_answer.startswith("550 SMTP")
    make_due(mail)
    deliver(mail)
    assert mail_sink.messages == []
    assert mail.tries == 1


def test_it_tries_again_where_the_sender_is_refused(mail: Mail, mail_sink: MailSink) -> None:
    mail_sink.refuse(550, at="mail")
    deliver(mail)

    assert (mail.status, mail.last_answer) == (Mail.Status.WAITING, "550 SMTPSenderRefused")


def test_it_tries_again_where_the_server_is_down(mail: Mail, mail_sink: MailSink) -> None:
    mail_sink.down()
    deliver(mail)
    assert (mail.status, mail.last_answer) == (Mail.Status.WAITING, "ConnectionRefusedError")
    assert counted() == ["unsent"]

    mail_sink.up()
    make_due(mail)
    assert deliver(mail).status == Mail.Status.ACCEPTED
    assert len(mail_sink.messages) == 1


def test_it_tries_again_where_the_connection_breaks_before_the_answer(
    mail: Mail, mail_sink: MailSink
) -> None:
    mail_sink.drop(at="data", times=1)
    deliver(mail)
    assert (mail.status, mail.last_answer) == (Mail.Status.WAITING, "SMTPServerDisconnected")
    assert mail_sink.messages == []

    make_due(mail)
    assert deliver(mail).status == Mail.Status.ACCEPTED
    assert len(mail_sink.messages) == 1


def test_it_takes_the_250_for_the_answer_though_the_goodbye_fails(mail: Mail, mail_sink: MailSink) -> None:
    mail_sink.drop(at="quit")
    deliver(mail)

    assert mail_sink.state()["dropped"] == 1
    assert mail.status == Mail.Status.ACCEPTED


def test_it_takes_the_250_for_the_answer_whatever_closing_raises(
    mail: Mail, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_quit = smtplib.SMTP.quit

    def quit_badly(client: smtplib.SMTP) -> None:
        real_quit(client)
        raise smtplib.SMTPException

    monkeypatch.setattr(smtplib.SMTP, "quit", quit_badly)
    deliver(mail)

    assert mail.status == Mail.Status.ACCEPTED


def test_it_gives_up_a_server_that_does_not_answer_in_time(
    mail: Mail, mail_sink: MailSink, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    mail_sink.hold()
    deliver(mail)
    mail_sink.release()

    assert (mail.status, mail.last_answer) == (Mail.Status.WAITING, "SMTPServerDisconnected")
    assert mail_sink.messages == [], "an answer that nobody heard was counted"


def test_it_waits_longer_each_time_and_gives_up_in_the_end(
    mail: Mail, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_sink.refuse(451)
    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    pauses = []
    while mail.status == Mail.Status.WAITING:
        assert mail.tries < 100
        now = mail.due_at
        deliver(mail)
        pauses.append(mail.due_at - now)

    assert tuple(pauses[: len(delivery.PAUSES)]) == delivery.PAUSES
    assert list(delivery.PAUSES) == sorted(set(delivery.PAUSES))
    assert mail.status == Mail.Status.FAILED
    assert delivery.GIVE_UP <= now - mail.created_at < delivery.GIVE_UP + delivery.PAUSES[-1]


def test_it_ends_a_mail_that_cannot_be_built(mail: Mail, mail_sink: MailSink) -> None:
    Mail.objects.filter(pk=mail.pk).update(to="alice@exa\nmple.com")
    deliver(mail)
    assert (mail.status, mail.last_answer) == (Mail.Status.WAITING, "BadHeaderError")

    Mail.objects.filter(pk=mail.pk).update(created_at=timezone.now() - delivery.GIVE_UP)
    make_due(mail)
    assert deliver(mail).status == Mail.Status.FAILED


@pytest.mark.parametrize(
    ("broken", "answer"),
    [
        ({"kind": "of_a_later_version"}, "ValueError"),
        ({"context": {"client_id": "4a1f"}}, "KeyError"),
        ({"context": {"portal_url": "", "activated_at": {"$time": "4a1f"}}}, "ValueError"),
    ],
)
def test_it_ends_a_mail_that_cannot_be_rendered(
    broken: dict[str, object], answer: str, mail: Mail, mail_sink: MailSink, caplog: pytest.LogCaptureFixture
) -> None:
    whole = {name: getattr(mail, name) for name in broken}
    Mail.objects.filter(pk=mail.pk).update(**broken)
    before = timezone.now()
    deliver(mail)
    assert (mail.status, mail.tries, mail.last_answer) == (Mail.Status.WAITING, 1, answer)
    assert mail.due_at - before >= delivery.PAUSES[0], "it would be tried without an end"
    assert f"{mail.kind}, cannot be rendered: {answer}" in caplog.text
    assert "4a1f" not in caplog.text

    Mail.objects.filter(pk=mail.pk).update(created_at=timezone.now() - delivery.GIVE_UP)
    make_due(mail)
    assert deliver(mail).status == Mail.Status.FAILED
    assert mail_sink.messages == []

    # Mended in time, it goes out.
    Mail.objects.filter(pk=mail.pk).update(status=Mail.Status.WAITING, **whole)
    make_due(mail)
    assert deliver(mail).status == Mail.Status.ACCEPTED


def test_it_leaves_code_mails_to_the_task_that_draws_the_code(mail: Mail, mail_sink: MailSink) -> None:
    Mail.objects.filter(pk=mail.pk).update(context=None)
    deliver(mail)
    assert (mail.tries, mail_sink.messages) == (0, [])

    claimed = delivery.claim(mail.id, timezone.now())
    assert claimed is not None
    assert delivery.attempt(claimed, RENDERED)
    mail.refresh_from_db()
    assert (mail.status, mail.context) == (Mail.Status.ACCEPTED, None)
    assert mail_sink.messages[0].text == RENDERED.text


def test_it_keeps_and_logs_no_words_of_the_server(
    mail: Mail, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise smtplib.SMTPDataError(554, b"5.7.1 rejected: 'code 493021' for <alice@example.com>")

    monkeypatch.setattr(django_mail.EmailMultiAlternatives, "send", refuse)
    with caplog.at_level(logging.DEBUG):
        deliver(mail)

    assert mail.last_answer == "554 SMTPDataError"
    assert str(mail.id) in caplog.text
    for secret in ("493021", "alice", RENDERED.subject, "In words"):
        assert secret not in caplog.text
