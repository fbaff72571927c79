"""A first or forgotten password: User ID, email, mailed code."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import limits
from accounts.models import AuditEvent, CodeAttempt, MailedCode, User
from accounts.tasks import mail_code
from notifications.models import Mail
from tests.accounts.test_sign_in import latest_code
from tests.conftest import PASSWORD, signed_in
from tests.mail_sink import MailSink

pytestmark = pytest.mark.django_db

NEW = "a quite different one"


def ask(client: Client, client_id: str = "0x1a2/alicedoe", email: str = "Alice@example.com"):  # type: ignore[no-untyped-def]
    return client.post("/sign-in/help/", {"client_id": client_id, "email": email})


def test_it_sets_a_password_and_ends_every_session(client: Client, alice: User, mail_sink: MailSink) -> None:
    elsewhere = signed_in(alice)
    assert elsewhere.get("/").status_code == 200
    assert ask(client)["Location"] == "/sign-in/help/code/"
    answer = client.post("/sign-in/help/code/", {"code": latest_code(mail_sink)})
    assert answer["Location"] == "/sign-in/help/password/"
    assert client.post("/sign-in/help/password/", {"password": NEW})["Location"] == "/sign-in/?password=1"
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert elsewhere.get("/").status_code == 302
    assert Mail.objects.get(kind="password_changed").owner_id == alice.pk
    assert AuditEvent.objects.get(customer=alice).verb == "password_set"


def test_it_gives_a_first_password_to_somebody_who_has_none(
    client: Client, alice: User, mail_sink: MailSink
) -> None:
    alice.set_unusable_password()
    alice.save()
    ask(client)
    client.post("/sign-in/help/code/", {"code": latest_code(mail_sink)})
    client.post("/sign-in/help/password/", {"password": NEW})
    assert client.post("/sign-in/", {"email": alice.email, "password": NEW})["Location"] == "/sign-in/code/"


def test_it_answers_alike_whether_or_not_the_pair_belongs_together(
    client: Client, alice: User, bob: User
) -> None:
    def page(client_id: str, email: str) -> tuple[int, bytes]:
        browser = Client()
        answer = ask(browser, client_id, email)
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in/help/code/")
        looks.add(len(answer.serialize()))
        mail_code(str(MailedCode.objects.latest("requested_at").pk))
        answer = browser.get("/sign-in/help/code/")
        return answer.status_code, re.sub(rb'value="[^"]*"|<time.*?</time>', b"", answer.content)

    looks = set[int]()
    known = page("0x1A2 / AliceDoe", "alice@example.com")
    assert page("0x1A2 / AliceDoe", "bob@example.net") == known
    assert page("0x999 / Nobody", "nobody@example.com") == known
    assert Mail.objects.count() == 1
    assert len(looks) == 1


def test_it_never_lets_a_pair_that_belongs_to_nobody_in(client: Client, alice: User) -> None:
    ask(client, "0x999 / Nobody", "nobody@example.com")
    mail_code(str(MailedCode.objects.get().pk))
    for _ in range(limits.CODE_TRIES):
        assert client.post("/sign-in/help/code/", {"code": "123456"}).status_code == 200
    assert client.post("/sign-in/help/code/", {"code": "123456"})["Location"] == "/sign-in/help/?again=1"


def test_it_caps_known_and_unknown_pairs_alike(alice: User) -> None:
    for pair in (("0x1A2 / AliceDoe", "alice@example.com"), ("0x999 / Nobody", "nobody@example.com")):
        for _ in range(limits.CODES_PER_ORIGIN):
            assert ask(Client(), *pair).status_code == 302
        assert ask(Client(), *pair).status_code == 429
    # Asking for help again and again does not keep the owner from signing in.
    answer = Client().post("/sign-in/", {"email": "alice@example.com", "password": PASSWORD})
    assert answer["Location"] == "/sign-in/code/"


def test_it_sets_no_password_without_a_right_code(client: Client, alice: User) -> None:
    assert client.get("/sign-in/help/password/")["Location"] == "/sign-in/help/?again=1"
    ask(client)
    assert client.post("/sign-in/help/password/", {"password": NEW})["Location"] == "/sign-in/help/?again=1"
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_it_takes_a_proof_for_a_quarter_of_an_hour(client: Client, alice: User, mail_sink: MailSink) -> None:
    ask(client)
    client.post("/sign-in/help/code/", {"code": latest_code(mail_sink)})
    with time_machine.travel(timezone.now() + limits.PROOF_LIFE + timedelta(seconds=1)):
        assert client.post("/sign-in/help/password/", {"password": NEW}).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_it_takes_a_proof_once(client: Client, alice: User, mail_sink: MailSink) -> None:
    ask(client)
    client.post("/sign-in/help/code/", {"code": latest_code(mail_sink)})
    ticket = client.cookies["attempt"].value
    client.post("/sign-in/help/password/", {"password": NEW})
    client.cookies["attempt"] = ticket
    client.post("/sign-in/help/password/", {"password": "and a third one, later"})
    alice.refresh_from_db()
    assert alice.check_password(NEW)


@pytest.mark.parametrize(("password", "why"), [("tiny one", "10 characters"), ("password1234", "too common")])
def test_it_says_what_is_wrong_with_a_new_password(
    password: str, why: str, client: Client, alice: User, mail_sink: MailSink
) -> None:
    ask(client)
    client.post("/sign-in/help/code/", {"code": latest_code(mail_sink)})
    page = client.post("/sign-in/help/password/", {"password": password}).content.decode()
    assert why in page
    assert password not in page


def test_it_uses_no_sign_in_code_to_set_a_password(client: Client, alice: User, mail_sink: MailSink) -> None:
    client.post("/sign-in/", {"email": alice.email, "password": PASSWORD})
    code = latest_code(mail_sink)
    assert client.post("/sign-in/help/code/", {"code": code})["Location"] == "/sign-in/help/?again=1"


def test_it_ends_a_sign_in_that_is_under_way_with_the_old_password(
    client: Client, alice: User, mail_sink: MailSink
) -> None:
    thief = Client()
    thief.post("/sign-in/", {"email": alice.email, "password": PASSWORD})
    code = latest_code(mail_sink)
    ask(client)
    client.post("/sign-in/help/code/", {"code": latest_code(mail_sink)})
    client.post("/sign-in/help/password/", {"password": NEW})
    assert thief.post("/sign-in/code/", {"code": code})["Location"] == "/sign-in/?again=1"


def test_it_counts_codes_by_person_however_the_address_is_spelt(alice: User) -> None:
    """In upper case, as the database compares, a dotless i is an i."""
    for spelling in ("alice@example.com", "ALICE@example.com", "al\u0131ce@example.com"):
        ask(Client(), email=spelling)
    assert CodeAttempt.objects.values("subject").distinct().count() == 1
