"""What a customer sees of the account's own history."""

import re

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import AuditEvent, User
from notifications.models import Mail

pytestmark = pytest.mark.django_db


def test_it_lists_own_events_and_mails_and_nobody_elses(as_alice: Client, alice: User, bob: User) -> None:
    with transaction.atomic():
        audit.record(Verb.SIGNED_IN, customer=alice, actor=alice, address="192.0.2.44")
        audit.record(Verb.KEY_ACTIVATED, customer=alice, bot_id="0x1A2 / AliceDoe / BTC-1", last_four="mB9x")
        audit.record(Verb.PASSWORD_SET, customer=bob, actor=bob, address="192.0.2.99")
    for owner, subject in ((alice, "For Alice"), (bob, "For Bob")):
        now = timezone.now()
        Mail.objects.create(
            kind="welcome",
            owner_id=owner.pk,
            to=owner.email,
            cause=subject,
            subject=subject,
            created_at=now,
            due_at=now,
        )
    page = as_alice.get("/security/").content.decode()
    assert "Signed in with password and code" in page
    assert "192.0.2.44" in page
    assert "…mB9x" in page
    assert "For Alice" in page
    assert "192.0.2.99" not in page
    assert "For Bob" not in page


def test_it_pages_back_without_losing_an_event(as_alice: Client, alice: User) -> None:
    with transaction.atomic():
        for number in range(60):
            audit.record(
                Verb.KEY_ACTIVATED, customer=alice, bot_id=f"0x1A2 / A / BOT-{number}", last_four="abcd"
            )
    first = as_alice.get("/security/").content.decode()
    link = re.search(r"\?before=\d+", first)
    assert link
    second = as_alice.get(f"/security/{link[0]}").content.decode()
    for number in range(60):
        needle = f"BOT-{number} active"
        assert (needle in first) != (needle in second), number
    assert as_alice.get("/security/?before=nonsense&mail-before=2026-13-45").status_code == 200


def test_it_refuses_to_change_or_delete_an_event(alice: User) -> None:
    with transaction.atomic():
        audit.record(Verb.SIGNED_IN, customer=alice)
    event = AuditEvent.objects.get()
    event.verb = Verb.SIGNED_OUT
    for act in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(verb="x"),
    ):
        with pytest.raises(TypeError):
            act()


def test_it_refuses_an_event_outside_the_transaction_of_what_it_tells() -> None:
    with pytest.raises(RuntimeError):
        _outside()


def _outside() -> None:
    connection = transaction.get_connection()
    was, connection.in_atomic_block = connection.in_atomic_block, False
    try:
        audit.record(Verb.SIGNED_IN, customer=None)
    finally:
        connection.in_atomic_block = was
