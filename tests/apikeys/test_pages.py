"""What the pages tell of bots and keys."""

from datetime import timedelta

from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from apikeys import pages
from apikeys.exchanges.base import AllowList, KeyReport, Market, Right, Trouble
from apikeys.findings import FindingCode
from apikeys.flows.decide import Outcome, Policy, decide, decide_trouble
from apikeys.models import Bot
from apikeys.pages.exchanges import guide_page
from apikeys.status import KeyStatus
from tests.apikeys.raw_replies import bybit, bybit_good, judge
from tests.apikeys.rows import HARMLESS, NOW, make_key, verdict


def another_bot(bot: Bot, name: str) -> Bot:
    bot_id = f"{bot.customer.client_id} / {name}"
    return Bot.objects.create(bot_id=bot_id, customer=bot.customer, exchange="binance", market="spot")


def test_it_reads_all_bots_in_two_queries(
    alice: User, binance_bot: Bot, bybit_bot: Bot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        make_key(another_bot(binance_bot, f"X-{number}"), KeyStatus.ACTIVE, "7Q2f", timedelta(days=2))
    with django_assert_num_queries(2):
        assert len(pages.bot_cards(alice, NOW)) == 7


def test_it_shows_a_customer_only_their_own_bots(bob: User, binance_bot: Bot) -> None:
    assert pages.bot_cards(bob, NOW) == []
    assert pages.bots_lede([]) == ""


def test_it_puts_the_most_urgent_bot_first_and_sums_up(alice: User, binance_bot: Bot) -> None:
    def named(name: str) -> Bot:
        return another_bot(binance_bot, name)

    make_key(binance_bot, KeyStatus.ACTIVE, "fine", timedelta(days=9))
    make_key(named("A-CHECK"), KeyStatus.CHECKING, "chck", timedelta(seconds=9))
    named("B-NEW")
    soon = NOW + timedelta(days=6, hours=2)
    make_key(named("C-SOON"), KeyStatus.ACTIVE, "soon", timedelta(days=80), expires_at=soon)
    make_key(named("D-OFF"), KeyStatus.REVOKED, "gone", timedelta(days=9), activated_at=NOW)
    make_key(named("E-BAD"), KeyStatus.ACTIVE, "bad9", timedelta(days=9), problem="not_found")
    cards = pages.bot_cards(alice, NOW)
    assert [(card.short_name, card.status.value) for card in cards] == [
        ("E-BAD", "problem"),
        ("D-OFF", "revoked"),
        ("C-SOON", "active"),
        ("B-NEW", "none"),
        ("A-CHECK", "checking"),
        ("BTC-1", "active"),
    ]
    assert [card.button.action for card in cards] == [
        "refresh",
        "connect",
        "refresh",
        "connect",
        "",
        "refresh",
    ]
    assert cards[2].headline == "Expires in 6 days"
    assert cards[4].link is not None
    assert cards[4].link.action == "connect"
    assert pages.bots_lede(cards) == (
        "One of six needs attention, one is disconnected, one has a key that expires soon, "
        "one waits to be connected, and one has a new key on its way."
    )


def test_it_does_not_call_a_bot_disconnected_that_never_was_connected(alice: User, binance_bot: Bot) -> None:
    make_key(binance_bot, KeyStatus.REVOKED, "back", timedelta(hours=1))
    [card] = pages.bot_cards(alice, NOW)
    assert (card.status.value, card.headline) == ("none", "Not connected")
    assert pages.bots_lede([card]) == "Your bot waits to be connected."


def test_it_says_that_the_old_key_stays_while_a_new_one_is_checked(alice: User, binance_bot: Bot) -> None:
    make_key(binance_bot, KeyStatus.ACTIVE, "7Q2f", timedelta(days=200))
    key = make_key(binance_bot, KeyStatus.CHECKING, "mB9x", timedelta(seconds=4))
    page = pages.key_page(key, NOW)
    assert page.heading == "We are checking your new key"
    assert "Keep the old key" in page.lede
    assert [(bar.now, bar.last_four) for bar in page.bars] == [("works", "7Q2f"), ("soon", "mB9x")]
    assert [stage.step for stage in page.stages] == ["done", "done", "now", "todo", "todo", "todo"]
    assert (page.poll, page.reload, page.goodbye) == (5, 15, None)
    assert page.take_back_url == f"/keys/{key.pk}/take-back/"
    [card] = pages.bot_cards(alice, NOW)
    assert card.status.value == "checking"
    assert "…7Q2f: your bot goes on trading with it." in strip_tags(card.sentences[1])


def test_it_says_when_it_asks_again_and_when_it_gives_up(binance_bot: Bot) -> None:
    [finding] = decide_trouble(Trouble(FindingCode.EXCHANGE_UNAVAILABLE), binance_bot).findings
    key = make_key(
        binance_bot,
        KeyStatus.CHECKING,
        "mB9x",
        timedelta(minutes=6),
        failed_checks=3,
        check_due_at=NOW + timedelta(minutes=5),
        findings_json=[finding.as_json()],
    )
    page = pages.key_page(key, NOW)
    assert strip_tags(page.lede) == (
        "Binance has not answered yet. That is not your doing. We ask again at 17:51. "
        "After 24 hours without an answer, on 23 November, 17:40, we give up and tell you."
    )
    assert [row.code for row in page.rows] == ["exchange_unavailable"]
    assert strip_tags(page.stages[2].text) == "Asked three times, without an answer. Next try: 17:51:31."


def test_it_shows_a_key_that_waits_for_support_and_lets_it_be_taken_back(binance_bot: Bot) -> None:
    report = KeyReport(rights=HARMLESS, allow_list=AllowList(bound=True), account_id="2")
    found = decide(report, binance_bot, Policy(now=NOW, previous_account_id="1")).findings
    key = make_key(
        binance_bot,
        KeyStatus.CHECKING,
        "mB9x",
        timedelta(hours=2),
        checked_at=NOW,
        findings_json=[item.as_json() for item in found],
    )
    page = pages.key_page(key, NOW)
    assert page.heading == "Support looks at this key first"
    assert page.stages[2].title == "Waiting for support"
    assert (page.poll, bool(page.take_back_url)) == (60, True)


def test_it_sets_found_beside_needed_and_lists_what_is_in_order(binance_bot: Bot) -> None:
    make_key(binance_bot, KeyStatus.ACTIVE, "7Q2f", timedelta(days=200))
    report = KeyReport(rights=HARMLESS | {Right.WITHDRAW: True}, allow_list=AllowList(bound=False))
    key = make_key(
        binance_bot, KeyStatus.REFUSED, "mB9x", timedelta(minutes=6), **verdict(binance_bot, report)
    )
    page = pages.key_page(key, NOW)
    assert "One thing needs changing." in page.lede
    assert [(row.code, row.looked_at, row.needed, row.found, row.tone) for row in page.rows] == [
        ("forbidden_permission", "Withdrawals", "Off", "On", "bad"),
        ("ip_open", "Addresses", "Ours only", "Any", "warn"),
        ("", "Reading", "On", "On", "ok"),
        ("", "Spot trading", "On", "On", "ok"),
        ("", "Transfers", "Off", "Off", "ok"),
    ]
    assert page.rows[0].to_do == 'Switch off <b class="notranslate" translate="no">Enable Withdrawals</b>.'
    assert page.after_rows.startswith("Change it on the same key")
    assert (page.poll, page.take_back_url) == (None, "")
    assert page.again is not None
    assert (page.again.text, page.again.action) == ("Try again", "refresh")


def test_it_says_that_the_old_key_may_go_only_once_the_new_one_is_active(binance_bot: Bot) -> None:
    old = make_key(binance_bot, KeyStatus.RETIRED, "7Q2f", timedelta(days=200))
    key = make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(minutes=6), replaces=old)
    page = pages.key_page(key, NOW)
    assert page.goodbye is not None
    assert strip_tags(page.goodbye) == (
        "You can now delete the old key ending …7Q2f at Binance, or let it expire."
    )
    assert {stage.step for stage in page.stages} == {"done"}
    assert page.stages[-1].title == "Old key may be deleted"
    before = pages.key_page(old, NOW)
    assert before.heading == "This key is retired"
    assert [(bar.title, bar.now) for bar in before.bars] == [
        ("This key", "over"),
        ("Key in use now", "works"),
    ]


def test_it_says_of_a_revoked_key_what_works_in_its_place(binance_bot: Bot) -> None:
    key = make_key(binance_bot, KeyStatus.REVOKED, "mB9x", timedelta(minutes=6))
    page = pages.key_page(key, NOW)
    assert page.heading == "This key is disconnected"
    assert "Your bot does not trade until you connect a key." in page.lede
    assert page.again is not None
    assert page.again.action == "connect"


def test_it_gives_the_form_page_the_words_of_the_exchange(binance_bot: Bot, settings: Settings) -> None:
    settings.PORTAL_EGRESS_IPS = ("203.0.113.10", "203.0.113.11")
    active = make_key(binance_bot, KeyStatus.ACTIVE, "7Q2f", timedelta(days=200))
    page = pages.key_form_page(binance_bot, NOW)
    assert (page.active_key, page.waiting_key) == (active, None)
    way = page.directions
    assert way.addresses_line == binance_bot.adapter.address_separator.join(way.addresses)
    assert way.needed == ("Enable Reading", "Enable Spot & Margin Trading")
    assert way.never[0] == "Enable Withdrawals"
    assert page.key_name == "Sequence BTC-1 2026-11"


def test_it_hands_out_a_name_by_which_a_key_of_our_app_is_known_as_ours(
    bybit_bot: Bot, settings: Settings
) -> None:
    settings.PARTNER_APPS = {"bybit": "Sequence Bots"}
    adapter = bybit_bot.adapter
    for name in (
        pages.key_form_page(bybit_bot, NOW).key_name,
        guide_page(adapter, Market.SPOT, NOW).key_name,
    ):
        reply = bybit(bybit_good("derivatives"), type=2, note=name)
        policy = Policy(now=NOW, partner_apps=settings.PARTNER_APPS)
        assert judge("bybit", "derivatives", reply, policy).outcome is Outcome.ACCEPTED
