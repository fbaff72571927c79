"""A customer's account is closed: keys wiped, person removed, events kept."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import transaction
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from django_otp import devices_for_user

from accounts import audit
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from accounts.flows import change_address, clear_mailbox, write_letter
from accounts.gates import GatedError
from accounts.models import AuditEvent, CodeAttempt, MailboxHold, User
from accounts.roles import Role
from apikeys.exchanges.base import Credentials
from apikeys.flows import close_customer, request_bot
from apikeys.flows.add_bot import CustomerLeftError
from apikeys.flows.submit import submit
from apikeys.models import ApiKey, Bot, BotRequest, Handover, KeyCheck
from apikeys.status import KeyStatus
from notifications import outbox
from notifications.kinds import MailKind
from notifications.models import Mail
from tests.apikeys.rows import make_key
from tests.authenticators import add_app
from tests.conftest import PASSWORD, make_staff, signed_in

pytestmark = pytest.mark.django_db

ASKED = {"reason": "Asked for it in writing.", "client_id": "0x1a2/alicedoe"}


@pytest.fixture
def lead(db: None) -> User:
    return make_staff(Role.LEAD)


@pytest.fixture
def full(alice: User, lead: User, binance_bot: Bot, bybit_bot: Bot) -> User:
    """Alice with something of every kind."""
    active = make_key(binance_bot, KeyStatus.ACTIVE, "aaaa", timedelta(days=3), account_id="5550001")
    ApiKey.objects.filter(pk=active.pk).update(confirmed_account_id="5550002")
    Handover.objects.create(
        kind="key",
        key=active,
        created_at=timezone.now(),
        fetched_at=timezone.now(),
        settled_at=timezone.now(),
    )
    make_key(bybit_bot, KeyStatus.CHECKING, "bbbb", timedelta(minutes=1))
    KeyCheck.objects.create(
        key=active,
        started_at=timezone.now(),
        finished_at=timezone.now(),
        outcome="accepted",
        report_json={"account": "5550001"},
    )
    add_app(alice)
    Client().post("/sign-in/", {"email": alice.email, "password": PASSWORD})
    change_address.start(
        customer=alice, new_email="alice@new.example", reason="Alice asked", actor=lead, address="::1"
    )
    clear_mailbox.ask(customer=alice, note="I am Alice", address="192.0.2.44")
    with transaction.atomic():
        audit.record(Verb.SIGNED_IN, customer=alice, actor=alice, address="192.0.2.44")
        outbox.send(
            MailKind.WELCOME,
            owner_id=alice.pk,
            to=alice.email,
            cause="welcome",
            context={"client_id": alice.client_id, "bots": ["0x1A2 / AliceDoe / BTC-1"]},
        )
    return alice


def test_it_wipes_keys_and_removes_the_person_and_keeps_events(
    full: User, as_alice: Client, lead: User
) -> None:
    before = list(AuditEvent.objects.filter(customer=full).order_by("pk").values())
    path = f"/admin/accounts/user/{full.pk}/close/"
    page = signed_in(lead).get(path).content.decode()
    assert "2 live keys of 2 bots are revoked" in page
    assert "cannot be taken back" in page
    assert signed_in(lead).post(path, ASKED).status_code == 302

    assert not ApiKey.objects.live().exists()
    assert set(ApiKey.objects.values_list("status", "sealed")) == {("revoked", None)}
    assert Handover.objects.filter(kind="revocation").count() == 1
    assert as_alice.get("/")["Location"].startswith("/sign-in/")
    closed = User.objects.get(pk=full.pk)
    name = f"closed-{full.pk}"
    assert (closed.email, closed.client_id, closed.name) == (f"{name}@closed.invalid", name, "")
    assert closed.closed_at
    assert not closed.is_active
    assert not closed.has_usable_password()
    assert not list(devices_for_user(closed, confirmed=None))
    assert not CodeAttempt.objects.filter(user=closed).exists()
    after = list(AuditEvent.objects.filter(customer=full).order_by("pk").values())
    assert after[: len(before)] == before
    assert [row["verb"] for row in after[len(before) :]] == ["key_revoked", "key_revoked", "customer_closed"]
    assert (after[-1]["actor_id"], after[-1]["detail"]) == (lead.pk, {"reason": ASKED["reason"]})
    assert set(Mail.objects.filter(owner_id=full.pk).values_list("to", "context", "text", "has_body")) == {
        (f"{name}@closed.invalid", None, "", False)
    }
    assert not Mail.objects.filter(owner_id=full.pk, status="waiting").exists()


def test_it_leaves_no_trace_of_the_person_but_bot_ids_and_events(full: User, lead: User) -> None:
    close_customer.close(customer=full, reason="x", actor=lead, address="192.0.2.1")
    known = ("alice", "i am", "5550001", "5550002")
    left = {
        f"{model.__name__}.{name}"
        for model in apps.get_models()
        if model.__name__ != "AuditEvent"
        for row in model._default_manager.values()
        for name, value in row.items()
        if any(word in str(value).lower() for word in known)
    }
    assert left == {"Bot.bot_id"}


def test_it_takes_no_key_that_was_on_its_way(full: User, lead: User, binance_bot: Bot) -> None:
    close_customer.close(customer=full, reason="x", actor=lead, address="192.0.2.1")
    with pytest.raises(GatedError) as refused:
        submit(
            bot=binance_bot,
            customer=full,
            credentials=Credentials("a" * 64, "b" * 64),
            trimmed=False,
            replaces=None,
            address="192.0.2.44",
        )
    assert "This account is closed" in render_to_string(refused.value.gate.template)


def test_it_takes_no_word_to_or_of_a_person_that_was_on_its_way(full: User, lead: User) -> None:
    """Each page had read the customer before the account was closed."""
    seen = clear_mailbox.shown(full.email, None)
    close_customer.close(customer=User.objects.get(pk=full.pk), reason="x", actor=lead, address="192.0.2.1")
    events, mails = AuditEvent.objects.count(), Mail.objects.count()
    letter: dict[str, Any] = {"subject": "Your invoice", "text": "Dear Alice", "draft": uuid4(), "pdf": None}
    for late in (
        lambda: write_letter.write(customer=full, **letter, actor=lead, address="192.0.2.1"),
        lambda: clear_mailbox.ask(customer=full, note="I am Alice", address="192.0.2.44"),
        lambda: clear_mailbox.decide(customer=full, clear=True, by=By(lead, "192.0.2.1", "Alice", seen)),
        lambda: request_bot.ask(
            customer=full, exchange="kraken", market="spot", note="I am Alice", address="192.0.2.44"
        ),
    ):
        with pytest.raises((NotPossibleError, CustomerLeftError)):
            late()
    assert (AuditEvent.objects.count(), Mail.objects.count()) == (events, mails)
    assert not MailboxHold.objects.exists()
    assert not BotRequest.objects.exists()


def test_it_is_for_leads_who_type_the_user_id(full: User, lead: User) -> None:
    path = f"/admin/accounts/user/{full.pk}/close/"
    for role in (Role.SUPPORT, Role.AUDITOR):
        desk = signed_in(make_staff(role))
        assert "<form" not in desk.get(path).content.decode().split('id="content"')[1], role
        assert desk.post(path, ASKED).status_code == 403, role
    desk = signed_in(lead)
    assert "not the User ID" in desk.post(path, ASKED | {"client_id": "0x2B3 / BobRoe"}).content.decode()
    assert "required" in desk.post(path, ASKED | {"reason": ""}).content.decode()
    assert ApiKey.objects.live().count() == 2
    desk.post(path, ASKED)
    assert "was closed on" in desk.get(path).content.decode()
    with pytest.raises(close_customer.ClosedAlreadyError):
        close_customer.close(customer=full, reason="x", actor=lead, address="192.0.2.1")
    assert AuditEvent.objects.filter(verb="customer_closed").count() == 1
    assert "closed" in desk.get(f"/admin/accounts/user/{full.pk}/address/").content.decode()
