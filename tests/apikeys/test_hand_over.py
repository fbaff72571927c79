"""The way of a key from the form to its verdict, with the worker's task run in this process."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent, User
from apikeys.exchanges.client import asking
from apikeys.models import ApiKey, Bot, KeyCheck
from apikeys.status import KeyStatus
from apikeys.tasks import check_key
from notifications.models import Mail
from notifications.render import render_stored
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.exchange_simulator.simulator import Simulator

pytestmark = pytest.mark.django_db


def hand_over(client: Client, bot: Bot, which: str, **more: Any) -> ApiKey:
    """Submit one of the demo keys; gives the row that the answer leads to."""
    key = DEMO_KEYS[bot.exchange][which]
    answer = client.post(f"/bots/{bot.pk}/key/", {"api_key": key.api_key, "secret": key.secret, **more})
    assert answer.status_code == 302, answer.content.decode()
    return ApiKey.objects.get(pk=UUID(answer["Location"].split("/")[2]))


def checked(key: ApiKey) -> ApiKey:
    check_key(str(key.pk))
    key.refresh_from_db()
    return key


def age(key: ApiKey, by: timedelta) -> None:
    """Let time pass for one key. The clock itself must not jump under the event loops of this process."""
    key.refresh_from_db()
    key.submitted_at -= by
    for name in ("check_due_at", "failing_since"):
        if getattr(key, name):
            setattr(key, name, getattr(key, name) - by)
    key.save(update_fields=["submitted_at", "check_due_at", "failing_since"])


def codes(key: ApiKey) -> set[str]:
    return {finding.code.value for finding in key.findings}


def verbs(key: ApiKey) -> list[str]:
    return list(AuditEvent.objects.filter(key_id=key.pk).order_by("pk").values_list("verb", flat=True))


def test_it_connects_a_first_key(as_alice: Client, binance_bot: Bot, simulator: Simulator) -> None:
    key = hand_over(as_alice, binance_bot, "good")
    assert (key.status, key.sealed is not None) == (KeyStatus.CHECKING, True)
    key = checked(key)
    assert key.status == KeyStatus.ACTIVE
    assert verbs(key) == ["key_submitted", "key_accepted", "key_activated"]
    mail = Mail.objects.get()
    assert mail.kind == "api_connected"
    assert "0x1A2 / AliceDoe / BTC-1" in render_stored(mail).text


def test_it_replaces_a_key_and_says_that_the_old_one_may_go(
    as_alice: Client, bybit_bot: Bot, simulator: Simulator
) -> None:
    old = checked(hand_over(as_alice, bybit_bot, "old"))
    new = hand_over(as_alice, bybit_bot, "good")
    old.refresh_from_db()
    assert old.status == KeyStatus.ACTIVE
    new = checked(new)
    old.refresh_from_db()
    assert (old.status, old.sealed, old.seal_id) == (KeyStatus.RETIRED, None, "")
    assert (new.status, new.replaces) == (KeyStatus.ACTIVE, old)
    mail = render_stored(Mail.objects.get(kind="api_refresh"))
    for words in ("0x1A2 / AliceDoe", "0x1A2 / AliceDoe / ETH-2", old.last_four, new.last_four):
        assert words in mail.text
        assert words in mail.html
    assert "You can now delete the old key" in mail.text
    page = as_alice.get(f"/keys/{new.pk}/").content.decode()
    assert 'data-key-status="active"' in page
    assert "You can now delete the old key ending" in page


@pytest.mark.parametrize(
    ("which", "code"), [("can_withdraw", "forbidden_permission"), ("read_only", "missing_permission")]
)
@pytest.mark.parametrize("exchange", ["binance", "bybit"])
def test_it_refuses_a_key_wipes_it_and_keeps_the_old_one(
    exchange: str,
    which: str,
    code: str,
    request: pytest.FixtureRequest,
    as_alice: Client,
    simulator: Simulator,
) -> None:
    bot: Bot = request.getfixturevalue(f"{exchange}_bot")
    old = checked(hand_over(as_alice, bot, "old"))
    key = checked(hand_over(as_alice, bot, which))
    assert (key.status, key.sealed) == (KeyStatus.REFUSED, None)
    assert code in codes(key)
    old.refresh_from_db()
    assert old.status == KeyStatus.ACTIVE
    page = as_alice.get(f"/keys/{key.pk}/").content.decode()
    assert f'data-finding="{code}"' in page
    mail = render_stored(Mail.objects.get(kind="api_refused"))
    assert old.last_four in mail.text


def test_it_makes_one_row_of_a_double_click(as_alice: Client, binance_bot: Bot, simulator: Simulator) -> None:
    first = hand_over(as_alice, binance_bot, "good")
    assert hand_over(as_alice, binance_bot, "good") == first
    checked(first)
    assert hand_over(as_alice, binance_bot, "good") == first
    assert ApiKey.objects.count() == 1


def test_it_asks_before_it_replaces_a_key_that_is_being_checked(
    as_alice: Client, bybit_bot: Bot, simulator: Simulator
) -> None:
    first = hand_over(as_alice, bybit_bot, "good")
    other = DEMO_KEYS["bybit"]["spare"]
    answer = as_alice.post(f"/bots/{bybit_bot.pk}/key/", {"api_key": other.api_key, "secret": other.secret})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert f'value="{first.pk}"' in page
    assert other.secret not in page
    assert other.api_key not in page
    second = hand_over(as_alice, bybit_bot, "spare", replaces=str(first.pk))
    first.refresh_from_db()
    assert (first.status, first.sealed) == (KeyStatus.REVOKED, None)
    assert checked(second).status == KeyStatus.ACTIVE


def test_it_refuses_a_key_that_is_live_at_another_bot(
    as_alice: Client, alice: User, bybit_bot: Bot, simulator: Simulator
) -> None:
    checked(hand_over(as_alice, bybit_bot, "good"))
    other = Bot.objects.create(
        bot_id="0x1A2 / AliceDoe / ETH-9", customer=alice, exchange="bybit", market="derivatives"
    )
    key = hand_over(as_alice, other, "good")
    assert key.status == KeyStatus.REFUSED
    assert codes(key) == {"duplicate"}


def test_it_refuses_a_key_that_somebody_else_ever_used(
    as_alice: Client, as_bob: Client, bob: User, bybit_bot: Bot, simulator: Simulator
) -> None:
    checked(hand_over(as_alice, bybit_bot, "read_only"))
    his = Bot.objects.create(
        bot_id="0x2B3 / BobRoe / ETH-1", customer=bob, exchange="bybit", market="derivatives"
    )
    key = hand_over(as_bob, his, "read_only")
    assert codes(key) == {"duplicate"}
    assert "AliceDoe" not in as_bob.get(f"/keys/{key.pk}/").content.decode()


def test_it_takes_a_refused_key_again_once_it_is_mended(
    as_alice: Client, binance_bot: Bot, simulator: Simulator
) -> None:
    key = DEMO_KEYS["binance"]["can_withdraw"]
    refused = checked(hand_over(as_alice, binance_bot, "can_withdraw"))
    simulator.register("binance", key.api_key, key.secret, enableWithdrawals=False)
    again = checked(hand_over(as_alice, binance_bot, "can_withdraw"))
    assert (refused.status, again.status) == (KeyStatus.REFUSED, KeyStatus.ACTIVE)


@pytest.mark.parametrize(
    ("trouble", "options"),
    [("http_status", {"status": 500}), ("rate_limit", {"retry_after": None}), ("redirect", {})],
)
def test_it_tries_again_when_the_exchange_is_in_trouble(
    trouble: str,
    options: dict[str, Any],
    as_alice: Client,
    binance_bot: Bot,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "PAUSE_UNTOLD", 0.01)  # the hour that passes below is not slept
    simulator.behave("binance", trouble, **options)
    key = checked(hand_over(as_alice, binance_bot, "good"))
    assert (key.status, key.failed_checks) == (KeyStatus.CHECKING, 1)
    assert codes(key) == {"exchange_unavailable"}
    assert key.check_due_at is not None
    assert not Mail.objects.exists()
    page = as_alice.get(f"/keys/{key.pk}/").content.decode()
    assert "not your doing" in page
    checked(key)
    assert KeyCheck.objects.count() == 1, "not asked again before it is due"
    simulator.behave("binance", "ok")
    age(key, timedelta(hours=1))
    assert checked(key).status == KeyStatus.ACTIVE


@pytest.mark.parametrize("lie", ["html", "empty", "half_json", "wrong_type"])
def test_it_proves_nothing_by_an_answer_it_cannot_read(
    lie: str, as_alice: Client, binance_bot: Bot, simulator: Simulator
) -> None:
    old = checked(hand_over(as_alice, binance_bot, "old"))
    simulator.behave("binance", lie)
    key = checked(hand_over(as_alice, binance_bot, "good"))
    assert (key.status, codes(key)) == (KeyStatus.REFUSED, {"unproven_permission"})
    old.refresh_from_db()
    assert old.status == KeyStatus.ACTIVE


def test_it_gives_up_after_a_day_and_says_whose_doing_it_was(
    as_alice: Client, binance_bot: Bot, simulator: Simulator, settings: Settings
) -> None:
    simulator.behave("binance", "http_status")
    key = checked(hand_over(as_alice, binance_bot, "good"))
    age(key, settings.CHECK_GIVE_UP)
    key = checked(key)
    assert (key.status, key.sealed) == (KeyStatus.REFUSED, None)
    assert codes(key) == {"exchange_unavailable"}
    assert "not your doing" in render_stored(Mail.objects.get()).text


@pytest.fixture
def okx_bot(alice: User) -> Bot:
    return Bot.objects.create(
        bot_id=f"{alice.client_id} / OKX-1", customer=alice, exchange="okx", market="spot"
    )


def test_it_refuses_no_key_while_the_region_that_may_know_it_is_silent(
    as_alice: Client, okx_bot: Bot, simulator: Simulator, settings: Settings
) -> None:
    """An outage of everything before it does not count as patience with that region."""
    passphrase = DEMO_KEYS["okx"]["european"].passphrase
    simulator.behave("okx", "http_status")
    key = checked(hand_over(as_alice, okx_bot, "european", passphrase=passphrase))
    age(key, settings.UNHEARD_HOST)
    simulator.behave("okx", "http_status", host="eea.okx.com")
    simulator.behave("okx", "ok")
    key = checked(key)
    assert (key.status, codes(key)) == (KeyStatus.CHECKING, {"exchange_unavailable"})
    age(key, timedelta(minutes=2))
    simulator.behave("okx", "ok", host="eea.okx.com")
    key = checked(key)
    assert (key.status, key.region) == (KeyStatus.ACTIVE, "eea")


def test_it_refuses_a_key_that_nobody_knows_after_a_while_of_a_silent_region(
    as_alice: Client, okx_bot: Bot, simulator: Simulator, settings: Settings
) -> None:
    """A host that is given up for good must not keep everybody waiting who mistyped a key."""
    passphrase = DEMO_KEYS["okx"]["european"].passphrase
    simulator.behave("okx", "http_status", host="eea.okx.com")
    key = checked(hand_over(as_alice, okx_bot, "european", passphrase=passphrase))
    assert (key.status, codes(key)) == (KeyStatus.CHECKING, {"exchange_unavailable"})
    age(key, settings.UNHEARD_HOST)
    KeyCheck.objects.filter(key=key).update(started_at=timezone.now() - settings.UNHEARD_HOST)
    key = checked(key)
    assert (key.status, codes(key)) == (KeyStatus.REFUSED, {"not_found"})


def test_it_holds_a_key_of_another_account_and_lets_the_customer_take_it_back(
    as_alice: Client, bybit_bot: Bot, simulator: Simulator
) -> None:
    old = checked(hand_over(as_alice, bybit_bot, "old"))
    foreign = DEMO_KEYS["bybit"]["good"]
    simulator.register("bybit", foreign.api_key, foreign.secret, userID="999", **foreign.reply)
    key = checked(hand_over(as_alice, bybit_bot, "good"))
    assert (key.status, codes(key)) == (KeyStatus.CHECKING, {"wrong_account"})
    as_alice.post(f"/keys/{key.pk}/take-back/")
    key.refresh_from_db()
    assert (key.status, key.sealed) == (KeyStatus.REVOKED, None)
    old.refresh_from_db()
    assert old.status == KeyStatus.ACTIVE


def test_it_refuses_a_held_key_after_a_week(as_alice: Client, bybit_bot: Bot, simulator: Simulator) -> None:
    checked(hand_over(as_alice, bybit_bot, "old"))
    foreign = DEMO_KEYS["bybit"]["good"]
    simulator.register("bybit", foreign.api_key, foreign.secret, userID="999", **foreign.reply)
    key = checked(hand_over(as_alice, bybit_bot, "good"))
    asked = simulator.number_of_calls("bybit")
    simulator.behave("bybit", "http_status")
    age(key, timedelta(days=7))
    assert checked(key).status == KeyStatus.REFUSED
    assert simulator.number_of_calls("bybit") == asked, "trouble there is no reason to refuse it"
    assert codes(key) == {"wrong_account"}
    text = " ".join(render_stored(Mail.objects.get(kind="api_refused")).text.split())
    assert "make one on the account that the bot trades on" in text


def test_it_drops_the_answer_of_a_worker_whose_claim_ran_out(
    as_alice: Client, binance_bot: Bot, simulator: Simulator
) -> None:
    key = hand_over(as_alice, binance_bot, "good")
    ApiKey.objects.filter(pk=key.pk).update(claimed_until=timezone.now() + timedelta(seconds=60))
    assert checked(key).status == KeyStatus.CHECKING
    assert simulator.number_of_calls("binance") == 0


def test_it_hides_what_belongs_to_somebody_else(
    as_alice: Client, as_bob: Client, binance_bot: Bot, simulator: Simulator
) -> None:
    key = hand_over(as_alice, binance_bot, "good")
    good = DEMO_KEYS["binance"]["good"]
    assert as_bob.get(f"/keys/{key.pk}/").status_code == 404
    assert as_bob.post(f"/keys/{key.pk}/take-back/").status_code == 404
    assert as_bob.get(f"/bots/{binance_bot.pk}/key/").status_code == 404
    answer = as_bob.post(f"/bots/{binance_bot.pk}/key/", {"api_key": good.api_key, "secret": good.secret})
    assert answer.status_code == 404
    charlie = Client()
    for path in ("/", f"/keys/{key.pk}/", f"/bots/{binance_bot.pk}/key/", "/security/"):
        assert charlie.get(path)["Location"].startswith("/sign-in/?next=")


def test_it_takes_the_same_key_with_another_secret_in_place_of_the_waiting_one(
    as_alice: Client, binance_bot: Bot, simulator: Simulator
) -> None:
    good = DEMO_KEYS["binance"]["good"]
    wrong = {"api_key": good.api_key, "secret": "a" * 64}
    first = ApiKey.objects.get(
        pk=as_alice.post(f"/bots/{binance_bot.pk}/key/", wrong)["Location"].split("/")[2]
    )
    second = hand_over(as_alice, binance_bot, "good", replaces=str(first.pk))
    first.refresh_from_db()
    assert (first.status, first.sealed) == (KeyStatus.REVOKED, None)
    assert hand_over(as_alice, binance_bot, "good", replaces=str(first.pk)) == second, "a double click"
    assert checked(second).status == KeyStatus.ACTIVE


def test_it_blames_no_exchange_for_a_day_without_workers(
    as_alice: Client, binance_bot: Bot, simulator: Simulator
) -> None:
    key = hand_over(as_alice, binance_bot, "good")
    age(key, timedelta(days=2))
    simulator.behave("binance", "http_status")
    assert checked(key).status == KeyStatus.CHECKING
