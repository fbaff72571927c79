"""What the database refuses by itself, and the one way in which the status of a key changes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import permutations, product
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import AuditEvent, User
from apikeys import transitions
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from tests.apikeys.rows import make_key

pytestmark = pytest.mark.django_db

CHECKING, READY, ACTIVE = KeyStatus.CHECKING, KeyStatus.READY, KeyStatus.ACTIVE
REFUSED, RETIRED, REVOKED = KeyStatus.REFUSED, KeyStatus.RETIRED, KeyStatus.REVOKED
# Written out from the design, not taken from the table of the code.
LIVE = {CHECKING, READY, ACTIVE}
MOVES = {
    (CHECKING, REFUSED),
    (CHECKING, READY),
    (READY, ACTIVE),
    (ACTIVE, RETIRED),
    *((status, REVOKED) for status in LIVE),
}


@contextmanager
def refused_by(constraint: str) -> Iterator[None]:
    """By the database, and by this rule of it. SQLite names the columns of a unique index instead."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        yield
    columns = {
        "one_active_key_per_bot": "apikeys_apikey.bot_id",
        "one_waiting_key_per_bot": "apikeys_apikey.bot_id",
        "one_live_key_per_fingerprint": "apikeys_apikey.fingerprint",
    }
    named = columns.get(constraint, constraint) if connection.vendor == "sqlite" else constraint
    assert named in str(caught.value)


def key_of(bot: Bot, status: KeyStatus, **fields: Any) -> ApiKey:
    return make_key(bot, status, "abcd", timedelta(hours=1), **fields)


def row(key: ApiKey) -> dict[str, Any]:
    return dict(ApiKey.objects.filter(pk=key.pk).values().get())


def test_it_refuses_two_active_keys_of_one_bot(binance_bot: Bot, bybit_bot: Bot) -> None:
    key_of(binance_bot, ACTIVE)
    with refused_by("one_active_key_per_bot"):
        key_of(binance_bot, ACTIVE)
    key_of(bybit_bot, ACTIVE)
    key_of(binance_bot, RETIRED)
    key_of(binance_bot, CHECKING)


@pytest.mark.parametrize(("first", "second"), list(product((CHECKING, READY), repeat=2)))
def test_it_refuses_two_waiting_keys_of_one_bot(
    first: KeyStatus, second: KeyStatus, binance_bot: Bot, bybit_bot: Bot
) -> None:
    key_of(binance_bot, first)
    with refused_by("one_waiting_key_per_bot"):
        key_of(binance_bot, second)
    key_of(bybit_bot, second)


@pytest.mark.parametrize(("first", "second"), list(product(LIVE, repeat=2)))
def test_it_refuses_two_live_keys_of_one_fingerprint(
    first: KeyStatus, second: KeyStatus, binance_bot: Bot, bybit_bot: Bot
) -> None:
    key_of(binance_bot, first, fingerprint="f" * 64)
    with refused_by("one_live_key_per_fingerprint"):
        key_of(bybit_bot, second, fingerprint="f" * 64)


@pytest.mark.parametrize("ended", [REFUSED, RETIRED, REVOKED])
def test_it_takes_the_fingerprint_of_a_key_that_has_ended(
    ended: KeyStatus, binance_bot: Bot, bybit_bot: Bot
) -> None:
    for _ in range(2):
        key_of(binance_bot, ended, fingerprint="f" * 64)
    key_of(bybit_bot, ACTIVE, fingerprint="f" * 64)


@pytest.mark.parametrize("status", list(KeyStatus))
def test_it_holds_a_sealed_secret_if_and_only_if_the_key_is_live(status: KeyStatus, binance_bot: Bot) -> None:
    wrong = None if status in LIVE else b"sealed"
    with refused_by("sealed_if_and_only_if_live"):
        key_of(binance_bot, status, sealed=wrong)
    key = key_of(binance_bot, status)
    with refused_by("sealed_if_and_only_if_live"):
        ApiKey.objects.filter(pk=key.pk).update(sealed=wrong)


@pytest.mark.parametrize(("start", "end"), [(s, e) for s, e in permutations(KeyStatus, 2) if s in LIVE])
def test_it_lets_no_status_leave_live_with_its_secret(
    start: KeyStatus, end: KeyStatus, binance_bot: Bot
) -> None:
    key = key_of(binance_bot, start)
    if end in LIVE:
        ApiKey.objects.filter(pk=key.pk).update(status=end)
        return
    with refused_by("sealed_if_and_only_if_live"):
        ApiKey.objects.filter(pk=key.pk).update(status=end)


def test_it_refuses_a_status_that_nobody_knows(binance_bot: Bot) -> None:
    key = key_of(binance_bot, RETIRED)
    for unknown in ("", "Active", "working"):
        with refused_by("known_key_status"):
            ApiKey.objects.filter(pk=key.pk).update(status=unknown)


def test_it_keeps_bots_and_keys_apart_from_deletion(alice: User, binance_bot: Bot) -> None:
    key_of(binance_bot, ACTIVE)
    for owner in (binance_bot, alice):
        with pytest.raises(IntegrityError), transaction.atomic():
            owner.delete()
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(("start", "end"), list(product(KeyStatus, repeat=2)))
def test_it_moves_a_key_only_as_the_table_says(start: KeyStatus, end: KeyStatus, binance_bot: Bot) -> None:
    key = key_of(binance_bot, start, seal_id="0a1b2c3d" if start in LIVE else "")
    before, now = row(key), timezone.now()
    if (start, end) not in MOVES:
        with pytest.raises(ValueError, match="cannot go"):
            transitions.move(key, end, now=now)
        assert row(key) == before
        return
    transitions.move(key, end, now=now)
    after = row(key)
    assert after["status"] == key.status == end
    if end in LIVE:
        assert (after["sealed"], after["seal_id"], after["ended_at"]) == (b"sealed", "0a1b2c3d", None)
    else:
        assert (after["sealed"], after["seal_id"], after["ended_at"]) == (None, "", now)
        assert key.sealed is None, "the object in memory is wiped too"
    stamps = {"ready_at": READY, "activated_at": ACTIVE}
    for stamp, status in stamps.items():
        assert after[stamp] == (now if end == status else before[stamp])


def test_it_ends_claim_and_waiting_check_with_every_move(binance_bot: Bot) -> None:
    now = timezone.now()
    key = key_of(binance_bot, CHECKING, claim=uuid4(), claimed_until=now, check_due_at=now)
    transitions.move(key, REFUSED, now=now, findings_json=[{"code": "malformed"}])
    after = row(key)
    assert (after["claim"], after["claimed_until"], after["check_due_at"]) == (None, None, None)
    assert after["findings_json"] == [{"code": "malformed"}]


@pytest.mark.parametrize("meanwhile", [REFUSED, REVOKED, READY])
def test_it_changes_nothing_when_somebody_else_was_first(meanwhile: KeyStatus, binance_bot: Bot) -> None:
    key = key_of(binance_bot, CHECKING)
    stale = ApiKey.objects.get(pk=key.pk)
    transitions.move(key, meanwhile, now=timezone.now())
    before = row(key)
    for end in (READY, REFUSED, REVOKED):
        with pytest.raises(transitions.LostRaceError):
            transitions.move(stale, end, now=timezone.now(), account_id="1448939")
    assert row(key) == before
    assert stale.status == CHECKING


def test_it_retires_the_old_key_before_it_activates_the_new_one(binance_bot: Bot) -> None:
    old, new, now = key_of(binance_bot, ACTIVE), key_of(binance_bot, READY), timezone.now()
    with refused_by("one_active_key_per_bot"):
        transitions.move(new, ACTIVE, now=now)
    new.refresh_from_db()
    with transaction.atomic():
        transitions.move(old, RETIRED, now=now)
        transitions.move(new, ACTIVE, now=now)
    assert (row(old)["status"], row(new)["status"]) == (RETIRED, ACTIVE)


@pytest.fixture
def event(alice: User) -> AuditEvent:
    audit.record(Verb.SIGNED_IN, customer=alice, actor=alice, address="192.0.2.1")
    return AuditEvent.objects.get()


def test_it_refuses_to_change_an_audit_event(alice: User, event: AuditEvent) -> None:
    before = AuditEvent.objects.values().get()
    event.verb = Verb.SIGNED_OUT
    changes: tuple[Callable[[], object], ...] = (
        event.save,
        lambda: event.save(update_fields=["verb"]),
        lambda: event.save(force_update=True),
        lambda: AuditEvent.objects.update(verb=Verb.SIGNED_OUT),
        lambda: AuditEvent.objects.filter(pk=event.pk).update(verb=Verb.SIGNED_OUT),
        lambda: AuditEvent.objects.bulk_update([event], ["verb"]),
        lambda: alice.events.update(verb=Verb.SIGNED_OUT),
    )
    for change in changes:
        with pytest.raises(TypeError, match="only ever added"), transaction.atomic():
            change()
    assert AuditEvent.objects.values().get() == before


def test_it_refuses_to_delete_an_audit_event(alice: User, event: AuditEvent) -> None:
    deletions: tuple[Callable[[], object], ...] = (
        event.delete,
        lambda: AuditEvent.objects.all().delete(),
        lambda: AuditEvent.objects.filter(pk=event.pk).delete(),
        lambda: alice.events.all().delete(),
    )
    for deletion in deletions:
        with pytest.raises(TypeError, match="only ever added"), transaction.atomic():
            deletion()
    with pytest.raises(IntegrityError), transaction.atomic():
        alice.delete()
    assert AuditEvent.objects.count() == 1


def test_it_writes_an_audit_event_only_in_the_transaction_of_its_cause(
    alice: User, event: AuditEvent
) -> None:
    @transaction.atomic
    def fail() -> None:
        audit.record(Verb.SIGNED_OUT, customer=alice, actor=alice)
        assert AuditEvent.objects.count() == 2
        raise ValueError("told to fail")

    with pytest.raises(ValueError, match="told to fail"):
        fail()
    assert AuditEvent.objects.count() == 1
