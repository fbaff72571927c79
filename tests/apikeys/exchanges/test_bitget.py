from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges import bitget
from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import AllowList, KeyReport, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.bitget import ADAPTER, CLASSIC, TROUBLE_OF_CODE, UNIFIED
from apikeys.findings import FindingCode
from apikeys.flows.decide import Decision, Outcome, decide
from tests.apikeys.conversing import OWN, converse
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import BOTS, MARKETS, POLICY, codes, judge
from tests.exchange_simulator.exchanges.bitget import SIMULATED
from tests.exchange_simulator.simulator import Simulator

OURS = "203.0.113.10"


def read_trouble(status: int, body: Any) -> Trouble | None:
    return bitget.read_trouble(Reply(status, body))


def error(code: str) -> Reply:
    return Reply(400, {"code": code, "msg": "words that may quote a key", "data": None})


def classic(*authorities: str, **account: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "userId": "3704614084",
        "inviterId": "1",
        "ips": OURS,
        "authorities": list(authorities),
        "parentId": 3704614084,
        "traderType": "not_trader",
        "regisTime": "1246566789345",
    }
    return {"code": "00000", "msg": "success", "requestTime": 1695808949356, "data": data | account}


def unified(*permissions: str, **account: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "userId": "123456789",
        "parentId": "",
        "ips": OURS,
        "permType": "read-and-write",
        "permissions": list(permissions),
    }
    return {"code": "00000", "msg": "success", "requestTime": 1744617600000, "data": data | account}


def judge_unified(market: str, reply: Any) -> Decision:
    report, calls = converse(ADAPTER, error("40085"), reply)
    assert calls == [CLASSIC, UNIFIED]
    assert isinstance(report, KeyReport)
    return decide(report, BOTS["bitget", market], POLICY)


def on(report: KeyReport) -> set[Right]:
    return {right for right, granted in report.rights.items() if granted}


def test_it_reads_a_good_classic_key() -> None:
    report, calls = converse(ADAPTER, classic("stow", "coow", "cpow", "stor"))
    assert calls == [CLASSIC]
    assert isinstance(report, KeyReport)
    assert on(report) == {Right.READ, Right.SPOT, Right.DERIVATIVES}
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert (report.unknown, report.inherent_transfer) == ((), False)
    assert report.allow_list == AllowList(True, (OURS,))
    assert (report.account_id, report.parent_account_id) == ("3704614084", "")
    assert (report.account_kind, report.key_kind) == ("classic account", "HMAC")


def test_it_reads_a_good_unified_key_where_the_classic_account_is_refused() -> None:
    report, calls = converse(ADAPTER, error("40085"), unified("uta_trade"))
    assert calls == [CLASSIC, UNIFIED]
    assert isinstance(report, KeyReport)
    assert on(report) == {Right.READ, Right.SPOT, Right.MARGIN, Right.DERIVATIVES}
    assert (report.account_id, report.account_kind) == ("123456789", "unified account")


CLASSIC_READS = {"coor", "cpor", "stor", "smor", "ttor", "wtor", "taxr", "chor", "p2pr", "pllr"}
CLASSIC_TRADES = {"stow", "coow", "cpow", "smow"}
CLASSIC_MOVES = {
    "wtow": Right.TRANSFER,
    "wwow": Right.WITHDRAW,
    "ttow": Right.COPY,
    "chow": Right.KEY_EDIT,
    "p2p": Right.P2P,
    "p2pw": Right.P2P,
    "pllw": Right.LOAN,
}
CLASSIC_UNPROVED = {"trade", "readonly", "STOW", "wxyz", ""}


@pytest.mark.parametrize(("code", "right"), CLASSIC_MOVES.items())
def test_it_reads_each_classic_right_that_moves_money(code: str, right: Right) -> None:
    report = bitget.read_classic(classic(code), OWN)
    assert on(report) == {Right.READ, right}
    assert report.unknown == ()


@settings(deadline=None)
@given(
    st.sets(
        st.sampled_from(sorted(CLASSIC_READS | CLASSIC_TRADES | CLASSIC_MOVES.keys() | CLASSIC_UNPROVED)),
        max_size=7,
    ),
    st.sampled_from(MARKETS),
)
def test_it_accepts_classic_trading_and_nothing_else(said: set[str], market: str) -> None:
    decision = judge("bitget", market, classic(*sorted(said)))
    needed = {"stow"} if market == "spot" else {"coow", "cpow"}
    extra = said - CLASSIC_READS - CLASSIC_TRADES
    assert (decision.outcome is Outcome.ACCEPTED) == (needed <= said and not extra)
    assert ("forbidden_permission" in codes(decision)) == bool(said & CLASSIC_MOVES.keys())
    assert ("unproven_permission" in codes(decision)) == bool(said & CLASSIC_UNPROVED)


def test_it_does_not_take_the_documentation_s_example_for_proved() -> None:
    assert "unproven_permission" in codes(judge("bitget", "spot", classic("trade", "readonly")))


UNIFIED_MOVES = {"uta_mgt", "withdraw", "copy_futures_position", "copy_futures_order"}
UNIFIED_UNPROVED = {"transfer", "UTA_TRADE", "uta_loan", ""}


@settings(deadline=None)
@given(
    st.sets(st.sampled_from(sorted({"uta_trade"} | UNIFIED_MOVES | UNIFIED_UNPROVED))),
    st.sampled_from(["read-and-write", "read-only"]),
    st.sampled_from(MARKETS),
)
def test_it_accepts_unified_trading_and_nothing_else(said: set[str], kind: str, market: str) -> None:
    decision = judge_unified(market, unified(*sorted(said), permType=kind))
    assert (decision.outcome is Outcome.ACCEPTED) == (said == {"uta_trade"} and kind == "read-and-write")
    assert ("forbidden_permission" in codes(decision)) == bool(said & UNIFIED_MOVES)
    assert ("unproven_permission" in codes(decision)) == bool(said & UNIFIED_UNPROVED)


def test_it_proves_no_unified_trading_where_the_type_is_not_said() -> None:
    reply = unified("uta_trade")
    del reply["data"]["permType"]
    assert codes(judge_unified("spot", reply)) == {"unproven_permission"}


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (error("40014"), error("40084"), ("missing_permission", "40014")),
        (error("40085"), error("25245"), ("unproven_permission", "40085")),
        (error("40085"), error("40018"), ("ip_blocked", "40018")),
        (error("40085"), Reply(503, None), ("exchange_unavailable", "HTTP 503")),
        (error("40085"), Reply(200, None), ("unproven_permission", "")),
    ],
)
def test_it_says_what_came_of_both_questions(first: Reply, second: Reply, told: tuple[str, str]) -> None:
    answer, calls = converse(ADAPTER, first, second)
    assert isinstance(answer, Trouble)
    assert (answer.code.value, answer.exchange_code) == told
    assert calls == [CLASSIC, UNIFIED]


@pytest.mark.parametrize("first", [error("40037"), error("40012"), Reply(500, {"code": "40085"})])
def test_it_asks_no_further_where_the_account_is_not_the_matter(first: Reply) -> None:
    answer, calls = converse(ADAPTER, first, unified("uta_trade"))
    assert isinstance(answer, Trouble)
    assert calls == [CLASSIC]


@pytest.mark.parametrize("ips", ["", " ", "0.0.0.0"])  # noqa: S104
def test_it_warns_of_a_key_that_works_from_anywhere(ips: str) -> None:
    decision = judge("bitget", "spot", classic("stow", ips=ips))
    assert (decision.outcome, codes(decision)) == (Outcome.ACCEPTED, {"ip_open"})


def test_it_compares_the_addresses() -> None:
    assert codes(judge("bitget", "spot", classic("stow", ips="192.0.2.1, 192.0.2.2"))) == {"ip_not_ours"}
    assert codes(judge("bitget", "spot", classic("stow", ips=f"{OURS}, 192.0.2.2"))) == {"ip_extra"}


@pytest.mark.parametrize(("parent", "told"), [(1, "1"), (None, ""), (0, ""), ("", ""), (3704614084, "")])
def test_it_reads_the_main_account_of_a_sub_account(parent: Any, told: str) -> None:
    assert bitget.read_classic(classic("stow", parentId=parent), OWN).parent_account_id == told


WRONG_TYPES: dict[str, list[Any]] = {
    "authorities": [None, "stow", {"stow": True}, [1], [None], True],
    "ips": [None, [OURS], 1, True],
    "userId": [None, [], True, 1.5],
    "parentId": [[], True, {}],
}


@pytest.mark.parametrize(("name", "value"), [(name, v) for name, vs in WRONG_TYPES.items() for v in vs])
def test_it_reads_no_classic_field_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        bitget.read_classic(classic("stow", **{name: value}), OWN)


WRONG_UNIFIED_TYPES: dict[str, list[Any]] = {
    "permissions": [None, "uta_trade", [1], {}],
    "permType": [None, 1, True, "read_and_write", "ReadWrite"],
    "ips": [[OURS]],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, v) for name, vs in WRONG_UNIFIED_TYPES.items() for v in vs]
)
def test_it_reads_no_unified_field_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        bitget.read_unified(unified("uta_trade", **{name: value}), OWN)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "ok",
        {},
        {"code": "00000"},
        {"code": 0, "data": {}},
        {"code": "00000", "data": {}},
        {"data": {}},
    ],
)
def test_it_reads_no_reply_of_another_shape(body: Any) -> None:
    for read in (bitget.read_classic, bitget.read_unified):
        with pytest.raises(UnreadableReplyError):
            read(body, OWN)


TABLE = [
    *((code, FindingCode.UNPROVEN_PERMISSION) for code in ("25245", "40084", "40085")),
    *((code, FindingCode.INVALID_CREDENTIALS) for code in ("40001", "40002", "40003")),
    *((code, FindingCode.CLOCK) for code in ("40004", "40005", "40008")),
    *((code, FindingCode.NOT_FOUND) for code in ("40006", "40037")),
    ("40009", FindingCode.BAD_SIGNATURE),
    *((code, FindingCode.BAD_PASSPHRASE) for code in ("40011", "40012", "40036")),
    *((code, FindingCode.ACCOUNT_RESTRICTED) for code in ("40013", "40016", "40022", "40031")),
    ("40014", FindingCode.MISSING_PERMISSION),
    *((code, FindingCode.IP_BLOCKED) for code in ("40018", "40038")),
    ("40099", FindingCode.WRONG_ENVIRONMENT),
    *((code, FindingCode.EXCHANGE_UNAVAILABLE) for code in ("40015", "40725", "429")),
]


@pytest.mark.parametrize(("code", "finding"), TABLE)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_it_reads_each_error(code: str, finding: FindingCode, status: int) -> None:
    trouble = read_trouble(status, error(code).body)
    assert trouble is not None
    assert (trouble.code, trouble.exchange_code) == (finding, code)
    assert "words" not in repr(trouble)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert dict(TABLE) == TROUBLE_OF_CODE


@pytest.mark.parametrize(("status", "code"), [(200, "99999"), (429, "40037"), (503, "40037"), (451, "40018")])
def test_it_blames_nobody_for_what_it_does_not_know_or_is_not_about_the_key(status: int, code: str) -> None:
    trouble = read_trouble(status, {"code": code})
    assert trouble is not None
    assert trouble.code == FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("body", [classic("stow"), None, {}, [], {"code": 0}, {"code": "00000"}])
def test_it_finds_no_error_in_a_good_status(body: Any) -> None:
    assert read_trouble(200, body) is None


def test_it_asks_over_http_about_either_account(simulator: Simulator, client: AskOnce) -> None:
    key = SIMULATED.demo_keys["unified"]
    simulator.know(key)
    report = client("bitget", credentials(key))
    assert isinstance(report, KeyReport)
    assert report.account_kind == "unified account"
    assert simulator.number_of_calls("bitget") == 2
    answer = client("bitget", replace(credentials(key), passphrase="another-one"))
    assert isinstance(answer, Trouble)
    assert answer.code is FindingCode.BAD_PASSPHRASE


def test_it_has_words_for_every_right_that_is_a_box_to_tick() -> None:
    """Options, fiat, converting and earning are none; reading comes with any key."""
    none = {Right.READ, Right.OPTIONS, Right.FIAT, Right.CONVERT, Right.EARN}
    assert set(ADAPTER.labels) == set(Right) - none
