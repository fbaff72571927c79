from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges import okx
from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import AllowList, Credentials, KeyReport, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.okx import ADAPTER, TROUBLE_OF_CODE
from apikeys.findings import FindingCode
from apikeys.flows.decide import Outcome, Policy
from tests.apikeys.conversing import OWN
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import MARKETS, POLICY, codes, judge
from tests.exchange_simulator.exchanges.okx import SIMULATED
from tests.exchange_simulator.simulator import Simulator

OURS = "203.0.113.10"


def read_report(body: Any) -> KeyReport:
    return okx.read_report(body, OWN)


def read_trouble(status: int, body: Any) -> Trouble | None:
    return okx.read_trouble(Reply(status, body))


def reply(**account: Any) -> dict[str, Any]:
    """The documented example, of a bound trading key."""
    entry: dict[str, Any] = {
        "acctLv": "2",
        "autoLoan": False,
        "ip": OURS,
        "kycLv": "3",
        "label": "v5 test",
        "mainUid": "44705892343619584",
        "perm": "read_only,trade",
        "posMode": "long_short_mode",
        "type": "0",
        "uid": "44705892343619584",
    }
    return {"code": "0", "data": [entry | account], "msg": ""}


def without(name: str) -> dict[str, Any]:
    whole = reply()
    del whole["data"][0][name]
    return whole


def test_it_reads_a_good_key() -> None:
    report = read_report(reply())
    on = {right for right, granted in report.rights.items() if granted}
    assert on == {Right.READ, Right.SPOT, Right.MARGIN, Right.DERIVATIVES, Right.OPTIONS}
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert report.unknown == ()
    assert report.inherent_transfer is True
    assert report.product_off == ()
    assert report.allow_list == AllowList(True, (OURS,))
    assert (report.account_id, report.parent_account_id) == ("44705892343619584", "")
    assert (report.account_kind, report.key_kind) == ("main account", "HMAC")
    assert (report.expires_at, report.permanent) == (None, False)


@pytest.mark.parametrize("market", MARKETS)
def test_it_takes_a_bound_key_and_tells_that_trading_moves_funds(market: str) -> None:
    decision = judge("okx", market, reply())
    assert decision.outcome is Outcome.ACCEPTED
    assert codes(decision) == {"inherent_transfer"}


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("ip", ["", " , ", "*", "0.0.0.0", "0.0.0.0/0"])  # noqa: S104
def test_it_takes_no_key_that_works_from_anywhere(market: str, ip: str) -> None:
    decision = judge("okx", market, reply(ip=ip))
    assert decision.outcome is Outcome.REFUSED
    assert codes(decision) == {"ip_open", "inherent_transfer"}


def test_it_takes_no_key_whose_addresses_are_not_said_or_not_ours() -> None:
    assert codes(judge("okx", "spot", without("ip"))) == {"ip_open", "inherent_transfer"}
    assert codes(judge("okx", "spot", reply(ip="192.0.2.1"))) == {"ip_not_ours", "inherent_transfer"}
    nobody = Policy(now=POLICY.now)
    assert judge("okx", "spot", reply(), nobody).outcome is Outcome.REFUSED


def test_it_reads_several_addresses() -> None:
    assert read_report(reply(ip="203.0.113.10, 203.0.113.11")).allow_list.addresses == (OURS, "203.0.113.11")


NAMES = ["read_only", "trade", "withdraw", "Trade", "transfer", "earn", "", " trade"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(NAMES)), st.sampled_from(MARKETS), st.sampled_from("1234"))
def test_it_accepts_reading_and_trading_and_nothing_else(names: list[str], market: str, mode: str) -> None:
    decision = judge("okx", market, reply(perm=",".join(names), acctLv=mode))
    said = {name.strip() for name in names} - {""}
    open_there = market == "spot" or mode != "1"
    assert (decision.outcome is Outcome.ACCEPTED) == (said == {"read_only", "trade"} and open_there)
    assert ("forbidden_permission" in codes(decision)) == ("withdraw" in said)
    assert ("unproven_permission" in codes(decision)) == bool(said - {"read_only", "trade", "withdraw"})


def test_it_says_that_derivatives_are_not_open_in_spot_mode() -> None:
    assert codes(judge("okx", "derivatives", reply(acctLv="1"))) == {
        *("product_not_enabled", "inherent_transfer"),
    }
    assert judge("okx", "spot", reply(acctLv="1")).outcome is Outcome.ACCEPTED


def test_it_reads_the_account_of_a_sub_account() -> None:
    report = read_report(reply(uid="7", type="1"))
    assert (report.account_id, report.parent_account_id) == ("7", "44705892343619584")
    assert report.account_kind == "sub-account"
    assert read_report(reply(type="99")).account_kind == ""


WRONG_TYPES: dict[str, list[Any]] = {
    "perm": [None, ["trade"], 1, True, {"trade": True}, "trade," * 1000],
    "ip": [None, [OURS], 1, True],
    "uid": [None, [], True, 1.5, "\x00"],
    "mainUid": [None, {}, False],
    "acctLv": [None, 1, [], True],
    "type": [None, 0, {}],
}


@pytest.mark.parametrize(("name", "value"), [(name, v) for name, vs in WRONG_TYPES.items() for v in vs])
def test_it_reads_no_field_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(reply(**{name: value}))


@pytest.mark.parametrize(
    "body",
    [
        *(
            None,
            [],
            "ok",
            {},
            {"data": []},
            {"code": "0"},
            {"code": "0", "data": []},
            {"code": "0", "data": {}},
        ),
        *({"code": "0", "data": ["x"]}, {"code": 0, "data": reply()["data"]}, without("perm")),
        {"code": "0", "data": reply()["data"] * 2},
    ],
)
def test_it_reads_no_reply_of_another_shape(body: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(body)


TABLE = [
    *(
        (code, FindingCode.EXCHANGE_UNAVAILABLE)
        for code in ("50001", "50004", "50005", "50011", "50013", "50026")
    ),
    *(
        (code, FindingCode.ACCOUNT_RESTRICTED)
        for code in ("50007", "50009", "50012", "50027", "50029", "50051")
    ),
    *((code, FindingCode.ACCOUNT_RESTRICTED) for code in ("50059", "50060", "50100")),
    *((code, FindingCode.MISSING_PERMISSION) for code in ("50030", "50120")),
    *((code, FindingCode.IP_BLOCKED) for code in ("50035", "50110")),
    ("50118", FindingCode.APP_FOREIGN),
    ("50101", FindingCode.WRONG_ENVIRONMENT),
    *((code, FindingCode.CLOCK) for code in ("50102", "50107", "50112")),
    *((code, FindingCode.INVALID_CREDENTIALS) for code in ("50103", "50106", "50114")),
    *((code, FindingCode.BAD_PASSPHRASE) for code in ("50104", "50105")),
    *((code, FindingCode.NOT_FOUND) for code in ("50111", "50119")),
    ("50113", FindingCode.BAD_SIGNATURE),
]


@pytest.mark.parametrize(("code", "finding"), TABLE)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_it_reads_each_error(code: str, finding: FindingCode, status: int) -> None:
    trouble = read_trouble(status, {"code": code, "data": [], "msg": "words that may quote a key"})
    assert trouble is not None
    assert (trouble.code, trouble.exchange_code) == (finding, code)
    assert "words" not in repr(trouble)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert dict(TABLE) == TROUBLE_OF_CODE


@pytest.mark.parametrize("body", [{"code": "59999"}, {"code": "1"}, {"code": 50119 * 10**6}])
def test_it_blames_nobody_for_an_error_it_does_not_know(body: Any) -> None:
    trouble = read_trouble(200, body)
    assert trouble is not None
    assert trouble.code == FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("status", [429, 451, 500, 503])
def test_it_blames_nobody_while_the_exchange_itself_is_broken(status: int) -> None:
    trouble = read_trouble(status, {"code": "50119"})
    assert trouble is not None
    assert trouble.code == FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("body", [reply(), None, {}, [], {"code": "0"}])
def test_it_finds_no_error_in_a_good_status(body: Any) -> None:
    assert read_trouble(200, body) is None


def test_it_finds_a_key_at_the_host_of_its_region(simulator: Simulator, client: AskOnce) -> None:
    european = SIMULATED.demo_keys["european"]
    simulator.know(european)
    report = client("okx", credentials(european))
    assert isinstance(report, KeyReport)
    assert report.region == "eea"
    simulator.reset()
    simulator.know(european)
    assert client("okx", credentials(european), "eea") == report
    assert [call["host"] for call in simulator.calls()["okx"]["calls"]] == ["eea.okx.com"]


def test_it_names_a_wrong_passphrase_and_a_demo_key(simulator: Simulator, client: AskOnce) -> None:
    good = SIMULATED.fresh(0)
    answer = client("okx", Credentials(good.api_key, good.secret, "other"))
    assert isinstance(answer, Trouble)
    assert answer.code is FindingCode.BAD_PASSPHRASE
    simulator.behave("okx", "refuse", code="50101")
    answer = client("okx")
    assert isinstance(answer, Trouble)
    assert answer.code is FindingCode.WRONG_ENVIRONMENT


def test_it_has_the_exchange_s_words_for_its_three_boxes() -> None:
    assert set(ADAPTER.labels.values()) == {"Read", "Trade", "Withdraw"}
