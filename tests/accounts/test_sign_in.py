"""Sign in with password and mailed code, through the pages."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import limits
from accounts.models import AuditEvent, CodeAttempt, MailedCode, User
from accounts.tasks import mail_code, ring_unsent_codes
from notifications.models import Mail
from tests.conftest import PASSWORD
from tests.mail_sink import MailSink

pytestmark = pytest.mark.django_db


def enter_password(client: Client, email: str = "alice@example.com", password: str = PASSWORD):  # type: ignore[no-untyped-def]
    return client.post("/sign-in/", {"email": email, "password": password})


def latest_code(sink: MailSink) -> str:
    """Deliver what was asked for last, as the worker does, and read the mail."""
    code = MailedCode.objects.latest("requested_at")
    mail_code(str(code.pk))
    found = re.search(r"\b(\d{3})\s?(\d{3})\b", sink.messages[-1].text)
    assert found
    return found[1] + found[2]


def test_it_signs_in_with_password_and_code(client: Client, alice: User, mail_sink: MailSink) -> None:
    answer = enter_password(client)
    assert answer["Location"] == "/sign-in/code/"
    code = latest_code(mail_sink)
    assert mail_sink.messages[-1].message["To"] == "alice@example.com"
    answer = client.post("/sign-in/code/", {"code": f" {code[:3]}-{code[3:]} "})
    assert answer["Location"] == "/"
    assert client.get("/").status_code == 200
    assert AuditEvent.objects.get(customer=alice).verb == "signed_in"


def test_it_finds_the_address_whatever_its_letter_case(client: Client, alice: User) -> None:
    assert enter_password(client, "ALICE@Example.com")["Location"] == "/sign-in/code/"


def test_it_says_the_same_for_a_wrong_password_and_an_unknown_address(client: Client, alice: User) -> None:
    wrong = enter_password(client, password="something else")
    unknown = enter_password(Client(), "nobody@example.com")
    assert wrong.status_code == unknown.status_code == 200
    hide = re.compile(rb'value="[^"]*"')
    assert hide.sub(b"", wrong.content) == hide.sub(b"", unknown.content)
    as_long = enter_password(Client(), "alicf@example.com")
    assert len(as_long.content) == len(wrong.content)
    assert not CodeAttempt.objects.exists()


def test_it_stores_no_code_anywhere(client: Client, alice: User, mail_sink: MailSink) -> None:
    enter_password(client)
    code = latest_code(mail_sink)
    row = MailedCode.objects.select_related("mail").get()
    assert row.mail is not None
    stored = f"{vars(row)} {vars(row.mail)} {vars(row.attempt)}"
    assert code not in re.sub(r"[0-9a-f]{32,}|[0-9a-f-]{36}|datetime\([^)]*\)", "", stored)
    assert not row.mail.text
    assert not row.mail.html


def test_it_ends_an_attempt_after_five_wrong_codes(client: Client, alice: User, mail_sink: MailSink) -> None:
    enter_password(client)
    code = latest_code(mail_sink)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for left in ("Four tries", "Three tries", "Two tries", "One try"):
        assert left in client.post("/sign-in/code/", {"code": wrong}).content.decode()
    assert "no try is left" in client.post("/sign-in/code/", {"code": wrong}).content.decode()
    assert client.post("/sign-in/code/", {"code": code})["Location"] == "/sign-in/?again=1"
    assert AuditEvent.objects.get().verb == "codes_used_up"


def test_it_counts_no_try_for_something_that_is_no_code(
    client: Client, alice: User, mail_sink: MailSink
) -> None:
    enter_password(client)
    code = latest_code(mail_sink)
    for typed in ("12345", "1234567", "abcdef", "", "9" * 500, "１２３４５６"):  # noqa: RUF001
        assert client.post("/sign-in/code/", {"code": typed}).status_code == 200
    assert client.post("/sign-in/code/", {"code": code})["Location"] == "/"


def test_it_takes_a_code_once(client: Client, alice: User, mail_sink: MailSink) -> None:
    enter_password(client)
    code = latest_code(mail_sink)
    ticket = client.cookies["attempt"].value
    assert client.post("/sign-in/code/", {"code": code})["Location"] == "/"
    again = Client()
    again.cookies["attempt"] = ticket
    assert again.post("/sign-in/code/", {"code": code})["Location"] == "/sign-in/?again=1"


def test_it_takes_a_code_only_in_the_browser_that_asked(
    client: Client, alice: User, mail_sink: MailSink
) -> None:
    enter_password(client)
    code = latest_code(mail_sink)
    with time_machine.travel(timezone.now() + timedelta(seconds=1)):
        other = Client()
        enter_password(other)
        assert "is not right" in other.post("/sign-in/code/", {"code": code}).content.decode()
    assert Client().post("/sign-in/code/", {"code": code})["Location"] == "/sign-in/?again=1"


def test_it_refuses_a_code_after_ten_minutes(client: Client, alice: User, mail_sink: MailSink) -> None:
    enter_password(client)
    code = latest_code(mail_sink)
    with time_machine.travel(timezone.now() + limits.CODE_LIFE + timedelta(seconds=1)):
        assert "is not right" in client.post("/sign-in/code/", {"code": code}).content.decode()


def test_it_keeps_an_earlier_code_good_after_a_resend(
    client: Client, alice: User, mail_sink: MailSink
) -> None:
    enter_password(client)
    first = latest_code(mail_sink)
    with time_machine.travel(timezone.now() + limits.RESEND_PAUSE + timedelta(seconds=1)):
        client.post("/sign-in/code/again/")
        second = latest_code(mail_sink)
        assert MailedCode.objects.exclude(mac="").count() == 2
        assert first != second
        assert client.post("/sign-in/code/", {"code": first})["Location"] == "/"


def test_it_compares_no_more_than_three_live_codes(client: Client, alice: User, mail_sink: MailSink) -> None:
    enter_password(client)
    codes = [latest_code(mail_sink)]
    begun = timezone.now()
    for minute in (1, 2, 3):
        with time_machine.travel(begun + minute * (limits.RESEND_PAUSE + timedelta(seconds=1))):
            client.post("/sign-in/code/again/")
            codes.append(latest_code(mail_sink))
            if minute == 3:
                assert "is not right" in client.post("/sign-in/code/", {"code": codes[0]}).content.decode()
                assert client.post("/sign-in/code/", {"code": codes[1]})["Location"] == "/"


def test_it_mails_one_code_a_minute_within_an_attempt(client: Client, alice: User) -> None:
    enter_password(client)
    answer = client.post("/sign-in/code/again/")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60
    assert MailedCode.objects.count() == 1


def test_it_gives_a_new_session_its_code_at_once(client: Client, alice: User) -> None:
    enter_password(client)
    assert enter_password(Client())["Location"] == "/sign-in/code/"
    assert MailedCode.objects.count() == 2


def test_it_mails_five_codes_an_account_in_a_quarter_of_an_hour(client: Client, alice: User) -> None:
    for _ in range(limits.CODES_PER_ORIGIN):
        assert enter_password(Client()).status_code == 302
    answer = enter_password(Client())
    assert answer.status_code == 429
    assert 800 < int(answer["Retry-After"]) <= 900
    with time_machine.travel(timezone.now() + limits.CODES_WINDOW + timedelta(seconds=1)):
        assert enter_password(Client()).status_code == 302


def test_it_stops_guessing_passwords_from_one_place_without_holding_the_owner_out(alice: User) -> None:
    for _ in range(limits.PASSWORDS.count):
        enter_password(Client(), password="a wrong guess")
    assert enter_password(Client()).status_code == 429
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    assert enter_password(elsewhere)["Location"] == "/sign-in/code/"


def test_it_mails_the_code_when_the_broker_lost_the_bell(
    client: Client, alice: User, mail_sink: MailSink
) -> None:
    enter_password(client)
    mail_sink.refuse(421)
    mail_code(str(MailedCode.objects.get().pk))
    assert not mail_sink.messages
    mail_sink.behave()
    due = Mail.objects.get().due_at
    with time_machine.travel(due + timedelta(seconds=1)):
        ring_unsent_codes()
        code = latest_code(mail_sink)
        assert client.post("/sign-in/code/", {"code": code})["Location"] == "/"


def test_it_gives_up_on_a_code_that_could_not_be_mailed_in_its_life(
    client: Client, alice: User, mail_sink: MailSink
) -> None:
    enter_password(client)
    mail_sink.refuse(421)
    mail_code(str(MailedCode.objects.get().pk))
    with time_machine.travel(timezone.now() + limits.CODE_LIFE + timedelta(minutes=2)):
        ring_unsent_codes()
    assert Mail.objects.get().status == Mail.Status.FAILED


def test_it_rotates_the_session_and_ends_it_at_sign_out(
    client: Client, alice: User, mail_sink: MailSink
) -> None:
    enter_password(client)
    assert "session" not in client.cookies
    client.post("/sign-in/code/", {"code": latest_code(mail_sink)})
    before = client.cookies["session"].value
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/?out=1"
    thief = Client()
    thief.cookies["session"] = before
    assert thief.get("/")["Location"].startswith("/sign-in/")


def test_it_leads_back_to_the_page_that_was_asked_for(
    client: Client, alice: User, mail_sink: MailSink
) -> None:
    asked = client.get("/security/")["Location"]
    assert asked == "/sign-in/?next=/security/"
    client.post(asked, {"email": "alice@example.com", "password": PASSWORD})
    answer = client.post("/sign-in/code/?next=/security/", {"code": latest_code(mail_sink)})
    assert answer["Location"] == "/security/"


def test_it_never_leads_to_another_site(client: Client, alice: User, mail_sink: MailSink) -> None:
    enter_password(client)
    answer = client.post("/sign-in/code/?next=https://evil.example/", {"code": latest_code(mail_sink)})
    assert answer["Location"] == "/"


def test_it_signs_in_while_the_cache_is_away(
    client: Client, alice: User, mail_sink: MailSink, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    away = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES, settings.REDIS_URL = {"default": away}, away["LOCATION"]
    assert enter_password(client)["Location"] == "/sign-in/code/"
    assert client.post("/sign-in/code/", {"code": latest_code(mail_sink)})["Location"] == "/"
    assert client.get("/").status_code == 200
    assert "limits are not counted" in caplog.text
