"""Reminders before an exchange ends a key: 14, 7, 3 and 1 days ahead, once each, none for a replaced key."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from apikeys import transitions
from apikeys.flows import remind
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from notifications.models import Mail
from notifications.render import render_stored
from tests.apikeys.rows import make_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(binance_bot: Bot) -> ApiKey:
    """Active for long, and ended by the exchange in 20 days."""
    ends = timezone.now() + timedelta(days=20)
    return make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(days=300), expires_at=ends)


def days_mailed() -> list[int]:
    return [
        int(cause.rsplit(":", 1)[1])
        for cause in Mail.objects.order_by("created_at").values_list("cause", flat=True)
    ]


def test_it_reminds_once_at_each_of_four_times(key: ApiKey) -> None:
    assert key.expires_at is not None
    for hours_left in range(20 * 24, -48, -6):
        for _ in range(2):  # twice, as two schedules would
            remind.remind_all(key.expires_at - timedelta(hours=hours_left))
    assert days_mailed() == [14, 7, 3, 1]


def test_it_takes_no_lock_for_a_key_that_was_mailed(
    key: ApiKey, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remind, "_AT_ONCE", 2)
    assert key.expires_at is not None
    for number in range(3):
        bot = Bot.objects.create(
            bot_id=f"{alice.client_id} / ETH-{number}", customer=alice, exchange="binance", market="spot"
        )
        make_key(bot, KeyStatus.ACTIVE, "mB9y", timedelta(days=300), expires_at=key.expires_at)
    now = key.expires_at - timedelta(days=10)
    remind.remind_all(now)
    assert days_mailed() == [14] * 4
    with CaptureQueriesContext(connection) as statements:
        remind.remind_all(now + timedelta(hours=1))
    assert (
        len([one for one in statements if one["sql"].startswith("SELECT")]) <= 3
    )  # the keys, and two batches
    assert not [one for one in statements if "SAVEPOINT" in one["sql"] or "FOR NO KEY UPDATE" in one["sql"]]


def test_it_stops_at_once_when_the_key_is_replaced(key: ApiKey) -> None:
    assert key.expires_at is not None
    remind.remind_all(key.expires_at - timedelta(days=10))
    transitions.move(key, KeyStatus.RETIRED, now=timezone.now())
    remind.remind_all(key.expires_at - timedelta(days=2))
    assert days_mailed() == [14]


def test_it_starts_anew_when_the_exchange_moves_the_end(key: ApiKey) -> None:
    assert key.expires_at is not None
    remind.remind_all(key.expires_at - timedelta(days=10))
    later = key.expires_at + timedelta(days=90)
    ApiKey.objects.update(expires_at=later)
    remind.remind_all(later - timedelta(days=10))
    assert days_mailed() == [14, 14]


def test_it_does_not_repeat_what_the_acceptance_has_said(binance_bot: Bot) -> None:
    """A key that came with five days left was warned of then; it is reminded with three and one to go."""
    now = timezone.now()
    ends = now + timedelta(days=5)
    make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(0), expires_at=ends, activated_at=now)
    for hours_left in range(120, 0, -6):
        remind.remind_all(ends - timedelta(hours=hours_left))
    assert days_mailed() == [3, 1]


def test_after_an_outage_of_ours_it_sends_the_nearest_one_only(key: ApiKey) -> None:
    assert key.expires_at is not None
    remind.remind_all(key.expires_at - timedelta(days=2))
    assert days_mailed() == [3]


def test_it_reminds_of_no_key_without_an_end(binance_bot: Bot) -> None:
    make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(days=1))
    remind.remind_all(timezone.now())
    assert not Mail.objects.exists()


def test_the_mail_names_the_key_the_bot_and_the_day(key: ApiKey) -> None:
    assert key.expires_at is not None
    remind.remind_all(key.expires_at - timedelta(hours=20))
    mail = Mail.objects.get()
    assert mail.subject == "API key ends tomorrow: 0x1A2 / AliceDoe / BTC-1"
    text = render_stored(mail).text
    for words in ("0x1A2 / AliceDoe", "…mB9x", f"Until {key.expires_at.day} {key.expires_at:%B %Y}"):
        assert words in text
