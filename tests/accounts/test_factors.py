"""Second factors of a customer: added, asked for, used up, removed."""

import re
from base64 import b32decode, b32encode
from datetime import timedelta

import pytest
import time_machine
from django.apps import apps
from django.core.serializers import serialize
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.devices import AuthenticatorApp, Passkey, RecoveryCodes
from accounts.models import AuditEvent, PrimaryMailDevice, User
from notifications.models import Mail
from tests.accounts.test_sign_in import enter_password, latest_code
from tests.authenticators import add_app, code_of, code_of_secret
from tests.conftest import signed_in
from tests.mail_sink import MailSink

pytestmark = pytest.mark.django_db

_CODES = re.compile(r"\b[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}\b")


def at_the_factor(mail_sink: MailSink) -> Client:
    """Alice's browser after password and mailed code."""
    client = Client()
    enter_password(client)
    answer = client.post("/sign-in/code/", {"code": latest_code(mail_sink)})
    assert answer["Location"] == "/sign-in/factor/"
    assert client.get("/").status_code == 302, "not in yet"
    return client


def enrol(client: Client) -> tuple[bytes, list[str]]:
    """Add an app as its page says; gives the secret that the app has now, and the recovery codes."""
    assert client.post("/security/factors/app/begin/")["Location"] == "/security/factors/app/"
    page = client.get("/security/factors/app/").content.decode()
    shown = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", page)
    assert shown
    secret = b32decode(shown[0].replace(" ", ""))
    codes = client.post("/security/factors/app/", {"code": code_of_secret(secret)})
    assert "no-store" in codes["Cache-Control"]
    return secret, _CODES.findall(codes.content.decode())


def verbs(user: User) -> list[str]:
    return list(AuditEvent.objects.filter(customer=user).order_by("pk").values_list("verb", flat=True))


def test_it_adds_an_app_after_a_first_right_code_and_shows_ten_recovery_codes(
    as_alice: Client, alice: User
) -> None:
    as_alice.post("/security/factors/app/begin/")
    picture = as_alice.get("/security/factors/app/qr.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    assert "no-store" in picture["Cache-Control"]
    assert b"<path" in picture.content
    wrong = as_alice.post("/security/factors/app/", {"code": "000000"})
    assert "not right" in wrong.content.decode()
    assert not RecoveryCodes.objects.exists()
    _, codes = enrol(as_alice)
    assert len(set(codes)) == 20 / 2
    assert verbs(alice) == ["factor_added"]
    assert Mail.objects.get().to == alice.email
    assert Mail.objects.get().subject == "An authenticator app was added"
    assert as_alice.get("/security/factors/app/qr.svg").status_code == 404, "shown only until it is confirmed"
    page = as_alice.get("/security/factors/").content.decode()
    assert "10 of 10 left" in page
    assert not _CODES.findall(page)
    assert "Second factor added: authenticator app" in as_alice.get("/security/").content.decode()


def test_it_ends_sessions_elsewhere_when_the_first_factor_is_added(as_alice: Client, alice: User) -> None:
    elsewhere = signed_in(alice)
    enrol(as_alice)
    assert as_alice.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


def test_it_asks_for_the_app_after_password_and_code(alice: User, mail_sink: MailSink) -> None:
    app = add_app(alice)
    client = at_the_factor(mail_sink)
    code = code_of(app)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert "not right" in client.post("/sign-in/factor/", {"code": wrong}).content.decode()
    assert client.get("/").status_code == 302
    assert client.post("/sign-in/factor/", {"code": f"{code[:3]} {code[3:]}"})["Location"] == "/"
    assert client.get("/").status_code == 200
    assert (
        AuditEvent.objects.get(customer=alice, verb="signed_in").detail["then"] == ", then authenticator app"
    )
    assert (
        "Signed in with password and code, then authenticator app"
        in client.get("/security/").content.decode()
    )


def test_it_takes_a_code_of_the_app_once(alice: User, mail_sink: MailSink) -> None:
    app = add_app(alice)
    code = code_of(app)
    assert at_the_factor(mail_sink).post("/sign-in/factor/", {"code": code}).status_code == 302
    with time_machine.travel(timezone.now() + timedelta(seconds=2)):
        again = at_the_factor(mail_sink)
        assert "not right" in again.post("/sign-in/factor/", {"code": code}).content.decode()


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_it_allows_a_clock_one_step_off(alice: User, mail_sink: MailSink, steps: int, accepted: bool) -> None:
    app = add_app(alice)
    client = at_the_factor(mail_sink)
    with time_machine.travel(timezone.now(), tick=False):
        code = code_of(app, timezone.now() + timedelta(seconds=30 * steps))
        assert (client.post("/sign-in/factor/", {"code": code}).status_code == 302) is accepted


def test_it_takes_no_other_answer_in_place_of_the_factor(alice: User, bob: User, mail_sink: MailSink) -> None:
    add_app(alice)
    of_bob = add_app(bob)
    client = at_the_factor(mail_sink)
    for answer in (
        {"code": code_of(of_bob)},
        {"code": ""},
        {},
        {"recovery_code": ""},
        {"recovery_code": "k7qf-2mxp-9dra"},
        {"passkey": ""},
        {"passkey": "no json"},
        {"passkey": '{"id": ["x"]}'},
        {"passkey": '"x"'},
        {"code": "\u0661\u0662\u0663\u0664\u0665\u0666"},
    ):
        assert client.post("/sign-in/factor/", answer).status_code == 200, answer
    assert client.get("/").status_code == 302
    assert Client().get("/sign-in/factor/")["Location"] == "/sign-in/?again=1"


def test_it_stops_after_ten_wrong_codes_and_takes_a_right_one_an_hour_later(
    alice: User, mail_sink: MailSink
) -> None:
    app = add_app(alice)
    client = at_the_factor(mail_sink)
    wrong = f"{(int(code_of(app)) + 500_000) % 1_000_000:06d}"
    for _ in range(10):
        assert client.post("/sign-in/factor/", {"code": wrong}).status_code == 200
    answer = client.post("/sign-in/factor/", {"code": code_of(app)})
    assert answer.status_code == 429
    assert 3500 < int(answer["Retry-After"]) <= 3600
    assert verbs(alice) == ["factor_tries_used_up"]
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        later = at_the_factor(mail_sink)
        assert later.post("/sign-in/factor/", {"code": code_of(app)}).status_code == 302


def test_it_signs_in_with_a_recovery_code_once(as_alice: Client, alice: User, mail_sink: MailSink) -> None:
    _, codes = enrol(as_alice)
    typed = codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "L")
    assert at_the_factor(mail_sink).post("/sign-in/factor/", {"recovery_code": typed}).status_code == 302
    assert Mail.objects.filter(subject="A recovery code was used, 9 left").count() == 1
    assert "recovery_code_used" in verbs(alice)
    again = at_the_factor(mail_sink)
    assert again.post("/sign-in/factor/", {"recovery_code": codes[0]}).status_code == 200
    assert again.post("/sign-in/factor/", {"recovery_code": codes[1]}).status_code == 302


def test_it_makes_new_recovery_codes_that_end_the_old_ones(
    as_alice: Client, alice: User, mail_sink: MailSink
) -> None:
    _, old = enrol(as_alice)
    new = _CODES.findall(as_alice.post("/security/factors/recovery-codes/").content.decode())
    assert not set(old) & set(new)
    client = at_the_factor(mail_sink)
    assert client.post("/sign-in/factor/", {"recovery_code": old[0]}).status_code == 200
    assert client.post("/sign-in/factor/", {"recovery_code": new[0]}).status_code == 302
    assert "recovery_codes_made" in verbs(alice)


def test_it_keeps_the_factor_when_the_password_is_set_anew(
    client: Client, alice: User, mail_sink: MailSink
) -> None:
    app = add_app(alice)
    client.post("/sign-in/help/", {"client_id": alice.client_id, "email": alice.email})
    client.post("/sign-in/help/code/", {"code": latest_code(mail_sink)})
    answer = client.post("/sign-in/help/password/", {"password": "correct horse battery"})
    assert answer["Location"] == "/sign-in/?password=1"
    assert at_the_factor(mail_sink).post("/sign-in/factor/", {"code": code_of(app)}).status_code == 302


def test_it_removes_the_app_and_asks_for_it_no_more(
    as_alice: Client, alice: User, mail_sink: MailSink
) -> None:
    enrol(as_alice)
    assert "only second factor" in as_alice.get("/security/factors/app/remove/").content.decode()
    assert AuthenticatorApp.objects.exists(), "looking removes nothing"
    page = as_alice.post("/security/factors/app/remove/", follow=True).content.decode()
    assert "was removed" in page
    assert not RecoveryCodes.objects.exists()
    assert verbs(alice) == ["factor_added", "factor_removed"]
    assert Mail.objects.filter(subject="An authenticator app was removed").exists()
    client = Client()
    enter_password(client)
    assert client.post("/sign-in/code/", {"code": latest_code(mail_sink)})["Location"] == "/"


def test_it_lets_a_session_without_the_factor_change_none(alice: User) -> None:
    app = add_app(alice)
    thief = signed_in(alice, by_mail_alone=True)
    for path in (
        "/security/factors/app/remove/",
        "/security/factors/recovery-codes/",
        "/security/factors/app/begin/",
        "/security/factors/passkeys/add/",
    ):
        assert thief.post(path)["Location"].startswith("/security/confirm/?next="), path
    assert AuthenticatorApp.objects.get() == app
    owner = signed_in(alice)
    assert owner.get("/security/factors/").status_code == 200


def test_it_shows_and_changes_factors_of_oneself_only(as_bob: Client, alice: User, client: Client) -> None:
    add_app(alice)
    passkey = Passkey.objects.create(user=alice, name="Laptop", credential_id="x", public_key=b"x")
    assert "Laptop" not in as_bob.get("/security/factors/").content.decode()
    for path in ("/security/factors/app/remove/", f"/security/factors/passkeys/{passkey.pk}/remove/"):
        assert as_bob.post(path).status_code == 404
        assert client.post(path)["Location"].startswith("/sign-in/")
    assert as_bob.get("/security/factors/app/qr.svg").status_code == 404
    assert Passkey.objects.count() == AuthenticatorApp.objects.count() == 1


def test_it_keeps_no_secret_that_a_copy_of_the_database_would_give_away(as_alice: Client) -> None:
    secret, codes = enrol(as_alice)
    rows = serialize("json", [row for model in apps.get_models() for row in model._default_manager.all()])
    held = bytes(AuthenticatorApp.objects.get().sealed_secret)
    assert secret not in held
    for plain in (secret.hex(), b32encode(secret).decode(), *codes, *(c.replace("-", "") for c in codes)):
        assert plain not in rows


def test_it_opens_a_secret_for_its_owner_and_under_its_key_only(
    alice: User, bob: User, mail_sink: MailSink, settings: Settings
) -> None:
    of_alice, of_bob = add_app(alice), add_app(bob)
    code = code_of(of_bob)
    AuthenticatorApp.objects.filter(pk=of_alice.pk).update(sealed_secret=of_bob.sealed_secret)
    assert at_the_factor(mail_sink).post("/sign-in/factor/", {"code": code}).status_code == 200
    AuthenticatorApp.objects.filter(pk=of_alice.pk).update(sealed_secret=of_alice.sealed_secret)
    client = at_the_factor(mail_sink)
    code = code_of(of_alice)
    used = settings.CODE_KEY
    settings.CODE_KEY = "another one"
    assert client.post("/sign-in/factor/", {"code": code}).status_code == 200
    settings.CODE_KEY = used
    assert client.post("/sign-in/factor/", {"code": code}).status_code == 302


def test_it_takes_no_token_past_the_lock(alice: User) -> None:
    assert not PrimaryMailDevice.objects.get(user=alice).verify_token("123456")


def test_it_says_that_a_numeric_address_has_no_passkeys(as_alice: Client, settings: Settings) -> None:
    settings.PORTAL_URL = "http://127.0.0.1:8000"
    assert "numeric address" in as_alice.get("/security/factors/").content.decode()
    settings.PORTAL_URL = "https://portal.example.com"
    page = as_alice.get("/security/factors/").content.decode()
    assert "numeric address" not in page
    assert 'data-passkey="create"' in page
