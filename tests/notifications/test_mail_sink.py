"""The sink is a measuring instrument of other tests, so its own promises are tested too."""

import json
import smtplib
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.mail_sink import MailSink


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with MailSink(http_port=0) as sink:
        yield sink


def post(sink: MailSink, subject: str = "Hello", timeout: float = 5) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "portal@example.com", "alice@example.com", subject
    message["Message-ID"] = f"<{len(subject)}@example.com>"
    message.set_content("In words.\n")
    message.add_alternative("<p>In <b>HTML</b></p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", sink.smtp_port, timeout=timeout) as client:
        client.send_message(message)


def ask(sink: MailSink, path: str, method: str = "GET") -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{sink.http_port}{path}", method=method)
    with urllib.request.urlopen(request, timeout=5) as reply:  # noqa: S310
        return str(reply.read().decode())


def test_it_counts_no_mail_whose_answer_nobody_heard(sink: MailSink) -> None:
    sink.hold()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        post(sink, timeout=0.2)
    sink.release()

    assert sink.messages == []
    post(sink)
    assert [letter.subject for letter in sink.messages] == ["Hello"]


def test_it_counts_mails_and_their_ids_apart(sink: MailSink) -> None:
    for subject in ("one", "second", "one"):
        post(sink, subject)

    assert len(sink.messages) == 3
    assert sink.distinct_message_ids == 2
    assert sink.wait_for(lambda letter: letter.subject == "second").number == 2


def test_it_says_what_came_instead(sink: MailSink) -> None:
    post(sink, "other")
    with pytest.raises(AssertionError, match="other"):
        sink.wait_for(lambda letter: letter.subject == "wanted", timeout=0.05)


def test_it_shows_every_mail_newest_first(sink: MailSink) -> None:
    post(sink, "alpha")
    post(sink, "<script>second")

    page = ask(sink, "/")
    assert page.index("&lt;script&gt;second") < page.index("alpha")
    assert "<script>" not in page
    assert 'http-equiv="refresh"' in page
    one = ask(sink, "/mail/1/")
    assert "In words." in one
    assert '<iframe sandbox title="The mail as HTML" src="/mail/1/html">' in one
    assert "<b>HTML</b>" in ask(sink, "/mail/1/html")


def test_it_is_steered_by_another_process(sink: MailSink) -> None:
    ask(sink, "/_control/refuse?code=550&at=rcpt&times=1", "POST")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        post(sink)
    post(sink)
    (letter,) = json.loads(ask(sink, "/_control/messages"))
    assert (letter["to"], letter["subject"]) == (["alice@example.com"], "Hello")
    assert letter["text"] == "In words.\n"

    ask(sink, "/_control/down", "POST")
    with pytest.raises(ConnectionRefusedError):
        post(sink)
    ask(sink, "/_control/up", "POST")
    post(sink, "once more")
    state = json.loads(ask(sink, "/_control/state"))
    assert (state["accepted"], state["distinct_message_ids"], state["refused"], state["held"]) == (2, 2, 1, 0)
