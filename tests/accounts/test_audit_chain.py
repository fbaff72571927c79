"""Whatever is done to the audit events by force, `verify_audit` finds it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts import audit, audit_chain, tasks
from accounts.audit_chain import FIELDS, Head
from accounts.audit_verbs import Verb
from accounts.models import AuditEvent, AuditLink, User
from tests.append_only import triggers_off

pytestmark = pytest.mark.django_db


def happen(customer: User, number: int) -> list[int]:
    """So many events of different content; their ids."""
    for at in range(number):
        with transaction.atomic():
            audit.record(
                Verb.KEY_ACTIVATED,
                customer=customer,
                address=f"192.0.2.{at + 1}",
                bot_id=f"0x1A2 / AliceDoe / BTC-{at}",
                last_four=f"{at:04d}",
            )
    return list(AuditEvent.objects.order_by("-pk").values_list("pk", flat=True)[:number])[::-1]


def verify(*heads: object) -> str:
    out = StringIO()
    call_command("verify_audit", *(f"--head={head}" for head in heads), stdout=out)
    return out.getvalue()


def complaints(*heads: object) -> list[str]:
    out = StringIO()
    with pytest.raises(CommandError, match="The chain is broken"):
        call_command("verify_audit", *(f"--head={head}" for head in heads), stdout=out)
    return out.getvalue().splitlines()[: -2 if heads else -3]


def by_force(*statements: str) -> None:
    with triggers_off(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def head(alice: User) -> Head:
    """Ten events, linked; the head is what the log has."""
    happen(alice, 10)
    found = audit_chain.link_committed()
    assert found is not None
    return found


def first() -> int:
    return int(AuditEvent.objects.order_by("pk").values_list("pk", flat=True)[0])


def test_it_holds_over_what_happened(head: Head, alice: User) -> None:
    happen(alice, 3)
    assert "wait to be linked: 3" in verify(head)
    tasks.link_events()
    assert "The chain holds." in verify(head)
    assert list(AuditLink.objects.order_by("number").values_list("number", flat=True)) == list(range(1, 14))
    tasks.link_events()
    assert AuditLink.objects.count() == 13


def test_it_logs_its_head_in_a_form_that_no_filter_cuts(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    happen(alice, 1)
    with caplog.at_level("INFO", "accounts.audit_chain"):
        tasks.link_events()
        tasks.link_events()
    (line,) = caplog.messages
    logged = Head.parse(line.removeprefix("Audit chain head "))
    assert (logged.number, logged.mac) == AuditLink.objects.values_list("number", "mac").get()
    assert "The chain holds." in verify(logged)


CHANGES = {
    "at": "'2026-01-01 00:00:00+00'",
    "verb": "'signed_in'",
    "actor_kind": "'staff'",
    "actor_id": "customer_id",
    "customer_id": "NULL",
    "key_id": "'00000000000000000000000000000001'",
    "bot_id": "'0x1A2 / AliceDoe / BTC-X'",
    "address": "'192.0.2.99'",
    "detail": """'{"last_four": "abcd"}'""",
}


@pytest.mark.parametrize("field", CHANGES)
def test_it_finds_an_edited_event(field: str, head: Head) -> None:
    by_force(f"UPDATE accounts_auditevent SET {field} = {CHANGES[field]} WHERE id = {first() + 4}")
    assert complaints() == complaints(head)
    assert complaints() == [f"Event {first() + 4} of link 5 is not what it was when it was linked."]


def test_it_covers_every_field_of_an_event() -> None:
    assert set(FIELDS) == {field.attname for field in AuditEvent._meta.concrete_fields}
    assert set(FIELDS) == CHANGES.keys() | {"id"}


def test_it_finds_a_deleted_event(head: Head) -> None:
    event = first() + 4
    by_force(f"DELETE FROM accounts_auditevent WHERE id = {event}")
    assert complaints() == [f"Event {event} of link 5 is gone."]


def test_it_finds_an_event_that_was_deleted_with_its_link(head: Head) -> None:
    by_force(
        f"DELETE FROM accounts_auditevent WHERE id = {first() + 4}",
        "DELETE FROM accounts_auditlink WHERE number = 5",
    )
    assert complaints() == ["Links 5 to 5 are gone."]


def test_it_finds_links_that_were_numbered_anew_over_a_gap(head: Head) -> None:
    by_force(
        f"DELETE FROM accounts_auditevent WHERE id = {first() + 4}",
        "DELETE FROM accounts_auditlink WHERE number = 5",
        *(f"UPDATE accounts_auditlink SET number = {at - 1} WHERE number = {at}" for at in range(6, 11)),
    )
    found = complaints(head)
    assert "Link 5 does not follow from the one before: changed, moved or put in." in found
    assert "Link 10 was logged and is gone: the chain ends with link 9." in found


def test_it_finds_two_events_in_each_others_place(head: Head) -> None:
    one, other = first() + 2, first() + 6
    by_force(
        *(
            f"UPDATE accounts_auditevent SET id = {new} WHERE id = {old}"
            for old, new in ((one, 0), (other, one), (0, other))
        )
    )
    assert complaints() == [
        f"Event {event} of link {link} is not what it was when it was linked."
        for event, link in ((one, 3), (other, 7))
    ]


def test_it_finds_two_links_in_each_others_place(head: Head) -> None:
    by_force(
        *(
            f"UPDATE accounts_auditlink SET number = {new} WHERE number = {old}"
            for old, new in ((3, 0), (7, 3), (0, 7))
        )
    )
    found = complaints()
    for number in (3, 4, 7, 8):
        assert f"Link {number} does not follow from the one before: changed, moved or put in." in found


@pytest.mark.parametrize(
    "column", ["event_id = 4711", "digest = 'd'", "mac = 'm'", "linked_at = '2026-01-01 00:00:00+00'"]
)
def test_it_finds_a_changed_link(column: str, head: Head) -> None:
    by_force(f"UPDATE accounts_auditlink SET {column} WHERE number = 5")
    assert "Link 5 does not follow from the one before: changed, moved or put in." in complaints()


def cut(after: int) -> None:
    by_force(
        f"DELETE FROM accounts_auditevent WHERE id >= {first() + after}",
        f"DELETE FROM accounts_auditlink WHERE number > {after}",
    )


def test_it_finds_a_cut_tail_by_the_logged_head(head: Head) -> None:
    cut(after=7)
    assert "a tail that was cut off would not show" in verify()
    assert complaints(head) == ["Link 10 was logged and is gone: the chain ends with link 7."]


def test_it_finds_a_cut_tail_after_the_chain_has_grown_again(head: Head, alice: User) -> None:
    cut(after=7)
    happen(alice, 5)
    now = audit_chain.link_committed()
    assert now is not None
    assert now.number == 12
    assert "The chain holds." in verify(now)
    assert complaints(now, head) == ["Link 10 is not the one that was logged."]


def test_it_finds_a_chain_made_anew_without_the_key(head: Head, settings: Settings) -> None:
    by_force("DELETE FROM accounts_auditlink")
    key, settings.AUDIT_KEY = settings.AUDIT_KEY, "what a thief thought of"
    audit_chain.link_committed()
    settings.AUDIT_KEY = key
    assert len(complaints()) == 10


def test_it_links_an_event_that_was_committed_late(alice: User) -> None:
    """Ids are given out before the commit: a lower one may appear after a higher one was linked."""
    events = happen(alice, 3)
    late = AuditEvent.objects.filter(pk=events[1]).values().get()
    by_force(f"DELETE FROM accounts_auditevent WHERE id = {events[1]}")
    audit_chain.link_committed()
    AuditEvent.objects.bulk_create([AuditEvent(**late)])
    head = audit_chain.link_committed()
    linked = AuditLink.objects.order_by("number").values_list("event_id", flat=True)
    assert list(linked) == [events[0], events[2], events[1]]
    assert "The chain holds." in verify(head)


def test_it_links_no_event_that_was_put_in_long_afterwards(alice: User) -> None:
    events = happen(alice, 3)
    old = AuditEvent.objects.filter(pk=events[1]).values().get()
    by_force(f"DELETE FROM accounts_auditevent WHERE id = {events[1]}")
    audit_chain.link_committed()
    with time_machine.travel(timezone.now() + audit_chain.LATEST + timedelta(minutes=1)):
        happen(alice, 1)
        audit_chain.link_committed()
        AuditEvent.objects.bulk_create([AuditEvent(**old)])
        happen(alice, 1)
        audit_chain.link_committed()
        assert complaints() == [
            f"Event {events[1]} was put in afterwards: later ones were linked long before it appeared."
        ]


def test_it_links_in_batches_all_that_waits(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_chain, "_AT_ONCE", 4)
    happen(alice, 10)
    head = audit_chain.link_committed()
    assert head is not None
    assert head.number == 10
    by_force("DELETE FROM accounts_auditlink WHERE number = 9")
    assert complaints() == ["Links 9 to 9 are gone."]


@pytest.mark.django_db(transaction=True)
def test_it_links_everything_once_while_people_act_and_two_workers_link(alice: User) -> None:
    def act(number: int) -> None:
        for at in range(15):
            with transaction.atomic():
                audit.record(Verb.SIGNED_IN, customer=alice, address=f"192.0.2.{number}")
                time.sleep(0.002 * (at % 3))  # others get higher ids and commit before
        connection.close()

    def link() -> None:
        while not done.is_set():
            audit_chain.link_committed()
            time.sleep(0.01)  # SQLite gives its one lock to whoever asks in the right moment
        connection.close()

    done = threading.Event()
    linking = [threading.Thread(target=link) for _ in range(2)]
    for thread in linking:
        thread.start()
    with ThreadPoolExecutor(4) as people:
        list(people.map(act, range(4)))
    done.set()
    for thread in linking:
        thread.join()
    head = audit_chain.link_committed() or Head.of(AuditLink.objects.latest("number"))
    assert head.number == 60
    assert "The chain holds." in verify(head)


def test_it_says_what_it_needs(settings: Settings, head: Head) -> None:
    for text in ("", "10", f"{head.number}:{head.mac}", f"0{head}", f"{head}0"):
        with pytest.raises(CommandError, match="a head is written as in the log"):
            verify(text)
    settings.AUDIT_KEY = ""
    with pytest.raises(CommandError, match="needs AUDIT_KEY"):
        verify()
