"""From an exchange's raw reply to the decision, over every subset of rights.

The rule that the tables are held against is written here a second time, from the promise and not from the
code: the needed rights are stated as on, everything that moves funds or widens the key is stated as off, and
nothing is left unsaid. Both directions are checked: what follows the rule passes, and nothing else does.

What is exhaustive:
  Binance   each of the eight flags on, off and absent: all 6,561 replies, for both markets
  Bybit     every subset of the entries of the five groups about trading and wallets, each group also absent,
            with each readOnly: all 6,885; every subset of the other thirteen groups: 8,192, those that are
            not granted empty, and again absent; every pair of all the groups in every state of both, a state
            being absent, empty, one entry, or all of them
  reports   of the 3^14 reports: every one of two answers (on and off, on and not said, off and not said),
            every one over the eight rights of `DECIDING`, and every one that differs in at most three rights
            from one that passes. A judgement of one right looks at no other one, so that what is left out
            repeats what is here.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any

import pytest

from apikeys.exchanges.base import AllowList, KeyReport, Right
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows.decide import Outcome, decide
from tests.apikeys.raw_replies import (
    BINANCE_FLAGS,
    BINANCE_MOVING,
    BINANCE_NEEDED,
    BOTS,
    GROUPS,
    MARKETS,
    OTHERS,
    POLICY,
    TRADING,
    WALLET,
    Groups,
    binance,
    binance_good,
    bybit,
    bybit_good,
    codes,
    judge,
)

# Of our own rights.
NEEDED = {"spot": {"read", "spot"}, "derivatives": {"read", "derivatives"}}
MOVING = {"withdraw", "transfer", "fiat", "convert", "earn", "loan", "p2p", "copy", "key_edit"}
DECIDING = ("read", "spot", "derivatives", "margin", "withdraw", "transfer", "key_edit", "fiat")


def states(entries: tuple[str, ...]) -> list[tuple[str, ...] | None]:
    single = [(entry,) for entry in entries]
    return [None, (), *single, *([entries] if len(entries) > 1 else [])]


def subsets(entries: tuple[str, ...]) -> list[tuple[str, ...] | None]:
    return [None, *(chosen for size in range(len(entries) + 1) for chosen in combinations(entries, size))]


def bybit_may_pass(groups: Groups, read_only: int | None, market: str) -> bool:
    """Trades, and the wallet's group is there and empty, and so is whatever else is granted."""
    needed = GROUPS["Spot" if market == "spot" else "ContractTrade"]
    trades = set(needed) <= set(groups.get("Spot" if market == "spot" else "ContractTrade") or ())
    return (
        trades
        and read_only == 0
        and groups.get("Wallet") == ()
        and not any(entries for name, entries in groups.items() if name not in TRADING)
    )


@pytest.mark.parametrize("market", MARKETS)
def test_it_judges_every_reply_of_binance_by_the_rule(market: str) -> None:
    passed = []
    for values in product((True, False, None), repeat=len(BINANCE_FLAGS)):
        flags = {name: value for name, value in zip(BINANCE_FLAGS, values, strict=True) if value is not None}
        decision = judge("binance", market, binance(flags))
        may_pass = (
            len(flags) == len(BINANCE_FLAGS)
            and all(flags[name] for name in BINANCE_NEEDED[market])
            and not any(flags[name] for name in BINANCE_MOVING)
        )
        assert decision.outcome is (Outcome.ACCEPTED if may_pass else Outcome.REFUSED), flags
        if may_pass:
            passed.append(values)
        else:
            assert codes(decision) >= expected_of_binance(flags, market), flags
    assert len(passed) == 2**3, "the three flags that are neither needed nor moving are free"


def expected_of_binance(flags: Mapping[str, bool], market: str) -> set[str]:
    missing = any(flags.get(name) is False for name in BINANCE_NEEDED[market])
    forbidden = any(flags.get(name) for name in BINANCE_MOVING)
    found = {"missing_permission"} if flags and missing else set()
    if flags and forbidden:
        found.add("forbidden_permission")
    one_transfer_on = any(flags.get(name) for name in BINANCE_MOVING[1:])
    silent = [name for name in BINANCE_FLAGS if name not in flags]
    # One transfer flag that is on tells enough of both.
    if any(name not in BINANCE_MOVING[1:] or not one_transfer_on for name in silent):
        found.add("unproven_permission")
    return found


@pytest.mark.parametrize("market", MARKETS)
def test_it_refuses_what_binance_grants_under_a_name_it_does_not_know(market: str) -> None:
    good = binance_good(market)
    harmless = ("enablePortfolioMarginTrading", "enableFixApiTrade", "enableFixReadOnly")
    for values in product((True, False, None), repeat=len(harmless)):
        beside = {name: value for name, value in zip(harmless, values, strict=True) if value is not None}
        assert judge("binance", market, binance(good, **beside)).outcome is Outcome.ACCEPTED, beside
    for value in (True, 1, "yes", ["all"], {"a": 1}):
        decision = judge("binance", market, binance(good, enableTeleport=value))
        assert decision.outcome is Outcome.REFUSED
        assert decision.findings[0].looked_at == "enableTeleport"
    nothings: tuple[Any, ...] = (False, None, "", 0, [])
    for nothing in nothings:
        assert judge("binance", market, binance(good, enableTeleport=nothing)).outcome is Outcome.ACCEPTED


def trading_and_wallet() -> Iterator[tuple[dict[str, tuple[str, ...] | None], int | None]]:
    names = [*TRADING, *WALLET]
    for chosen in product(*(subsets(GROUPS[name]) for name in names)):
        for read_only in (0, 1, None):
            yield {**dict.fromkeys(OTHERS, ()), **dict(zip(names, chosen, strict=True))}, read_only


@pytest.mark.parametrize("market", MARKETS)
def test_it_judges_every_reply_of_bybit_about_trading_and_wallets_by_the_rule(market: str) -> None:
    number = passed = 0
    for groups, read_only in trading_and_wallet():
        decision = judge("bybit", market, bybit(groups, read_only))
        may_pass = bybit_may_pass(groups, read_only, market)
        assert decision.outcome is (Outcome.ACCEPTED if may_pass else Outcome.REFUSED), (groups, read_only)
        number, passed = number + 1, passed + may_pass
    # The other groups about trading in every state, while the needed entries are there.
    free = {"spot": 5 * 3 * 3, "derivatives": 3 * 3 * 3}[market]
    assert (number, passed) == (3 * 5 * 3 * 3 * 17 * 3, free)


@pytest.mark.parametrize("without", [(), None])
@pytest.mark.parametrize("market", MARKETS)
def test_it_refuses_every_subset_of_bybits_other_groups(market: str, without: tuple[str, ...] | None) -> None:
    good = bybit_good(market)
    for granted in product((False, True), repeat=len(OTHERS)):
        over = {name: OTHERS[name] if on else without for name, on in zip(OTHERS, granted, strict=True)}
        decision = judge("bybit", market, bybit(good | over))
        assert decision.outcome is (Outcome.REFUSED if any(granted) else Outcome.ACCEPTED), over


@pytest.mark.parametrize("market", MARKETS)
def test_it_judges_every_pair_of_bybits_groups_by_the_rule(market: str) -> None:
    good = bybit_good(market)
    for one, other in combinations(GROUPS, 2):
        for first, second in product(states(GROUPS[one]), states(GROUPS[other])):
            groups = good | {one: first, other: second}
            may_pass = bybit_may_pass(groups, 0, market)
            decision = judge("bybit", market, bybit(groups))
            assert decision.outcome is (Outcome.ACCEPTED if may_pass else Outcome.REFUSED), groups


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize(
    ("group", "entry"), [("Teleport", "Anywhere"), ("Spot", "SpotWithdraw"), ("Wallet", "NewDoor")]
)
def test_it_refuses_what_bybit_grants_under_a_name_it_does_not_know(
    market: str, group: str, entry: str
) -> None:
    good = bybit_good(market)
    decision = judge("bybit", market, bybit(good | {group: ((good.get(group) or ()) + (entry,))}))
    assert decision.outcome is Outcome.REFUSED
    assert f"{group}.{entry}" in {finding.looked_at for finding in decision.findings}
    assert "unproven_permission" in codes(decision)


@pytest.mark.parametrize("reply", [None, [], {}, "ok", 1, {"code": 0}, {"retCode": 0}, {"result": {}}])
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_it_proves_nothing_by_a_reply_without_rights(exchange: str, reply: Any) -> None:
    decision = judge(exchange, "spot", reply)
    assert (decision.outcome, codes(decision)) == (Outcome.REFUSED, {"unproven_permission"})


def in_parts(market: str) -> Iterator[dict[str, bool | None]]:
    names = [right.value for right in Right]
    for two in ((True, False), (True, None), (False, None)):
        for values in product(two, repeat=len(names)):
            yield dict(zip(names, values, strict=True))
    every: tuple[bool | None, ...] = (True, False, None)
    for values in product(every, repeat=len(DECIDING)):
        yield {**dict.fromkeys(names, False), **dict(zip(DECIDING, values, strict=True))}
    good = {name: name in NEEDED[market] for name in names}
    for three in combinations(names, 3):
        for values in product(every, repeat=3):
            yield {**good, **dict(zip(three, values, strict=True))}


def follows_the_rule(rights: Mapping[str, bool | None], market: str) -> bool:
    return (
        None not in rights.values()
        and all(rights[name] for name in NEEDED[market])
        and not any(rights[name] for name in MOVING)
    )


@pytest.mark.parametrize("market", MARKETS)
def test_it_judges_reports_by_the_rule(market: str) -> None:
    bot = BOTS["binance", market]
    passed = set()
    for rights in in_parts(market):
        report = KeyReport({Right(name): granted for name, granted in rights.items()})
        may_pass = follows_the_rule(rights, market)
        outcome = decide(report, bot, POLICY).outcome
        assert outcome is (Outcome.ACCEPTED if may_pass else Outcome.REFUSED), rights
        if may_pass:
            passed.add(tuple(rights.values()))
    assert len(passed) == 2**3, "of thirteen rights two are needed and eight forbidden"


@pytest.mark.parametrize("left_out", list(Right))
def test_it_takes_a_right_that_a_report_leaves_out_for_not_said(left_out: Right) -> None:
    rights = {right: right in (Right.READ, Right.SPOT) for right in Right if right is not left_out}
    decision = decide(KeyReport(rights, allow_list=AllowList(bound=True)), BOTS["binance", "spot"], POLICY)
    assert (decision.outcome, codes(decision)) == (Outcome.REFUSED, {"unproven_permission"})


@pytest.mark.parametrize("market", MARKETS)
def test_it_says_in_words_what_to_do_about_each_right(market: str) -> None:
    for exchange in EXCHANGES:
        for answer in (True, False, None):
            report = KeyReport(dict.fromkeys(Right, answer), allow_list=AllowList(bound=True))
            decision = decide(report, BOTS[exchange, market], POLICY)
            assert decision.findings
            for finding in decision.findings:
                assert all((finding.looked_at, finding.needed, finding.found, finding.to_do)), "empty words"
