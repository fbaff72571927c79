"""A key of another exchange account: held, and settled by support."""

import pytest
from django.db.models import Sum
from django.test import Client

from accounts.acts import By, NotPossibleError
from accounts.models import AuditEvent, User
from accounts.roles import Role
from apikeys.flows import check_again, settle_account
from apikeys.flows.check import HOLD
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from apikeys.tasks import check_key
from notifications.models import Mail
from telemetry.models import EVER, Tally, What
from tests.conftest import make_staff, signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.exchange_simulator.simulator import Simulator

pytestmark = pytest.mark.django_db

REASON = "Ticket 7: moved to a sub-account"
ACCOUNT = "/api/v3/account"


def by(staff: User, seen: str = "checking 77") -> By:
    return By(staff, "10.0.0.1", REASON, seen)


def hand_over(browser: Client, bot: Bot, name: str) -> ApiKey:
    told = DEMO_KEYS[bot.exchange][name]
    answer = browser.post(f"/bots/{bot.pk}/key/", {"api_key": told.api_key, "secret": told.secret})
    key = ApiKey.objects.get(pk=answer["Location"].split("/")[2])
    check_key(str(key.pk))
    key.refresh_from_db()
    return key


@pytest.fixture
def support(db: None) -> User:
    return User.objects.create(email="agent@sequence.example", is_staff=True)


@pytest.fixture
def held(as_alice: Client, binance_bot: Bot, simulator: Simulator) -> ApiKey:
    assert hand_over(as_alice, binance_bot, "old").status == KeyStatus.ACTIVE
    other = DEMO_KEYS["binance"]["good"]
    simulator.know(other.__class__("binance", other.api_key, other.secret, more={ACCOUNT: {"uid": 77}}))
    key = hand_over(as_alice, binance_bot, "good")
    assert (key.status, key.account_id) == (KeyStatus.CHECKING, "77")
    assert [item.code for item in key.findings] == ["wrong_account"]
    return key


def test_it_lets_the_bot_change_over_once_support_has_confirmed(held: ApiKey, support: User) -> None:
    settle_account.confirm(key_id=held.pk, by=by(support))
    check_key(str(held.pk))
    held.refresh_from_db()
    assert held.status == KeyStatus.ACTIVE
    event = AuditEvent.objects.get(verb="account_confirmed")
    assert (event.actor, event.detail["reason"]) == (support, REASON)
    timed = Tally.objects.filter(slot=EVER, what=What.VERDICT).aggregate(number=Sum("number"))
    assert timed["number"] == 2, "until it was held: how long support takes is no measure of the checks"


def test_it_is_settled_at_the_desk_by_those_who_may(held: ApiKey) -> None:
    page = f"/admin/apikeys/apikey/{held.pk}/account/"
    support, auditor = (signed_in(make_staff(role)) for role in (Role.SUPPORT, Role.AUDITOR))
    assert "Keys of another exchange account" in support.get("/admin/").content.decode()
    assert f"{held.pk}" in support.get("/admin/apikeys/apikey/?needs=account").content.decode()
    html = support.get(page).content.decode()
    assert "354937868" in html
    assert "77" in html
    assert "Confirm the other account" not in auditor.get(page).content.decode()
    told = {"act": "confirm", "reason": "Ticket 7", "seen": "checking 77"}
    assert 'name="seen" value="checking 77"' in html
    unseen = support.post(page, told | {"seen": "checking 78"}, follow=True).content.decode()
    assert "changed meanwhile: look at it again. Nothing was changed." in unseen
    assert "meanwhile" in support.post(page, {"act": "confirm", "reason": "x"}, follow=True).content.decode()
    assert ApiKey.objects.get(pk=held.pk).confirmed_account_id == ""
    assert auditor.post(page, told).status_code == 403
    assert "This field is required" in support.post(page, {"act": "confirm"}).content.decode()
    assert support.post(page, told).status_code == 302
    check_key(str(held.pk))
    assert ApiKey.objects.get(pk=held.pk).status == KeyStatus.ACTIVE
    assert "does not wait" in support.get(page).content.decode()
    again = support.post(page, told, follow=True).content.decode()
    assert "This key does not wait any more. Nothing was changed." in again


def test_a_key_in_use_is_revoked_only_by_who_ticked_it_and_saw_the_account(held: ApiKey) -> None:
    key = ApiKey.objects.active().get()
    key.concern, key.report_json = "wrong_account", (key.report_json or {}) | {"account_id": "99"}
    key.save()
    page = f"/admin/apikeys/apikey/{key.pk}/account/"
    support = signed_in(make_staff(Role.SUPPORT))
    assert f"revoke the key ending …{key.last_four}" in support.get(page).content.decode()
    told = {"act": "turn_down", "reason": "Ticket 7", "seen": "active 99"}
    assert "Tick this to go on" in support.post(page, told).content.decode()
    support.post(page, told | {"sure": "on", "seen": "checking 99"})
    assert ApiKey.objects.active().get() == key
    support.post(page, told | {"sure": "on"})
    key.refresh_from_db()
    assert (key.status, key.sealed) == (KeyStatus.REVOKED, None)
    assert support.post(page, {**told, "act": "confirm"}, follow=True).status_code == 200


def test_a_confirmation_excuses_no_right(held: ApiKey, support: User, simulator: Simulator) -> None:
    """What the key may do is asked again, since it can have changed while it waited."""
    told = DEMO_KEYS["binance"]["good"]
    reply = {"enableWithdrawals": True}
    simulator.know(told.__class__("binance", told.api_key, told.secret, reply, more={ACCOUNT: {"uid": 77}}))
    settle_account.confirm(key_id=held.pk, by=by(support))
    check_key(str(held.pk))
    held.refresh_from_db()
    assert held.status == KeyStatus.REFUSED


def test_a_confirmation_is_for_that_account_only(held: ApiKey, support: User, simulator: Simulator) -> None:
    settle_account.confirm(key_id=held.pk, by=by(support))
    told = DEMO_KEYS["binance"]["good"]
    simulator.know(told.__class__("binance", told.api_key, told.secret, more={ACCOUNT: {"uid": 78}}))
    check_key(str(held.pk))
    held.refresh_from_db()
    assert held.status == KeyStatus.CHECKING
    assert [item.code for item in held.findings] == ["wrong_account"]


def test_a_look_without_an_answer_leaves_the_decision_as_it_was(
    held: ApiKey, support: User, simulator: Simulator
) -> None:
    simulator.behave("binance", "http_status", api_key=DEMO_KEYS["binance"]["good"].api_key)
    check_again.check_again(key_id=held.pk, by=by(support, "checking"))
    assert check_key(str(held.pk)) == "retry"
    held.refresh_from_db()
    assert settle_account.is_held(held)
    assert (held.held, [item.code for item in held.findings]) == (True, ["wrong_account"])
    assert (held.failing_since, held.check_due_at) == (None, held.submitted_at + HOLD)
    assert "Confirm the other account" in (
        signed_in(make_staff(Role.SUPPORT)).get(f"/admin/apikeys/apikey/{held.pk}/account/").content.decode()
    )

    simulator.behave("binance", "ok", api_key=DEMO_KEYS["binance"]["good"].api_key)
    ApiKey.objects.filter(pk=held.pk).update(check_due_at=held.submitted_at)
    assert check_key(str(held.pk)) == "held"
    assert AuditEvent.objects.filter(verb="key_held").count() == 1


def test_what_is_confirmed_waits_for_its_exchange_and_for_nobody_any_more(
    held: ApiKey, support: User, simulator: Simulator
) -> None:
    settle_account.confirm(key_id=held.pk, by=by(support))
    with pytest.raises(NotPossibleError, match="does not wait"):
        settle_account.turn_down(key_id=held.pk, by=by(support))
    held.refresh_from_db()
    assert not ApiKey.objects.held().exists()
    assert held.findings == []
    simulator.behave("binance", "http_status", api_key=DEMO_KEYS["binance"]["good"].api_key)
    ApiKey.objects.filter(pk=held.pk).update(submitted_at=held.submitted_at - HOLD)
    check_key(str(held.pk))
    held.refresh_from_db()
    assert (held.status, held.failed_checks) == (KeyStatus.CHECKING, 1), "asked again, not refused as held"


def test_a_key_in_use_that_one_agent_confirmed_is_not_turned_down_from_an_older_page(
    held: ApiKey, support: User
) -> None:
    key = ApiKey.objects.active().get()
    key.concern, key.report_json = "wrong_account", (key.report_json or {}) | {"account_id": "99"}
    key.save()
    settle_account.confirm(key_id=key.pk, by=by(support, "active 99"))
    with pytest.raises(NotPossibleError, match="changed meanwhile"):
        settle_account.turn_down(key_id=key.pk, by=by(support, "active 99"))


def test_it_refuses_what_support_turns_down_and_keeps_the_old_key(held: ApiKey, support: User) -> None:
    Mail.objects.all().delete()
    settle_account.turn_down(key_id=held.pk, by=by(support))
    held.refresh_from_db()
    assert (held.status, held.sealed) == (KeyStatus.REFUSED, None)
    assert ApiKey.objects.active().count() == 1
    assert Mail.objects.get().kind == "api_refused"
    with pytest.raises(NotPossibleError, match="does not wait"):
        settle_account.confirm(key_id=held.pk, by=by(support))


def test_it_compares_with_the_last_key_even_where_that_one_ended(
    as_alice: Client, binance_bot: Bot, held: ApiKey
) -> None:
    """Otherwise disconnecting the bot first would be a way around."""
    old = ApiKey.objects.active().get()
    ApiKey.objects.filter(pk=old.pk).update(status=KeyStatus.REVOKED, sealed=None)
    ApiKey.objects.filter(pk=held.pk).update(check_due_at=held.submitted_at)
    check_key(str(held.pk))
    held.refresh_from_db()
    assert [item.code for item in held.findings] == ["wrong_account"]


@pytest.fixture
def untold(as_alice: Client, bitfinex_bot: Bot, simulator: Simulator) -> ApiKey:
    """A key that may not view its account, after one that may."""
    assert hand_over(as_alice, bitfinex_bot, "old").account_id == "1523467"
    hide_account(simulator, "good")
    return hand_over(as_alice, bitfinex_bot, "good")


@pytest.fixture
def bitfinex_bot(alice: User) -> Bot:
    return Bot.objects.create(
        bot_id=f"{alice.client_id} / BFX-1", customer=alice, exchange="bitfinex", market="spot"
    )


def hide_account(simulator: Simulator, name: str) -> None:
    told = DEMO_KEYS["bitfinex"][name]
    no_number = {"/v2/auth/r/info/user": {"0": None}}
    simulator.know(told.__class__("bitfinex", told.api_key, told.secret, told.reply, more=no_number))


def test_a_key_whose_account_is_not_told_is_settled_by_support(untold: ApiKey, as_alice: Client) -> None:
    assert (untold.status, untold.account_id) == (KeyStatus.CHECKING, "")
    assert [item.found for item in untold.findings if item.code == "wrong_account"] == ["Not said"]
    why = "Bitfinex does not tell whether it belongs to the same account as before"
    for address in ("/", f"/keys/{untold.pk}/"):
        html = as_alice.get(address).content.decode()
        assert why in html
        assert "belongs to another" not in html
    page = f"/admin/apikeys/apikey/{untold.pk}/account/"
    support = signed_in(make_staff(Role.SUPPORT))
    html = support.get(page).content.decode()
    assert "1523467" in html
    assert "Bitfinex does not tell the account of this key" in html
    assert "Confirm without an account" in html
    told = {"act": "confirm", "reason": "Ticket 7", "seen": "checking not told"}
    assert f'value="{told["seen"]}"' in html
    assert support.post(page, told).status_code == 302
    check_key(str(untold.pk))
    assert ApiKey.objects.get(pk=untold.pk).status == KeyStatus.ACTIVE


def test_a_key_without_an_account_takes_no_baseline_away(untold: ApiKey, support: User) -> None:
    settle_account.confirm(key_id=untold.pk, by=by(support, "checking not told"))
    check_key(str(untold.pk))
    later = ApiKey(bot=untold.bot, exchange="bitfinex")
    assert settle_account.previous_account(later) == "1523467"


def test_accounts_of_two_exchanges_are_not_compared(held: ApiKey) -> None:
    """An import moved the bot: at its new exchange there is none before."""
    assert settle_account.previous_account(held) == "354937868"
    held.bot.exchange = "kraken"
    assert settle_account.previous_account(held) == ""
