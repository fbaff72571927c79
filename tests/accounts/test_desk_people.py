"""What support does about a person: sessions, password, limits, mail; and staff who leave."""

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django_otp import devices_for_user

from accounts import limits, roles
from accounts.acts import By, NotPossibleError
from accounts.devices import has_factor
from accounts.flows import end_sessions, resend_mail, reset_password, staff, unlock
from accounts.models import AuditEvent, AuthenticatorApp, CodeAttempt, Session, User
from accounts.roles import Role
from notifications import outbox
from notifications.kinds import MailKind
from notifications.models import Mail
from notifications.tasks import deliver
from tests.accounts.test_limits import at
from tests.accounts.test_set_password import ask
from tests.accounts.test_sign_in import enter_password, latest_code
from tests.authenticators import add_app
from tests.conftest import PASSWORD, make_staff, signed_in
from tests.mail_sink import MailSink
from tests.notifications.samples import CONTEXTS

pytestmark = pytest.mark.django_db

FROM = "192.0.2.1"


@pytest.fixture
def agent(db: None) -> User:
    return make_staff(Role.SUPPORT)


@pytest.fixture
def by(agent: User) -> By:
    return By(agent, FROM, "Ticket 9")


def test_it_ends_sessions_and_sign_ins_under_way(
    by: By, alice: User, as_alice: Client, as_bob: Client, mail_sink: MailSink
) -> None:
    begun = Client()
    enter_password(begun)
    code = latest_code(mail_sink)
    end_sessions.end_all(customer=alice, by=by)
    assert as_alice.get("/")["Location"].startswith("/sign-in/")
    assert begun.post("/sign-in/code/", {"code": code})["Location"] == "/sign-in/?again=1"
    assert as_bob.get("/").status_code == 200
    assert "Every session ended by Sequence" in history_of(alice)


def test_a_password_reset_leaves_it_to_the_customer_to_set_one(
    by: By, alice: User, as_alice: Client, mail_sink: MailSink
) -> None:
    add_app(alice)
    reset_password.start(customer=alice, by=by)
    assert as_alice.get("/")["Location"].startswith("/sign-in/")
    assert authenticate(None, username=alice.email, password=PASSWORD) is None
    mail = Mail.objects.get(kind="password_ended")
    deliver(str(mail.pk))
    letter = mail_sink.messages[-1]
    assert letter.message["To"] == alice.email
    assert "Forgotten or first password" in letter.text
    assert "Ticket 9" not in letter.text

    browser = Client()
    ask(browser)
    browser.post("/sign-in/help/code/", {"code": latest_code(mail_sink)})
    browser.post("/sign-in/help/password/", {"password": "another good one"})
    again = User.objects.get(pk=alice.pk)
    assert again.check_password("another good one")
    assert has_factor(again), "the second factor stays"
    desk = signed_in(by.actor).get(f"/admin/accounts/user/{alice.pk}/password/").content.decode()
    assert 'type="password"' not in desk, "nobody at the desk types one"


def test_an_unlock_lets_the_owner_try_again_and_gives_a_guesser_no_more(
    by: By, alice: User, mail_sink: MailSink
) -> None:
    for turn in range(limits.CODES_PER_ACCOUNT):
        strangers = at(f"198.51.100.{turn // limits.CODES_PER_ORIGIN}")
        enter_password(strangers)
    strangers_code = latest_code(mail_sink)
    owner = at("203.0.113.200")
    assert enter_password(owner).status_code == 429
    app = add_app(alice)
    AuthenticatorApp.objects.filter(pk=app.pk).update(wrong_tries=10, wrong_since=timezone.now())

    page = signed_in(by.actor).get(f"/admin/accounts/user/{alice.pk}/unlock/").content.decode()
    assert "10 mailed in the last 15 minutes" in page
    assert "10 wrong tries, none is taken until" in page
    unlock.unlock(person=alice, by=by)
    assert enter_password(owner)["Location"] == "/sign-in/code/"
    assert AuthenticatorApp.objects.get(pk=app.pk).again_at(timezone.now()) is None
    answer = strangers.post("/sign-in/code/", {"code": strangers_code})
    assert answer["Location"] == "/sign-in/?again=1", "what strangers asked for is of no use"
    assert CodeAttempt.objects.filter(user=alice).count() == 1
    assert not Mail.objects.filter(status="waiting", context=None).exists()
    with pytest.raises(NotPossibleError, match="less than an hour ago"):
        unlock.unlock(person=alice, by=by)


def test_an_unlock_forgets_wrong_passwords_of_known_browsers_alone(
    by: By, alice: User, mail_sink: MailSink, django_capture_on_commit_callbacks: Any
) -> None:
    known = Client()
    enter_password(known)
    known.post("/sign-in/code/", {"code": latest_code(mail_sink)})
    known.post("/sign-out/")
    strange = at("198.51.100.7")
    for browser in (known, strange):
        for _ in range(limits.PASSWORDS.count):
            enter_password(browser, password="a wrong guess")
        assert enter_password(browser).status_code == 429
    with django_capture_on_commit_callbacks(execute=True):
        unlock.unlock(person=alice, by=by)
    assert enter_password(known).status_code == 302
    assert enter_password(strange).status_code == 429


def test_colleagues_are_unlocked_by_a_lead_and_nobody_unlocks_themselves(agent: User) -> None:
    lead = make_staff(Role.LEAD)
    sent = {"reason": "x"}
    where = f"/admin/accounts/user/{lead.pk}/unlock/"
    assert signed_in(agent).post(where, sent).status_code == 403
    page = signed_in(agent).get(where).content.decode()
    assert "A lead lifts the limits of a colleague." in page
    assert "Lift the limits</button>" not in page
    assert (
        "Lift the limits</button>"
        in signed_in(lead).get(where.replace(str(lead.pk), str(agent.pk))).content.decode()
    )
    signed_in(lead).post(f"/admin/accounts/user/{agent.pk}/unlock/", sent)
    own = signed_in(lead).post(f"/admin/accounts/user/{lead.pk}/unlock/", sent, follow=True)
    assert "Nobody lifts their own limits" in own.content.decode()
    assert AuditEvent.objects.get(verb="unlocked").customer == agent


def make_mail(owner: User, kind: MailKind, to: str = "old@example.com") -> Mail:
    with transaction.atomic():
        cause = f"{kind}:{to}"
        outbox.send(kind, owner_id=owner.pk, to=to, cause=cause, context=CONTEXTS[kind])
    Mail.objects.filter(cause=cause).update(status=Mail.Status.FAILED)
    return Mail.objects.get(cause=cause)


def test_a_mail_is_sent_again_to_the_present_address_as_one_of_its_own(
    by: By, alice: User, mail_sink: MailSink
) -> None:
    mail = make_mail(alice, MailKind.API_REFUSED)
    desk = signed_in(by.actor)
    where = f"/admin/notifications/mail/{mail.pk}/resend/"
    shown = {"reason": "It bounced", "seen": "0"}
    assert desk.post(where, shown).status_code == 302
    twice = desk.post(where, shown, follow=True).content.decode()
    assert "sent again meanwhile" in twice
    again = Mail.objects.exclude(pk=mail.pk).get()
    deliver(str(again.pk))
    letter = mail_sink.messages[-1].message
    assert letter["To"] == alice.email
    assert letter["Subject"] == mail.subject
    assert str(again.pk) in letter["Message-ID"]
    assert AuditEvent.objects.filter(verb="mail_resent").count() == 1
    desk.post(where, {**shown, "seen": "1"})
    assert Mail.objects.count() == 3


def test_what_two_agents_chose_from_a_list_is_sent_again_once(by: By, alice: User) -> None:
    mails = [make_mail(alice, MailKind.API_REFUSED), make_mail(alice, MailKind.WELCOME)]
    assert Mail.objects.undelivered(timezone.now()).count() == 2
    other = signed_in(make_staff(Role.SUPPORT, "other.agent@sequence.example"))
    desks = [signed_in(by.actor), other]
    chosen = {"action": "resend_mail", "_selected_action": [str(mail.pk) for mail in mails]}
    pages = [desk.post("/admin/notifications/mail/", chosen)["Location"] for desk in desks]
    start = {"step": "start", "reason": "It bounced", "sure": "on"}
    answers = [
        desk.post(page, start, follow=True).content.decode() for desk, page in zip(desks, pages, strict=True)
    ]
    assert [answer.count("This mail was sent again meanwhile.") for answer in answers] == [0, 2]
    copies = Mail.objects.filter(cause__startswith="again:")
    assert copies.count() == AuditEvent.objects.filter(verb="mail_resent").count() == 2

    # Nothing is left to do about the two, unless a copy fails as well, which is then what waits.
    assert not Mail.objects.undelivered(timezone.now()).exists()
    copies.filter(kind=MailKind.WELCOME).update(status=Mail.Status.FAILED)
    assert Mail.objects.undelivered(timezone.now()).get() == copies.get(kind=MailKind.WELCOME)


def test_what_is_not_sent_again(by: By, alice: User) -> None:
    code = make_mail(alice, MailKind.PASSWORD_CHANGED, "a@example.com")
    Mail.objects.filter(pk=code.pk).update(context=None, kind=MailKind.SIGN_IN_CODE)
    waiting = make_mail(alice, MailKind.WELCOME)
    Mail.objects.filter(pk=waiting.pk).update(status=Mail.Status.WAITING)
    notice = make_mail(alice, MailKind.ADDRESS_CHANGED)
    of_staff = make_mail(by.actor, MailKind.FACTOR_CHANGED)
    for mail, why in (
        (code, "Nothing of this mail is kept"),
        (waiting, "still waits"),
        (notice, "for no other address"),
        (of_staff, "belongs to no customer"),
    ):
        with pytest.raises(NotPossibleError, match=why):
            resend_mail.resend(mail=mail, by=by)
    assert Mail.objects.count() == 4
    alice.is_active = False
    alice.save()
    with pytest.raises(NotPossibleError, match="belongs to no customer"):
        resend_mail.resend(mail=make_mail(alice, MailKind.API_REFUSED), by=by)


def test_a_member_of_staff_who_leaves_reaches_nothing_any_more(agent: User) -> None:
    lead = make_staff(Role.LEAD)
    agents = signed_in(agent)
    where = f"/admin/accounts/user/{agent.pk}/end/"
    sent = {"reason": "Left in November", "sure": "on"}
    assert agents.post(f"/admin/accounts/user/{lead.pk}/end/", sent).status_code == 403
    assert (
        "Nobody ends their own"
        in signed_in(lead).get(f"/admin/accounts/user/{lead.pk}/end/").content.decode()
    )
    signed_in(lead).post(where, sent)
    assert agents.get("/admin/")["Location"].startswith("/admin/login/")
    gone = User.objects.get(pk=agent.pk)
    assert (gone.is_active, gone.has_usable_password(), roles.role_of(gone)) == (False, False, None)
    assert not has_factor(gone)
    assert [type(one).__name__ for one in devices_for_user(gone)] == ["PrimaryMailDevice"]
    assert not Session.objects.filter(user=gone).exists()
    with pytest.raises(NotPossibleError, match="no lead any more"):
        staff.end(person=lead, by=By(gone, FROM, "revenge"))
    again = staff.create(email=gone.email, role=Role.AUDITOR)
    assert (again.user.is_active, roles.role_of(again.user)) == (True, Role.AUDITOR)


def history_of(customer: User) -> str:
    return signed_in(customer).get("/security/").content.decode()
