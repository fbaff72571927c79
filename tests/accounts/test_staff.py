"""Members of staff: made on the command line, set up with a mailed code, let in with a second factor."""

import re
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import roles
from accounts.devices import AuthenticatorApp
from accounts.models import AuditEvent, MailedCode, User
from accounts.roles import Role
from accounts.tasks import mail_code
from notifications.models import Mail
from tests.accounts.test_factors import enrol, verbs
from tests.accounts.test_sign_in import latest_code
from tests.authenticators import add_app, code_of
from tests.conftest import PASSWORD, make_staff, signed_in
from tests.mail_sink import MailSink

pytestmark = pytest.mark.django_db

EMAIL = "dora@sequence.example"
START = "/staff/first-sign-in/"


def create(email: str = EMAIL, role: Role = Role.SUPPORT) -> str:
    said = StringIO()
    call_command("create_staff", email, "--role", role.value, stdout=said)
    return said.getvalue()


def mailed(sink: MailSink) -> str:
    mail_code(str(MailedCode.objects.latest("requested_at").pk))
    found = re.search(r": ((?:[0-9a-z]{4}-){3}[0-9a-z]{4})$", sink.messages[-1].text, re.MULTILINE)
    assert found
    return found[1]


def test_it_brings_a_new_member_of_staff_to_the_desk(client: Client, mail_sink: MailSink) -> None:
    assert f"A code is on its way to {EMAIL}, good for 24 hours at http" in create()
    code = mailed(mail_sink)
    assert mail_sink.messages[-1].message["To"] == EMAIL
    answer = client.post(START, {"email": EMAIL.upper(), "code": f" {code.upper().replace('-', ' ')} "})
    assert answer["Location"] == "/staff/first-sign-in/password/"
    assert "too short" in client.post(answer["Location"], {"password": "short"}).content.decode()
    answer = client.post(answer["Location"], {"password": PASSWORD})
    assert answer["Location"] == "/security/factors/"
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/security/factors/", "not yet"
    assert client.get("/")["Location"] == "/security/factors/"
    enrol(client)
    assert client.get("/admin/").status_code == 200
    dora = User.objects.get(email=EMAIL)
    assert roles.role_of(dora) is Role.SUPPORT
    assert not dora.is_superuser
    assert verbs(dora) == ["staff_added", "password_set", "signed_in", "factor_added"]


def test_it_lets_no_mailed_code_alone_open_the_desk(client: Client, mail_sink: MailSink) -> None:
    create()
    client.post(START, {"email": EMAIL, "code": mailed(mail_sink)})
    client.post("/staff/first-sign-in/password/", {"password": PASSWORD})
    again = Client()
    again.post("/sign-in/", {"email": EMAIL, "password": PASSWORD})
    again.post("/sign-in/code/", {"code": latest_code(mail_sink)})
    assert again.get("/admin/").status_code == 302
    assert again.get("/admin/accounts/user/").status_code == 302


def test_it_takes_a_code_once_and_for_a_day(client: Client, mail_sink: MailSink) -> None:
    create()
    code = mailed(mail_sink)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert client.post(START, {"email": EMAIL, "code": code}).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        assert client.post(START, {"email": EMAIL, "code": code}).status_code == 302
        assert Client().post(START, {"email": EMAIL, "code": code}).status_code == 200
        assert Client().post("/staff/first-sign-in/password/", {"password": PASSWORD})["Location"] == START


def test_it_says_the_same_about_everybody_who_has_no_such_code(
    client: Client, mail_sink: MailSink, alice: User
) -> None:
    create()
    code = mailed(mail_sink)
    hide = re.compile(rb'value="[^"]*"')
    pages = {
        hide.sub(b"", Client().post(START, {"email": email, "code": given}).content)
        for email, given in (
            (EMAIL, "k7qf-2mxp-9dra-w41c"),
            ("nobody@sequence.example", code),
            (alice.email, code),
        )
    }
    assert len(pages) == 1
    assert client.post(START, {"email": EMAIL, "code": code}).status_code == 302, "no guess used it up"


def test_it_changes_the_role_and_nothing_else_when_run_again(mail_sink: MailSink) -> None:
    person = make_staff(Role.SUPPORT, EMAIL)
    assert "has the role support already" in create()
    first = mailed(mail_sink)
    assert "has the role lead now; it was support" in create(role=Role.LEAD)
    assert roles.role_of(person) is Role.LEAD
    assert AuthenticatorApp.objects.filter(user=person).exists()
    assert verbs(person) == ["role_changed"]
    client = Client()
    assert client.post(START, {"email": EMAIL, "code": first}).status_code == 200, "ended by the next one"
    client.post(START, {"email": EMAIL, "code": mailed(mail_sink)})
    answer = client.post("/staff/first-sign-in/password/", {"password": PASSWORD})
    assert answer["Location"] == "/sign-in/?password=1", "who has a factor signs in with it"
    client.post("/sign-in/", {"email": EMAIL, "password": PASSWORD})
    assert client.post("/sign-in/code/", {"code": latest_code(mail_sink)})["Location"] == "/sign-in/factor/"
    app = AuthenticatorApp.objects.get(user=person)
    assert client.post("/sign-in/factor/", {"code": code_of(app)})["Location"] == "/admin/"


def test_it_makes_no_customer_staff(alice: User) -> None:
    with pytest.raises(CommandError, match="customer's address"):
        create(alice.email.upper())
    with pytest.raises(CommandError, match="no email address"):
        create("dora")
    assert User.objects.get() == alice
    assert not AuditEvent.objects.exists()


def test_it_lets_staff_remove_all_but_their_last_factor() -> None:
    person = make_staff(Role.SUPPORT)
    client = signed_in(person)
    assert "only second factor" in client.get("/security/factors/app/remove/").content.decode()
    page = client.post("/security/factors/app/remove/", follow=True).content.decode()
    assert "Staff need a second factor" in page
    assert AuthenticatorApp.objects.filter(user=person).exists()


def test_it_stores_no_code_that_could_be_read(mail_sink: MailSink) -> None:
    create()
    code = mailed(mail_sink)
    row = MailedCode.objects.select_related("mail", "attempt").get()
    for plain in (code, code.replace("-", "")):
        assert plain not in f"{vars(row)} {vars(row.mail)} {vars(row.attempt)}"


def test_it_lets_a_lead_reset_lost_factors_of_others_with_a_reason(alice: User) -> None:
    add_app(alice)
    as_alice, lead = signed_in(alice), make_staff(Role.LEAD)
    desk = signed_in(lead)
    path = f"/admin/accounts/user/{alice.pk}/factors/"
    assert "authenticator app" in desk.get(path).content.decode().lower()
    desk.post(path, {"reason": ""})
    assert AuthenticatorApp.objects.filter(user=alice).exists()
    assert (
        "Reset. Every session ended"
        in desk.post(path, {"reason": "Seen by video."}, follow=True).content.decode()
    )
    assert not AuthenticatorApp.objects.filter(user=alice).exists()
    assert as_alice.get("/").status_code == 302
    event = AuditEvent.objects.get(customer=alice)
    assert (event.verb, event.actor, event.detail["reason"]) == ("factors_reset", lead, "Seen by video.")
    assert Mail.objects.get(owner_id=alice.pk).subject == "Your second factors were removed by Sequence"
    history = signed_in(alice).get("/security/").content.decode()
    assert "removed by a lead of Sequence" in history
    assert "Seen by video" not in history


def test_it_lets_nobody_else_reset_factors(alice: User) -> None:
    add_app(alice)
    lead = make_staff(Role.LEAD)
    own = f"/admin/accounts/user/{lead.pk}/factors/"
    assert "Another lead" in signed_in(lead).get(own).content.decode()
    signed_in(lead).post(own, {"reason": "Mine."})
    for role in (Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR):
        answer = signed_in(make_staff(role)).post(
            f"/admin/accounts/user/{alice.pk}/factors/", {"reason": "Please."}
        )
        assert answer.status_code == 403, role
    assert AuthenticatorApp.objects.count() == 5


def test_it_asks_staff_for_a_new_factor_after_a_reset(hashed_password: str, mail_sink: MailSink) -> None:
    person = make_staff(Role.SUPPORT, EMAIL)
    User.objects.filter(pk=person.pk).update(password=hashed_password)
    desk = signed_in(make_staff(Role.LEAD))
    desk.post(f"/admin/accounts/user/{person.pk}/factors/", {"reason": "Seen by video."})
    client = Client()
    client.post("/sign-in/", {"email": EMAIL, "password": PASSWORD})
    answer = client.post("/sign-in/code/", {"code": latest_code(mail_sink)})
    assert answer["Location"] == "/admin/"
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/security/factors/"
    enrol(client)
    assert client.get("/admin/").status_code == 200
