"""The front page of the desk: what waits for a person, and the figures of the last days."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.flows import change_address, clear_mailbox
from accounts.models import User
from accounts.roles import Role
from apikeys.desk import queues
from apikeys.flows.count_days import count_days
from apikeys.models import ApiKey, Bot, DayFigures, ExchangeState, Handover
from apikeys.status import KeyStatus
from notifications.kinds import MailKind
from notifications.models import Mail
from tests.apikeys.rows import NOW, make_key
from tests.conftest import make_staff, signed_in

pytestmark = pytest.mark.django_db

_ROW = re.compile(r'<td class="count">(\S+)</td><th scope="row"><a href="([^"]+)">(.+?)</a>')
DAY = timedelta(days=1)


@pytest.fixture
def bots(alice: User) -> Iterator[Bot]:
    return (
        Bot.objects.create(
            bot_id=f"{alice.client_id} / BTC-{number}", customer=alice, exchange="binance", market="spot"
        )
        for number in range(100)
    )


def shown(client: Client) -> dict[str, tuple[str, str]]:
    """Name to number and link."""
    page = client.get("/admin/").content.decode()
    return {
        re.sub("<[^>]+>", "", name): (number, html.unescape(link))
        for number, link, name in _ROW.findall(page)
    }


def key(bots: Iterator[Bot], status: KeyStatus, name: str, **fields: Any) -> ApiKey:
    """One that came in a minute ago, of a bot of its own."""
    usual = {"submitted_at": timezone.now() - timedelta(minutes=1)}
    return make_key(next(bots), status, name, timedelta(0), **(usual | fields))


def test_it_counts_what_waits_and_links_to_just_that(
    bots: Iterator[Bot], alice: User, bob: User, settings: Settings
) -> None:
    settings.ENGINE_PUBLIC_KEYS = settings.SEAL_PUBLIC_KEYS
    now, support = timezone.now(), make_staff(Role.SUPPORT)
    active, checking = KeyStatus.ACTIVE, KeyStatus.CHECKING
    key(bots, active, "fine")
    key(bots, checking, "soon", failing_since=now - timedelta(minutes=14))
    key(bots, KeyStatus.REFUSED, "new1", ended_at=now - timedelta(hours=23))
    key(bots, KeyStatus.REFUSED, "old1", ended_at=now - 8 * DAY)
    again = key(bots, KeyStatus.REFUSED, "redo", ended_at=now - 2 * DAY, submitted_at=now - 3 * DAY)
    make_key(again.bot, checking, "next", timedelta(0), submitted_at=now)
    waiting = {
        "A right to withdraw or transfer appeared": key(bots, active, "gain", revoke_at=now + DAY),
        "Keys of another exchange account": key(bots, checking, "held", held=True),
        "New keys retried for too long": key(bots, checking, "late", failing_since=now - timedelta(hours=1)),
        "Refused, and nothing new for a day": key(bots, KeyStatus.REFUSED, "gone", ended_at=now - 2 * DAY),
        "Unknown right canFly on active keys": key(
            bots, active, "newr", concern="unproven_permission", unknown_rights="canFly"
        ),
        "Unknown right <b>, x on active keys": key(
            bots, active, "evil", concern="unproven_permission", unknown_rights="<b>, x"
        ),
        "Active keys that moved to another account": key(bots, active, "move", concern="wrong_account"),
        "Active keys without an answer for a day": key(bots, active, "mute", concern="exchange_unavailable"),
    }
    clear_mailbox.ask(customer=alice, note="", address="192.0.2.1")
    change_address.start(
        customer=bob, new_email="b@new.example", reason="x", actor=support, address="192.0.2.1"
    )
    for cause, status, age, more in (
        ("a", "failed", DAY, {}),
        ("b", "failed", 15 * DAY, {}),
        ("c", "accepted", DAY, {}),
        # A code that ran out, and any mail of somebody who left.
        ("d", "failed", DAY, {"context": None}),
        # For this one its copy stands.
        ("e", "failed", DAY, {"times_resent": 1}),
    ):
        at = now - age
        fields = {"kind": MailKind.WELCOME, "owner_id": 1, "context": {}, "created_at": at, "due_at": at}
        Mail.objects.create(cause=cause, status=status, **(fields | more))
    ready = key(bots, KeyStatus.READY, "redy")
    Handover.objects.create(kind="key", key=ready, envelope=b"x", created_at=now - timedelta(minutes=16))
    ExchangeState.objects.create(exchange="kraken", open_until=now + timedelta(minutes=1))

    desk = signed_in(support)
    desk.get("/admin/")
    with CaptureQueriesContext(connection) as statements:
        found = shown(desk)
    assert len(statements) <= 11  # three of them find the names of two unknown rights
    for name, one in waiting.items():
        # The page's markup is taken off names, and with it what an exchange put into one.
        number, link = found[name if "<b>" not in name else "Unknown right &lt;b&gt;, x on active keys"]
        assert number == "1", name
        assert list(desk.get(link).context["cl"].queryset) == [one], name
    for name in (
        "Microsoft mailboxes to clear or change",
        "Address changes under way",
        "Mail that could not be delivered",
        "Hand-overs that the engine leaves waiting",
        "Exchanges that do not answer",
    ):
        number, link = found[name]
        assert number == "1", name
        assert desk.get(link).context["cl"].result_count == 1, name


def test_it_counts_no_further_than_anybody_reads(
    bots: Iterator[Bot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "_MOST", 2)
    for number in range(4):
        key(bots, KeyStatus.CHECKING, f"key{number}", held=True)
        doubt = {"concern": "unproven_permission", "unknown_rights": f"can{number // 3}"}
        key(bots, KeyStatus.ACTIVE, f"fly{number}", **doubt)
    desk = signed_in(make_staff(Role.LEAD))
    found = shown(desk)
    assert found["Keys of another exchange account"][0] == "2+"
    assert found["Unknown right can0 on active keys"][0] == "2+"
    assert found["Unknown right can1 on active keys"][0] == "1"
    monkeypatch.setattr(queues, "_NAMES_SHOWN", 1)
    assert shown(desk)["Other unknown rights on active keys"][0] == "1"


def test_operations_see_keys_and_no_people() -> None:
    found = shown(signed_in(make_staff(Role.OPERATIONS)))
    assert "New keys retried for too long" in found
    assert not any("mailbox" in name or "Address" in name for name in found)


def at(day: int, hour: int, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, 0, second, tzinfo=UTC)


def test_it_counts_each_day_by_when_it_was_handed_over_and_by_when_it_was_decided(
    bots: Iterator[Bot],
) -> None:
    for name, submitted, ready, ended in (
        ("aaaa", at(20, 9), at(20, 9, 4), None),
        ("bbbb", at(20, 10), at(20, 10, 6), at(21, 8)),  # replaced the next day
        ("cccc", at(20, 11), None, at(21, 11)),  # refused after a day of retries
        ("dddd", at(21, 12), None, None),
    ):
        status = KeyStatus.RETIRED if ready and ended else KeyStatus.ACTIVE
        if not ready:
            status = KeyStatus.REFUSED if ended else KeyStatus.CHECKING
        times = {"submitted_at": submitted, "ready_at": ready, "ended_at": ended}
        make_key(next(bots), status, name, timedelta(0), **times)
    count_days(at(21, 13))
    first, second = DayFigures.objects.filter(day__gte=date(2026, 11, 20)).order_by("day")
    assert (first.submitted, first.accepted, first.refused) == (3, 2, 0)
    assert (first.half_s, first.most_s) == (4, 6)
    assert (second.submitted, second.accepted, second.refused, second.half_s) == (1, 0, 1, 86_400)
    assert DayFigures.objects.count() == 30


def test_it_counts_today_anew_and_a_past_day_once(bots: Iterator[Bot]) -> None:
    count_days(NOW)
    key_of_now = make_key(next(bots), KeyStatus.CHECKING, "aaaa", timedelta(minutes=1))
    late_for_today = make_key(next(bots), KeyStatus.CHECKING, "bbbb", DAY)
    with CaptureQueriesContext(connection) as statements:
        count_days(NOW + timedelta(minutes=5))
    assert DayFigures.objects.get(day=key_of_now.submitted_at.date()).submitted == 1
    assert DayFigures.objects.get(day=late_for_today.submitted_at.date()).submitted == 0
    assert len(statements) < 10
    count_days(NOW + DAY)  # the day is over, and counted for the last time
    assert DayFigures.objects.get(day=NOW.date()).counted_at == NOW + DAY


def test_it_reads_keys_of_many_days_only_once_the_day_is_over(bots: Iterator[Bot]) -> None:
    for name, submitted in (("aaaa", at(15, 9)), ("bbbb", at(20, 9)), ("cccc", at(21, 9))):
        times = {"submitted_at": submitted, "ready_at": at(21, 10)}
        make_key(next(bots), KeyStatus.ACTIVE, name, timedelta(0), **times)
    for now, accepted in ((at(21, 13), 2), (at(22, 0), 3)):
        count_days(now)
        assert DayFigures.objects.get(day=date(2026, 11, 21)).accepted == accepted
