"""Where somebody is signed in, and ending it; what is mailed about a browser that is new."""

import re

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client

from accounts import sessions
from accounts.browsers import device
from accounts.models import AuditEvent, KnownBrowser, MailedCode, Session, User
from notifications.models import Mail
from notifications.render import render_stored
from tests.accounts.test_set_password import NEW, ask
from tests.accounts.test_sign_in import enter_password, latest_code
from tests.conftest import signed_in
from tests.mail_sink import MailSink

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)


def browser(agent: str = FIREFOX, address: str = "192.0.2.44") -> Client:
    return Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=address)


def sign_in(client: Client, sink: MailSink) -> Client:
    enter_password(client)
    assert client.post("/sign-in/code/", {"code": latest_code(sink)})["Location"] == "/"
    MailedCode.objects.all().delete()  # so that the next one need not wait for a cap
    return client


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def id_of(client: Client) -> str:
    return Session.digest_of(client.cookies["session"].value)


def test_it_lists_where_somebody_is_signed_in(alice: User, bob: User, mail_sink: MailSink) -> None:
    signed_in(bob)
    sign_in(browser(IPHONE, "198.51.100.7"), mail_sink)
    here = sign_in(browser(), mail_sink)
    page = " ".join(re.sub(r"<[^>]+>", " ", here.get("/security/").content.decode()).split())
    assert re.search(r"Firefox on Windows 192\.0\.2\.44 [\d:]+ Now This session", page)
    assert re.search(r"Safari on iPhone 198\.51\.100\.7 [\d:]+ [\d:]+ End the session with Safari", page)
    assert page.count("End the session") == 1, "Bob's is not listed"


def test_it_ends_another_session_at_once(alice: User, mail_sink: MailSink) -> None:
    here, there = sign_in(browser(), mail_sink), sign_in(browser(IPHONE), mail_sink)
    answer = here.post("/security/sessions/end/", {"session": id_of(there)}, follow=True)
    assert "That session has ended." in answer.content.decode()
    assert "Session with Safari on iPhone ended" in answer.content.decode()
    assert not is_in(there)
    assert is_in(here)
    answer = here.post("/security/sessions/end/", {"session": id_of(there)}, follow=True)
    assert "That session had ended before." in answer.content.decode()


def test_it_ends_all_other_sessions(alice: User, bob: User, mail_sink: MailSink) -> None:
    here, bobs = sign_in(browser(), mail_sink), signed_in(bob)
    others = [sign_in(browser(IPHONE), mail_sink), signed_in(alice)]
    assert here.get("/security/sessions/end-others/").status_code == 405
    here.post("/security/sessions/end-others/")
    assert not any(is_in(other) for other in others)
    assert is_in(here)
    assert is_in(bobs)
    assert KnownBrowser.objects.filter(user=alice).count() == 1
    assert "end-others" not in here.get("/security/").content.decode()


def test_it_signs_out_where_the_session_to_end_is_this_one(as_alice: Client) -> None:
    answer = as_alice.post("/security/sessions/end/", {"session": id_of(as_alice)})
    assert answer["Location"] == "/sign-in/?out=1"
    assert AuditEvent.objects.latest("pk").verb == "signed_out"


@pytest.mark.parametrize("session", ["", "nonsense", "0" * 40, "x" * 5000, "\0"])
def test_it_ends_nobody_elses_session(as_alice: Client, bob: User, session: str) -> None:
    bobs = signed_in(bob)
    for wanted in (session, id_of(bobs), bobs.cookies["session"].value):
        answer = as_alice.post("/security/sessions/end/", {"session": wanted}, follow=True)
        assert "That session had ended before." in answer.content.decode()
    assert is_in(bobs)


def test_it_brings_no_ended_session_back(as_alice: Client, alice: User) -> None:
    """A request that was under way while its session ended writes nothing."""
    session = as_alice.session
    assert session["seen_at"]
    sessions.end_all(alice)
    session["seen_at"] = "2026-01-01T00:00:00+00:00"
    with pytest.raises(UpdateError):
        session.save()
    assert not Session.objects.exists()


def test_it_keeps_nothing_in_the_table_that_opens_a_session(alice: User, mail_sink: MailSink) -> None:
    here = sign_in(browser(), mail_sink)
    cookies = {name: morsel.value for name, morsel in here.cookies.items()}
    rows = repr([*Session.objects.values(), *KnownBrowser.objects.values()])
    data = repr([row.get_decoded() for row in Session.objects.all()])
    for name in ("session", "browser"):
        assert cookies[name] not in rows + data
    thief = Client()
    thief.cookies["session"] = id_of(here)
    assert not is_in(thief)
    assert is_in(here)


def test_it_mails_a_sign_in_with_a_new_browser_and_no_other(alice: User, mail_sink: MailSink) -> None:
    here = sign_in(browser(), mail_sink)
    assert here.cookies["browser"]["httponly"]
    here.post("/sign-out/")
    sign_in(here, mail_sink)
    mail = Mail.objects.get(kind="new_device")
    assert (mail.owner_id, mail.to) == (alice.pk, "alice@example.com")
    for fact in ("0x1A2 / AliceDoe", "Firefox on Windows", "192.0.2.44"):
        assert fact in render_stored(mail).text
    sign_in(browser(IPHONE), mail_sink)
    assert Mail.objects.filter(kind="new_device").count() == 2


def test_it_takes_a_mark_for_no_proof(alice: User, mail_sink: MailSink) -> None:
    mark = sign_in(browser(), mail_sink).cookies["browser"].value
    thief = browser()
    thief.cookies["browser"] = mark
    assert not is_in(thief)
    assert enter_password(thief, password="a wrong guess").status_code == 200
    assert thief.get("/sign-in/code/")["Location"] == "/sign-in/?again=1"


def test_it_mails_again_once_a_browser_was_forgotten(alice: User, mail_sink: MailSink) -> None:
    there = sign_in(browser(IPHONE), mail_sink)
    here = sign_in(browser(), mail_sink)
    here.post("/security/sessions/end/", {"session": id_of(there)})
    sign_in(there, mail_sink)
    assert Mail.objects.filter(kind="new_device").count() == 3


def test_it_ends_everything_when_a_password_is_set(alice: User, mail_sink: MailSink) -> None:
    there = sign_in(browser(IPHONE), mail_sink)
    here = browser()
    ask(here)
    here.post("/sign-in/help/code/", {"code": latest_code(mail_sink)})
    here.post("/sign-in/help/password/", {"password": NEW})
    assert not is_in(there)
    assert not Session.objects.exists()
    assert not KnownBrowser.objects.exists()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (IPHONE, "Safari on iPhone"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/142.0.0.0 Safari/537.36",
            "Chrome on macOS",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) "
            "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        ("curl/8.5.0", "Unknown browser"),
        ("<script>alert(1)</script>" * 1000, "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_it_names_a_browser_in_words_of_ours(agent: str, words: str, rf) -> None:  # type: ignore[no-untyped-def]
    assert device(rf.get("/", HTTP_USER_AGENT=agent)) == words
