"""The primary address changes: started at the desk, confirmed by code, held for a day, counting."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django_otp import devices_for_user

from accounts import limits
from accounts.flows import change_address
from accounts.gates import GatedError
from accounts.models import AddressChange, AuditEvent, MailDomain, MailedCode, Session, User
from accounts.roles import Role
from accounts.tasks import apply_address_changes, mail_code
from apikeys.exchanges.base import Credentials
from apikeys.flows.submit import submit
from apikeys.models import ApiKey, Bot
from notifications.models import Mail
from notifications.render import render_stored
from tests.accounts.test_sign_in import latest_code
from tests.authenticators import add_app
from tests.conftest import PASSWORD, make_staff, signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.mail_sink import MailSink

pytestmark = pytest.mark.django_db

NEW = "alice@new.example"
Status = AddressChange.Status
FIELDS = {"client_id": "0x1a2/alicedoe", "email": "Alice@NEW.example"}


@pytest.fixture
def agent(db: None) -> User:
    return make_staff(Role.SUPPORT)


@pytest.fixture
def lead(db: None) -> User:
    return make_staff(Role.LEAD)


def start(customer: User, actor: User, new_email: str = NEW) -> AddressChange:
    return change_address.start(
        customer=customer, new_email=new_email, reason="lost mailbox", actor=actor, address="192.0.2.1"
    )


def confirm(client: Client, code: str, **fields: str):  # type: ignore[no-untyped-def]
    return client.post("/address/confirm/", FIELDS | {"code": code} | fields)


@pytest.fixture
def held(alice: User, agent: User, client: Client, mail_sink: MailSink) -> AddressChange:
    """Started by support and confirmed by Alice."""
    change = start(alice, agent)
    assert confirm(client, latest_code(mail_sink))["Location"] == "/address/confirm/?confirmed=1"
    change.refresh_from_db()
    return change


def after_the_hold() -> time_machine.travel:
    return time_machine.travel(timezone.now() + settings.ADDRESS_HOLD + timedelta(seconds=1))


def verbs(customer: User) -> list[str]:
    return list(AuditEvent.objects.filter(customer=customer).order_by("pk").values_list("verb", flat=True))


def test_it_goes_from_the_desk_through_the_hold_to_a_new_sign_in(
    alice: User, as_alice: Client, agent: User, client: Client, mail_sink: MailSink
) -> None:
    add_app(alice)
    page = signed_in(agent).post(
        f"/admin/accounts/user/{alice.pk}/address/",
        {"act": "start", "new_email": NEW, "reason": "She lost the mailbox."},
    )
    assert page.status_code == 302
    started = Mail.objects.get(kind="address_change_started")
    assert (started.to, started.owner_id) == (alice.email, alice.pk)
    code = latest_code(mail_sink)
    assert mail_sink.messages[-1].message["To"] == NEW
    assert "AliceDoe" not in mail_sink.messages[-1].text
    assert Mail.objects.get(to=NEW).context is None

    assert confirm(client, code).status_code == 302
    assert Mail.objects.get(kind="address_change_confirmed").to == alice.email
    assert as_alice.get("/").status_code == 200
    assert NEW in as_alice.get("/security/").content.decode()

    apply_address_changes()
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    with after_the_hold():
        devices = list(devices_for_user(alice, confirmed=None))
        apply_address_changes()
        apply_address_changes()
        alice.refresh_from_db()
        assert alice.email == NEW
        assert as_alice.get("/")["Location"].startswith("/sign-in/")
        assert not Session.objects.filter(user=alice).exists()
        assert sorted(Mail.objects.filter(kind="address_changed").values_list("to", flat=True)) == [
            "alice@example.com",
            NEW,
        ]
        assert MailDomain.objects.get().name == "new.example"
        assert list(devices_for_user(alice, confirmed=None)) == devices
        assert Client().post("/sign-in/", {"email": NEW, "password": PASSWORD}).status_code == 302
        latest_code(mail_sink)
        assert mail_sink.messages[-1].message["To"] == NEW
    assert verbs(alice) == ["address_change_started", "address_confirmed", "address_changed"]


def test_it_mails_a_code_to_whoever_asks_with_the_right_pair(
    alice: User, agent: User, client: Client, mail_sink: MailSink
) -> None:
    start(alice, agent)
    assert "on its way" in client.post("/address/confirm/", FIELDS).content.decode()
    code = latest_code(mail_sink)
    # It is of this browser and for this pair. The one from the start is of any browser.
    assert confirm(Client(), code).status_code == 200
    assert confirm(client, code, client_id="0x2B3 / BobRoe").status_code == 200
    assert confirm(client, code).status_code == 302


def test_it_answers_alike_whether_or_not_such_a_change_is_under_way(
    alice: User, bob: User, agent: User, client: Client
) -> None:
    start(alice, agent)

    def pages(client_id: str, email: str) -> list[tuple[int, bytes]]:
        browser, hide = Client(), re.compile(rb'value="[^"]*"|<time.*?</time>')
        asked = browser.post("/address/confirm/", {"client_id": client_id, "email": email})
        mail_code(str(MailedCode.objects.latest("requested_at").pk))
        wrong = browser.post("/address/confirm/", {"client_id": client_id, "email": email, "code": "123456"})
        return [(page.status_code, hide.sub(b"", page.content)) for page in (asked, wrong)]

    known = pages("0x1A2 / AliceDoe", NEW)
    assert pages("0x2B3 / BobRoe", NEW) == known
    assert pages("0x1A2 / AliceDoe", "alice@example.com") == known
    assert pages("0x999 / Nobody", "nobody@example.com") == known
    assert set(Mail.objects.filter(context__isnull=True).values_list("to", flat=True)) == {NEW}


def test_it_stops_guessing_and_counts_codes_of_known_and_unknown_pairs_alike(
    alice: User, agent: User, mail_sink: MailSink
) -> None:
    start(alice, agent)
    code = latest_code(mail_sink)
    for _ in range(limits.CODE_TRIES):
        confirm(Client(), f"{(int(code) + 1) % 1_000_000:06d}")
    assert "do not belong together" in confirm(Client(), code).content.decode()
    for _ in range(limits.CODES_PER_ORIGIN):
        assert Client().post("/address/confirm/", FIELDS).status_code == 200
    assert Client().post("/address/confirm/", FIELDS).status_code == 429


def test_it_takes_no_code_of_another_purpose(alice: User, agent: User, mail_sink: MailSink) -> None:
    start(alice, agent)
    client = Client()
    client.post("/sign-in/", {"email": alice.email, "password": PASSWORD})
    assert confirm(client, latest_code(mail_sink)).status_code == 200
    assert AddressChange.objects.get().status == Status.STARTED


def test_it_keeps_what_was_typed_and_says_what_is_wrong(client: Client) -> None:
    page = confirm(client, "12").content.decode()
    assert "A code has six digits" in page
    assert "Alice@NEW.example" in page


def test_it_refuses_keys_during_the_hold_and_says_until_when(
    held: AddressChange, as_alice: Client, binance_bot: Bot
) -> None:
    path, good = f"/bots/{binance_bot.pk}/key/", DEMO_KEYS["binance"]["good"]
    page = as_alice.get(path).content.decode()
    assert 'data-gate="address-hold"' in page
    assert 'name="api_key"' not in page
    assert held.due_at
    assert f"{held.due_at:%H:%M}" in page
    answer = as_alice.post(path, {"api_key": good.api_key, "secret": good.secret})
    assert answer.status_code == 403
    assert not ApiKey.objects.exists()
    with after_the_hold():
        apply_address_changes()
        again = signed_in(User.objects.get(pk=held.user_id))
        assert 'name="api_key"' in again.get(path).content.decode()


def test_it_refuses_a_key_that_was_on_its_way_as_the_hold_began(
    held: AddressChange, alice: User, binance_bot: Bot
) -> None:
    good = DEMO_KEYS["binance"]["good"]
    with pytest.raises(GatedError):
        submit(
            bot=binance_bot,
            customer=alice,
            credentials=Credentials(good.api_key, good.secret),
            trimmed=False,
            replaces=None,
            address="192.0.2.44",
        )
    assert not ApiKey.objects.exists()


def test_it_ends_a_session_that_is_stored_only_after_all_were_ended(alice: User, as_alice: Client) -> None:
    User.objects.filter(pk=alice.pk).update(email=NEW)
    assert as_alice.get("/")["Location"].startswith("/sign-in/")


def test_it_lets_the_owner_of_the_old_address_cancel(
    held: AddressChange, as_alice: Client, as_bob: Client, alice: User, binance_bot: Bot
) -> None:
    as_bob.post("/security/address/cancel/")
    held.refresh_from_db()
    assert held.status == Status.CONFIRMED
    assert as_alice.get("/security/address/cancel/").status_code == 405
    assert "is cancelled" in as_alice.post("/security/address/cancel/", follow=True).content.decode()
    with after_the_hold():
        apply_address_changes()
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert as_alice.get(f"/bots/{binance_bot.pk}/key/").status_code == 200
    assert "You cancelled" in render_stored(Mail.objects.get(kind="address_kept", to=alice.email)).text
    assert verbs(alice)[-1] == "address_change_cancelled"
    assert "No change" in as_alice.post("/security/address/cancel/", follow=True).content.decode()


def test_it_takes_no_code_of_a_cancelled_change(
    alice: User, agent: User, client: Client, mail_sink: MailSink
) -> None:
    change = start(alice, agent)
    code = latest_code(mail_sink)
    change_address.cancel(change=change, actor=agent, address="192.0.2.1")
    assert confirm(client, code).status_code == 200
    client.post("/address/confirm/", FIELDS)
    mail_code(str(MailedCode.objects.latest("requested_at").pk))
    assert Mail.objects.filter(to=NEW).count() == 1
    start(alice, agent)  # and support can begin anew


def test_it_lets_another_lead_shorten_the_hold_and_no_one_else(
    alice: User, agent: User, lead: User, client: Client, mail_sink: MailSink
) -> None:
    change = start(alice, lead)
    confirm(client, latest_code(mail_sink))
    path = f"/admin/accounts/user/{alice.pk}/address/"
    asked = {"act": "shorten", "reason": "Spoke to her on the phone.", "seen": change.pk, "sure": "on"}
    assert "another person has to" in signed_in(lead).post(path, asked, follow=True).content.decode()
    assert signed_in(agent).post(path, asked).status_code == 403
    apply_address_changes()
    change.refresh_from_db()
    assert change.status == Status.CONFIRMED
    other = make_staff(Role.LEAD, "other@sequence.example")
    assert signed_in(other).post(path, asked).status_code == 302
    apply_address_changes()
    change.refresh_from_db()
    assert (change.status, change.shortened_by, change.shortened_reason) == (
        Status.COUNTS,
        other,
        asked["reason"],
    )
    assert verbs(alice)[-2:] == ["address_hold_shortened", "address_changed"]


def test_it_does_nothing_to_a_change_that_the_lead_has_not_seen(
    alice: User, agent: User, lead: User, client: Client, mail_sink: MailSink
) -> None:
    """The one on the page is over, and another is under way to an address that nobody spoke about."""
    path, desk = f"/admin/accounts/user/{alice.pk}/address/", signed_in(lead)
    seen = start(alice, agent, "alice@seen.example")
    told = {"reason": "Spoke to her on the phone.", "seen": seen.pk, "sure": "on"}
    change_address.cancel(change=seen, actor=agent, address="192.0.2.1")
    change = start(alice, agent)
    confirm(client, latest_code(mail_sink))
    for act in ("shorten", "cancel"):
        page = desk.post(path, told | {"act": act}, follow=True).content.decode()
        assert "The change that you saw is not under way any more" in page
    change.refresh_from_db()
    assert (change.status, change.shortened_by) == (Status.CONFIRMED, None)
    assert f"Let {NEW} count now" in page
    assert page.count(f'name="seen" value="{change.pk}"') == 2
    unticked = {"act": "shorten", "reason": "x", "seen": change.pk}
    assert "Tick this to go on" in desk.post(path, unticked).content.decode()
    page = desk.post(path, told | {"act": "cancel", "seen": change.pk}, follow=True).content.decode()
    assert f"Cancelled. {NEW} does not count." in page
    again = desk.post(path, told | {"act": "cancel", "seen": change.pk}, follow=True).content.decode()
    assert "not under way any more" in again


def test_it_leaves_the_old_address_where_somebody_else_took_the_new_one_before_it_is_confirmed(
    alice: User, bob: User, agent: User, client: Client, mail_sink: MailSink
) -> None:
    start(alice, agent)
    code = latest_code(mail_sink)
    User.objects.filter(pk=bob.pk).update(email=NEW.upper())
    assert "belongs to another account" in confirm(client, code).content.decode()
    assert AddressChange.objects.get().status == Status.TAKEN
    assert "belongs to another account" in render_stored(Mail.objects.get(kind="address_kept")).text


def test_it_leaves_the_old_address_where_somebody_else_took_the_new_one_during_the_hold(
    held: AddressChange, alice: User, bob: User, as_alice: Client
) -> None:
    User.objects.filter(pk=bob.pk).update(email=NEW.upper())
    with after_the_hold():
        apply_address_changes()
    alice.refresh_from_db()
    held.refresh_from_db()
    assert (alice.email, held.status) == ("alice@example.com", Status.TAKEN)
    assert Mail.objects.get(kind="address_kept").to == alice.email
    assert not Mail.objects.filter(kind="address_changed").exists()
    assert verbs(alice)[-1] == "address_taken"


def test_it_lets_one_of_two_people_on_their_way_to_one_address_through(
    alice: User, bob: User, agent: User, client: Client, mail_sink: MailSink
) -> None:
    start(alice, agent)
    code = latest_code(mail_sink)
    start(bob, agent)
    theirs = latest_code(mail_sink)
    assert confirm(client, code).status_code == 302
    page = confirm(Client(), theirs, client_id="0x2B3 / BobRoe").content.decode()
    assert "belongs to another account" in page
    assert set(AddressChange.objects.values_list("user", "status")) == {
        (alice.pk, Status.CONFIRMED),
        (bob.pk, Status.TAKEN),
    }


def test_it_ends_a_change_that_nobody_confirms(alice: User, agent: User) -> None:
    start(alice, agent)
    with time_machine.travel(timezone.now() + settings.ADDRESS_CONFIRM_WITHIN + timedelta(seconds=1)):
        apply_address_changes()
        apply_address_changes()
    assert AddressChange.objects.get().status == Status.EXPIRED
    assert "seven days" in render_stored(Mail.objects.get(kind="address_kept")).text


def test_it_ends_codes_under_way_and_sends_waiting_mail_to_the_new_address(
    held: AddressChange, alice: User, client: Client, mail_sink: MailSink
) -> None:
    with time_machine.travel(timezone.now() + settings.ADDRESS_HOLD - timedelta(minutes=1)):
        thief = Client()
        thief.post("/sign-in/", {"email": alice.email, "password": PASSWORD})
        code = latest_code(mail_sink)
        # One that no server has taken yet, and one that no worker has looked at.
        mail_sink.refuse(421)
        for asks in ("waits", "unseen"):
            Client().post("/sign-in/", {"email": alice.email, "password": PASSWORD})
            if asks == "waits":
                mail_code(str(MailedCode.objects.latest("requested_at").pk))
        mail_sink.behave()
        Mail.objects.create(
            kind="api_refresh",
            owner_id=alice.pk,
            to=alice.email,
            cause="x",
            subject="x",
            context={},
            created_at=timezone.now(),
            due_at=timezone.now(),
        )
    with after_the_hold():
        apply_address_changes()
        assert thief.post("/sign-in/code/", {"code": code})["Location"] == "/sign-in/?again=1"
        mails = len(mail_sink.messages)
        for code_row in MailedCode.objects.filter(attempt__user=alice):
            mail_code(str(code_row.pk))
        assert [Mail.objects.get(kind="api_refresh").to] == [NEW]
        assert Mail.objects.get(kind="address_change_confirmed").to == "alice@example.com"
        assert not Mail.objects.filter(kind="sign_in_code", status="waiting").exists()
        Client().post("/sign-in/", {"email": NEW, "password": PASSWORD})
        latest_code(mail_sink)
        assert [letter.message["To"] for letter in mail_sink.messages[mails:]] == [NEW]


def test_it_says_at_the_desk_why_a_change_cannot_begin(alice: User, bob: User, agent: User) -> None:
    desk, path = signed_in(agent), f"/admin/accounts/user/{alice.pk}/address/"

    def answer(new_email: str, reason: str = "because") -> str:
        return desk.post(path, {"act": "start", "new_email": new_email, "reason": reason}).content.decode()

    assert "is the primary address already" in answer("ALICE@example.com")
    assert "belongs to another account" in answer("BOB@example.net")
    assert "no email address" in answer("nowhere")
    assert "This field is required" in answer(NEW, reason="")
    assert not AddressChange.objects.exists()
    start(alice, agent)
    assert "Cancel it first" in answer("else@new.example")


def test_it_shows_the_desk_page_to_who_may_look_and_lets_only_support_act(alice: User) -> None:
    path = f"/admin/accounts/user/{alice.pk}/address/"
    auditor = signed_in(make_staff(Role.AUDITOR))
    assert auditor.get(path).status_code == 200
    assert "<form" not in auditor.get(path).content.decode().split('id="content"')[1]
    assert auditor.post(path, {"act": "start", "new_email": NEW, "reason": "x"}).status_code == 403
    assert signed_in(make_staff(Role.OPERATIONS)).get(path).status_code == 403
    assert not AddressChange.objects.exists()
    staff = make_staff(Role.SUPPORT)
    assert signed_in(staff).get(f"/admin/accounts/user/{staff.pk}/address/").status_code == 404
