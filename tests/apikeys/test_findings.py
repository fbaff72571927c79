"""The findings of the contract, each as it weighs on a newly submitted key."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import AllowList, KeyReport, Market, Right, Trouble
from apikeys.exchanges.guide import step_about
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import Finding, FindingCode
from apikeys.flows.decide import UNTOLD_ACCOUNT, Decision, Outcome, Policy, decide, decide_trouble
from tests.apikeys.raw_replies import (
    BOTS,
    MARKETS,
    POLICY,
    Trader,
    binance,
    binance_good,
    bybit,
    bybit_good,
    codes,
    judge,
)

ACCEPTED, REFUSED, HELD, RETRY = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.HELD, Outcome.RETRY
TWO = ("203.0.113.10", "203.0.113.11")


def good(**more: Any) -> KeyReport:
    told = {"allow_list": AllowList(bound=True)} | more
    return KeyReport({right: right in (Right.READ, Right.SPOT) for right in Right}, **told)


def test_it_warns_of_a_key_of_which_nobody_said_whether_it_is_bound() -> None:
    finding = the_one(judged(good(allow_list=AllowList(bound=None))))
    assert (finding.code, finding.found) == (FindingCode.IP_OPEN, "Not said")


def judged(report: KeyReport, policy: Policy = POLICY, exchange: str = "binance") -> Decision:
    return decide(report, BOTS[exchange, "spot"], policy)


def the_one(decision: Decision) -> Finding:
    (finding,) = decision.findings
    return finding


@pytest.mark.parametrize(
    ("addresses", "ours", "outcome", "code"),
    [
        (["203.0.113.10"], TWO[:1], ACCEPTED, None),
        (["203.0.113.11", "203.0.113.10"], TWO, ACCEPTED, None),
        (["203.0.113.10"], TWO, REFUSED, "ip_not_ours"),
        (["198.51.100.7"], TWO[:1], REFUSED, "ip_not_ours"),
        (["198.51.100.7", "203.0.113.11"], TWO, REFUSED, "ip_not_ours"),
        (["203.0.113.1"], TWO[:1], REFUSED, "ip_not_ours"),
        (["no address"], TWO[:1], REFUSED, "ip_not_ours"),
        (["203.0.113.10", "198.51.100.7"], TWO[:1], ACCEPTED, "ip_extra"),
        (["203.0.113.0/24"], TWO[:1], ACCEPTED, "ip_extra"),
        (["2001:db8::10"], ("2001:0db8:0::10",), ACCEPTED, None),
        (["2001:db8::10"], TWO[:1], REFUSED, "ip_not_ours"),
        (["*"], TWO[:1], ACCEPTED, "ip_open"),
        ([], TWO[:1], ACCEPTED, "ip_open"),
        # Lists are not compared where no address of ours is known.
        (["198.51.100.7"], (), ACCEPTED, None),
        (["*"], (), ACCEPTED, "ip_open"),
    ],
)
def test_it_compares_bybits_list_with_our_addresses(
    addresses: list[str], ours: tuple[str, ...], outcome: Outcome, code: str | None
) -> None:
    reply = bybit(bybit_good("spot"), ips=addresses)
    decision = judge("bybit", "spot", reply, replace(POLICY, egress_ips=ours))
    assert (decision.outcome, codes(decision)) == (outcome, {code} if code else set())


def test_it_names_the_addresses_that_are_missing_and_those_that_are_too_many() -> None:
    policy = replace(POLICY, egress_ips=TWO)
    missing = the_one(judged(good(allow_list=AllowList(True, ("203.0.113.10",))), policy))
    assert missing.to_do == "Add 203.0.113.11 to the key's list of addresses."
    extra = the_one(judged(good(allow_list=AllowList(True, (*TWO, "198.51.100.7")))))
    assert extra.found == "Also 203.0.113.11, 198.51.100.7"


@pytest.mark.parametrize(("exchange", "lives"), [("binance", "deletes a trading key"), ("bybit", "90 days")])
def test_it_accepts_a_key_bound_to_no_address_and_says_what_becomes_of_it(exchange: str, lives: str) -> None:
    decision = judged(good(allow_list=AllowList(False)), exchange=exchange)
    assert (decision.outcome, codes(decision)) == (ACCEPTED, {"ip_open"})
    assert lives in the_one(decision).to_do


@pytest.mark.parametrize("entry", ["0.0.0.0/0", "203.0.0.0/8", "0.0.0.0/1", "::/0", "2001::/16"])
def test_it_takes_a_list_that_holds_half_the_internet_for_none(entry: str) -> None:
    report = good(allow_list=AllowList(True, ("203.0.113.10", entry)))
    assert the_one(judged(report)).code == FindingCode.IP_OPEN


def bound_only() -> Trader:
    adapter = replace(EXCHANGES["binance"], must_be_bound=True)
    return Trader("spot", adapter)


@pytest.mark.parametrize(
    ("allow_list", "ours", "outcome", "found"),
    [
        (AllowList(True, ("203.0.113.10",)), TWO[:1], ACCEPTED, {"inherent_transfer"}),
        (AllowList(True, ("203.0.113.0/24",)), TWO[:1], ACCEPTED, {"inherent_transfer", "ip_extra"}),
        (AllowList(False, ()), TWO[:1], REFUSED, {"inherent_transfer", "ip_open"}),
        (AllowList(None), TWO[:1], REFUSED, {"inherent_transfer", "ip_open"}),
        (AllowList(True, None), TWO[:1], REFUSED, {"inherent_transfer"}),
        (AllowList(True, ("198.51.100.7",)), TWO[:1], REFUSED, {"inherent_transfer", "ip_not_ours"}),
        (AllowList(True, ("0.0.0.0/0",)), TWO[:1], REFUSED, {"inherent_transfer", "ip_open"}),
        # Where no address of ours is known, nothing can be proved bound to us.
        (AllowList(True, ("203.0.113.10",)), (), REFUSED, {"inherent_transfer"}),
    ],
)
def test_it_takes_only_keys_bound_to_us_where_trading_reaches_other_accounts(
    allow_list: AllowList, ours: tuple[str, ...], outcome: Outcome, found: set[str]
) -> None:
    report = good(allow_list=allow_list, inherent_transfer=True)
    decision = decide(report, bound_only(), replace(POLICY, egress_ips=ours))
    assert (decision.outcome, codes(decision)) == (outcome, found)


@pytest.mark.parametrize("exchange", ["kucoin", "okx", "htx"])
def test_it_names_sub_accounts_where_trading_reaches_them(exchange: str) -> None:
    report = good(allow_list=AllowList(True, TWO[:1]), inherent_transfer=True)
    told = the_one(decide(report, BOTS[exchange, "spot"], POLICY))
    assert (told.code, "sub-accounts" in told.to_do) == ("inherent_transfer", True)


@pytest.mark.parametrize(
    ("listed", "app", "whence"),
    [
        (TWO[:1], None, "from our addresses only."),
        ((*TWO[:1], "198.51.100.7"), None, "from every address in its list, ours and others."),
        (("203.0.113.0/24",), None, "from every address in its list, ours and others."),
        (("198.51.100.7",), "Sequence", "from our addresses only."),
    ],
)
def test_it_says_from_where_a_key_that_reaches_other_accounts_can_do_so(
    listed: tuple[str, ...], app: str | None, whence: str
) -> None:
    report = good(allow_list=AllowList(True, listed), inherent_transfer=True, third_party_app=app)
    decision = decide(report, bound_only(), replace(POLICY, partner_apps={"binance": "Sequence"}))
    told = next(item for item in decision.findings if item.code == "inherent_transfer")
    assert decision.outcome is ACCEPTED
    assert told.to_do.endswith(whence)
    assert ("not ours" in told.to_do) is ("others" in whence)


@pytest.mark.parametrize(("app", "outcome"), [("Sequence", ACCEPTED), ("Other Bots", REFUSED)])
def test_a_key_of_our_app_counts_as_bound_to_us_there(app: str, outcome: Outcome) -> None:
    report = good(allow_list=AllowList(False, ()), inherent_transfer=True, third_party_app=app)
    decision = decide(report, bound_only(), replace(POLICY, partner_apps={"binance": "Sequence"}))
    assert decision.outcome is outcome


@pytest.mark.parametrize(
    ("account", "previous", "confirmed", "outcome"),
    [
        ("1", "1", "", ACCEPTED),
        ("2", "1", "", HELD),
        ("2", "1", "2", ACCEPTED),
        ("3", "1", "2", HELD),
        ("2", "", "", ACCEPTED),
        ("", "1", "", HELD),  # not said any more: it could be anybody's
        ("", "1", "2", HELD),
        ("", "1", UNTOLD_ACCOUNT, ACCEPTED),
        ("2", "1", UNTOLD_ACCOUNT, HELD),
        ("", "", "", ACCEPTED),  # never said: there is nothing to compare
    ],
)
def test_it_compares_the_account_with_the_one_before(
    account: str, previous: str, confirmed: str, outcome: Outcome
) -> None:
    policy = replace(POLICY, previous_account_id=previous, confirmed_account_id=confirmed)
    assert judged(good(account_id=account), policy).outcome is outcome


@pytest.mark.parametrize("market", MARKETS)
def test_it_takes_binances_yes_for_bound(market: str) -> None:
    decision = judge("binance", market, binance(binance_good(market)))
    assert decision.outcome is ACCEPTED
    assert not codes(decision) & {"ip_open", "ip_extra", "ip_not_ours"}


@pytest.mark.parametrize(
    ("partner_apps", "remark", "outcome"),
    [
        ({}, "Other Bots", REFUSED),
        (None, "Other Bots", REFUSED),
        ({"bybit": "Sequence"}, "Other Bots", REFUSED),
        ({"binance": "Sequence"}, "Sequence", REFUSED),
        ({"bybit": "Sequence"}, "Sequence", ACCEPTED),
        # The remark is also where the name of the key goes, as our guide hands it out.
        ({"bybit": "Sequence"}, "Sequence BTC-1 2026-11", ACCEPTED),
        ({"bybit": "Sequence Bots"}, "Sequence BTC-1 2026-11", REFUSED),
        ({"bybit": "Sequence"}, "Sequencer", REFUSED),
        ({"bybit": "Sequence"}, "My Sequence", REFUSED),
        ({"bybit": ""}, "Sequence", REFUSED),
    ],
)
def test_it_takes_keys_of_our_own_app_only(
    partner_apps: dict[str, str] | None, remark: str, outcome: Outcome
) -> None:
    """A key of our app counts as bound to us, whatever its list says."""
    reply = bybit(bybit_good("spot"), type=2, note=remark, ips=["198.51.100.7"])
    decision = judge("bybit", "spot", reply, replace(POLICY, partner_apps=partner_apps))
    expected = set() if outcome is ACCEPTED else {"app_foreign"}
    assert (decision.outcome, codes(decision)) == (outcome, expected)


def test_it_lets_our_own_app_excuse_no_right() -> None:
    groups = bybit_good("spot") | {"Wallet": ("Withdraw",)}
    policy = replace(POLICY, partner_apps={"bybit": "Sequence"})
    decision = judge("bybit", "spot", bybit(groups, type=2, note="Sequence"), policy)
    assert (decision.outcome, codes(decision)) == (REFUSED, {"forbidden_permission"})


@pytest.mark.parametrize("flag", ["enableMargin", "enableFutures"])
def test_it_tells_that_trading_itself_moves_funds_between_own_wallets(flag: str) -> None:
    decision = judge("binance", "spot", binance(binance_good("spot") | {flag: True}))
    assert (decision.outcome, codes(decision)) == (ACCEPTED, {"inherent_transfer"})


@pytest.mark.parametrize(
    ("off", "outcome", "code"),
    [(Right.SPOT, REFUSED, "product_not_enabled"), (Right.DERIVATIVES, ACCEPTED, None)],
)
def test_it_wants_the_product_open_that_the_bot_trades(
    off: Right, outcome: Outcome, code: str | None
) -> None:
    decision = judged(good(product_off=(off,)))
    assert (decision.outcome, codes(decision)) == (outcome, {code} if code else set())


@pytest.mark.parametrize(
    ("ends_in", "outcome", "code"),
    [
        (timedelta(days=-1), REFUSED, "expired"),
        (timedelta(), REFUSED, "expired"),
        (timedelta(seconds=1), ACCEPTED, "expires_soon"),
        (timedelta(days=14), ACCEPTED, "expires_soon"),
        (timedelta(days=14, seconds=1), ACCEPTED, None),
    ],
)
@pytest.mark.parametrize("exchange", ["binance", "bybit"])
def test_it_looks_at_the_day_on_which_a_key_ends(
    exchange: str, ends_in: timedelta, outcome: Outcome, code: str | None
) -> None:
    ends = POLICY.now + ends_in
    if exchange == "binance":
        told = int(ends.timestamp() * 1000)
        reply = binance(binance_good("spot"), tradingAuthorityExpirationTime=told)
    else:
        reply = bybit(bybit_good("spot"), deadlineDay=1, expiredAt=ends.isoformat())
    decision = judge(exchange, "spot", reply)
    assert (decision.outcome, codes(decision)) == (outcome, {code} if code else set())


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        ("1448939", "1448939", ACCEPTED),
        ("", "1448939", ACCEPTED),
        ("1448939", "", HELD),  # an exchange that tells no account any more
        ("", "", ACCEPTED),
        ("1448939", "1448940", HELD),
    ],
)
def test_it_holds_a_key_of_another_account(before: str, now: str, outcome: Outcome) -> None:
    reply = bybit(bybit_good("spot"), userID=now)
    decision = judge("bybit", "spot", reply, replace(POLICY, previous_account_id=before))
    assert decision.outcome is outcome
    assert codes(decision) == ({"wrong_account"} if outcome is HELD else set())


def test_it_refuses_rather_than_holds() -> None:
    groups = bybit_good("spot") | {"Wallet": ("Withdraw",)}
    decision = judge("bybit", "spot", bybit(groups), replace(POLICY, previous_account_id="7"))
    assert decision.outcome is REFUSED
    assert codes(decision) == {"forbidden_permission", "wrong_account"}


def test_it_lets_no_warning_and_no_hold_hide_a_refusal() -> None:
    report = good(allow_list=AllowList(False), expires_at=POLICY.now + timedelta(days=1), account_id="8")
    policy = replace(POLICY, previous_account_id="7")
    assert judged(report, policy).outcome is HELD
    rights = {**report.rights, Right.TRANSFER: None}
    assert judged(replace(report, rights=rights), policy).outcome is REFUSED


# What the contract says of an exchange that gave no report. Findings about reports never come as trouble.
RETRIED = {"clock", "exchange_unavailable"}
OF_REPORTS = {
    *("ip_not_ours", "ip_extra", "ip_open", "app_foreign", "inherent_transfer", "product_not_enabled"),
    *("forbidden_permission", "wrong_account", "duplicate", "expires_soon"),
}


@pytest.mark.parametrize("code", [code for code in FindingCode if code.value not in OF_REPORTS])
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_it_tries_again_for_trouble_that_is_not_the_customers_and_refuses_else(
    exchange: str, code: FindingCode
) -> None:
    decision = decide_trouble(Trouble(code), BOTS[exchange, "spot"])
    assert decision.outcome is (RETRY if code.value in RETRIED else REFUSED)
    finding = the_one(decision)
    assert finding.code is code
    assert all((finding.looked_at, finding.needed, finding.found, finding.to_do))
    assert "{" not in "".join((finding.looked_at, finding.needed, finding.found, finding.to_do))


@pytest.mark.parametrize("code", sorted(OF_REPORTS))
def test_it_never_accepts_because_of_trouble(code: str) -> None:
    decision = decide_trouble(Trouble(FindingCode(code)), BOTS["binance", "spot"])
    assert decision.outcome is REFUSED


@pytest.mark.parametrize(
    ("exchange", "status", "reply", "outcome", "code"),
    [
        ("binance", 400, {"code": -2015}, REFUSED, "invalid_credentials"),
        ("binance", 401, {"code": -2014}, REFUSED, "not_found"),
        ("binance", 400, {"code": -1022}, REFUSED, "bad_signature"),
        ("binance", 400, {"code": -1021}, RETRY, "clock"),
        ("binance", 429, {"code": -1003}, RETRY, "exchange_unavailable"),
        ("binance", 418, {"code": -2015}, RETRY, "exchange_unavailable"),
        ("binance", 451, {"code": 0, "msg": "Service unavailable"}, RETRY, "exchange_unavailable"),
        ("binance", 400, {"code": -9999}, RETRY, "exchange_unavailable"),
        ("binance", 502, None, RETRY, "exchange_unavailable"),
        ("bybit", 200, {"retCode": 10002}, RETRY, "clock"),
        ("bybit", 200, {"retCode": 10003}, REFUSED, "not_found"),
        ("bybit", 200, {"retCode": 10004}, REFUSED, "bad_signature"),
        ("bybit", 200, {"retCode": 10005}, REFUSED, "missing_permission"),
        ("bybit", 200, {"retCode": 10008}, REFUSED, "account_restricted"),
        ("bybit", 200, {"retCode": 10010}, REFUSED, "ip_blocked"),
        ("bybit", 200, {"retCode": 33004}, REFUSED, "expired"),
        ("bybit", 200, {"retCode": 123456}, RETRY, "exchange_unavailable"),
        ("bybit", 500, {"retCode": 10003}, RETRY, "exchange_unavailable"),
        ("bybit", 401, None, REFUSED, "invalid_credentials"),
        ("bybit", 403, None, RETRY, "exchange_unavailable"),
    ],
)
def test_it_decides_about_what_an_exchange_says_instead_of_a_report(
    exchange: str, status: int, reply: Any, outcome: Outcome, code: str
) -> None:
    trouble = EXCHANGES[exchange].read_trouble(Reply(status, reply))
    assert trouble is not None
    decision = decide_trouble(trouble, BOTS[exchange, "spot"])
    assert (decision.outcome, codes(decision)) == (outcome, {code})


@pytest.mark.parametrize(
    ("exchange", "trouble", "to_do", "step"),
    [
        ("gate", Trouble(FindingCode.UNPROVEN_PERMISSION, "sub-account"), "to your main account", "sign-in"),
        ("htx", Trouble(FindingCode.UNPROVEN_PERMISSION, "1002"), "to your main account", "sign-in"),
        ("gate", Trouble(FindingCode.EXPIRED, "state"), "Make a new key", "way"),
        ("gate", Trouble(FindingCode.UNPROVEN_PERMISSION), "Paste the key again later", "rights"),
        ("binanceus", Trouble(FindingCode.UNPROVEN_PERMISSION, "HTTP 404"), "we cannot take one", "rights"),
        ("okx", Trouble(FindingCode.APP_FOREIGN, "50118"), "do not choose the path for third-party", "kind"),
        *(
            (exchange, Trouble(FindingCode.IP_BLOCKED), "has no list: make a new one", "addresses")
            for exchange in ("bybit", "bybiteu", "okx", "kucoin", "bitget")
        ),
        ("binance", Trouble(FindingCode.IP_BLOCKED), "add our addresses to its list.", "addresses"),
    ],
)
def test_it_says_what_mends_it_at_this_exchange(
    exchange: str, trouble: Trouble, to_do: str, step: str
) -> None:
    bot = BOTS[exchange, "spot"]
    told = the_one(decide_trouble(trouble, bot))
    assert to_do in told.to_do
    assert "{" not in "".join(told.as_json().values())
    found = step_about(told, bot.adapter.guide.for_market(Market.SPOT))
    assert found is not None
    assert found.id == step
    assert Finding.from_json(told.as_json()) == told
    before = told.as_json()
    del before["step"]  # as a row of the version before has it
    assert Finding.from_json(before).to_do == told.to_do


def test_it_sends_nobody_at_okx_for_a_new_key_who_is_in_spot_mode() -> None:
    rights = {right: right in (Right.READ, Right.DERIVATIVES) for right in Right}
    report = KeyReport(rights, allow_list=AllowList(True, TWO[:1]), product_off=(Right.DERIVATIVES,))
    told = the_one(decide(report, BOTS["okx", "derivatives"], POLICY))
    assert told.code == FindingCode.PRODUCT_NOT_ENABLED
    assert "This same key will do" in told.to_do
    assert "new key" not in told.to_do
    elsewhere = the_one(decide(report, BOTS["kraken", "derivatives"], POLICY))
    assert "make a new key" in elsewhere.to_do


def test_it_tells_of_the_new_key_that_futures_at_binance_may_need() -> None:
    flags = binance_good("derivatives") | {"enableFutures": False}
    told = the_one(judge("binance", "derivatives", binance(flags)))
    assert told.code == FindingCode.MISSING_PERMISSION
    assert told.to_do.startswith("Switch on Enable Futures.")
    assert "make a new key" in told.to_do


def test_it_leads_from_a_key_that_moves_funds_from_anywhere_to_the_addresses() -> None:
    report = good(allow_list=AllowList(False, ()), inherent_transfer=True)
    steps = EXCHANGES["okx"].guide.for_market(Market.SPOT)
    for told in decide(report, BOTS["okx", "spot"], POLICY).findings:
        found = step_about(told, steps)
        assert found is not None, told.code
        assert found.id == "addresses"


@pytest.mark.parametrize(
    ("exchange", "place", "offered"), [("gate", "Gate EU", False), ("bybit", "Bybit EU", True)]
)
def test_it_offers_to_move_a_bot_only_where_bots_can_trade(exchange: str, place: str, offered: bool) -> None:
    trouble = Trouble(FindingCode.WRONG_REGION, belongs_to=place)
    told = the_one(decide_trouble(trouble, BOTS[exchange, "spot"]))
    assert ("ask support to change its exchange" in told.to_do) is offered


@pytest.mark.parametrize(
    ("trouble", "found"),
    [
        (Trouble(FindingCode.WRONG_REGION, "-2008", belongs_to="Binance.US"), "A key of Binance.US"),
        (Trouble(FindingCode.WRONG_REGION, "50119"), "A key of another Binance site"),
        (Trouble(FindingCode.WRONG_ENVIRONMENT, "50101"), "A key of a demo or test system"),
    ],
)
def test_it_says_where_a_key_belongs(trouble: Trouble, found: str) -> None:
    decision = decide_trouble(trouble, BOTS["binance", "spot"])
    assert decision.outcome is REFUSED
    assert the_one(decision).found == found
    assert "www.binance.com" in the_one(decision).to_do
