from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges import kucoin
from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import (
    AllowList,
    KeyReport,
    Right,
    Trouble,
    UnreadableReplyError,
)
from apikeys.exchanges.client.signing import Signer
from apikeys.exchanges.kucoin import ADAPTER, QUESTION, RIGHTS_OF_NAME, TROUBLE_OF_CODE
from apikeys.findings import FindingCode
from apikeys.flows.decide import Outcome
from tests.apikeys.conversing import OWN
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import MARKETS, codes, judge
from tests.exchange_simulator.exchanges.kucoin import SIMULATED

OURS = "203.0.113.10"


def read_report(body: Any) -> KeyReport:
    return kucoin.read_report(body, OWN)


def read_trouble(status: int, body: Any) -> Trouble | None:
    return kucoin.read_trouble(Reply(status, body))


def reply(**key: Any) -> dict[str, Any]:
    """The documented example, of a bound spot key."""
    data: dict[str, Any] = {
        "remark": "account1",
        "apiKey": "6705f5c311545b000157d3eb",
        "apiVersion": 3,
        "permission": "General,Spot",
        "ipWhitelist": OURS,
        "createdAt": 1728443843000,
        "uid": 165111215,
        "isMaster": True,
    }
    return {"code": "200000", "data": data | key}


def without(name: str) -> dict[str, Any]:
    whole = reply()
    del whole["data"][name]
    return whole


def on(permission: str) -> set[Right]:
    return {right for right, yes in read_report(reply(permission=permission)).rights.items() if yes}


def test_it_reads_a_good_spot_key() -> None:
    report = read_report(reply())
    assert on("General,Spot") == {Right.READ, Right.SPOT}
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert report.unknown == ()
    assert report.inherent_transfer is True
    assert report.allow_list == AllowList(True, (OURS,))
    assert report.created_at == datetime(2024, 10, 9, 3, 17, 23, tzinfo=UTC)
    assert (report.account_id, report.account_kind) == ("165111215", "main account")
    assert (report.expires_at, report.permanent, report.key_kind) == (None, False, "HMAC")


@pytest.mark.parametrize(
    ("name", "rights"),
    [
        ("General", {Right.READ}),
        ("Spot", {Right.SPOT}),
        ("Trade", {Right.SPOT, Right.MARGIN}),
        ("Margin", {Right.MARGIN}),
        ("Futures", {Right.DERIVATIVES}),
        ("Transfer", {Right.WITHDRAW}),
        ("Withdrawal", {Right.WITHDRAW}),
        ("InnerTransfer", {Right.TRANSFER}),
        ("FlexTransfers", {Right.TRANSFER}),
        ("Earn", {Right.EARN}),
        ("LeadtradeFutures", {Right.COPY}),
    ],
)
def test_it_reads_each_name_of_both_editions(name: str, rights: set[Right]) -> None:
    assert on(name) == rights
    assert read_report(reply(permission=name)).unknown == ()


def test_it_reads_the_older_edition_s_spaces() -> None:
    assert on("General, Trade") == {Right.READ, Right.SPOT, Right.MARGIN}
    assert judge("kucoin", "spot", reply(permission="General, Trade")).outcome is Outcome.ACCEPTED


def test_it_does_not_take_a_unified_right_for_proved() -> None:
    decision = judge("kucoin", "derivatives", reply(permission="General,Futures,Unified"))
    assert decision.outcome is Outcome.REFUSED
    assert codes(decision) == {"unproven_permission", "inherent_transfer"}


FORBIDDEN = {"Transfer", "Withdrawal", "InnerTransfer", "FlexTransfers", "Earn", "LeadtradeFutures"}
UNPROVED = {"Unified", "spot", "Options", "Everything"}
NAMES = sorted({"General", "Spot", "Trade", "Margin", "Futures", ""} | FORBIDDEN | UNPROVED)


@settings(deadline=None)
@given(st.lists(st.sampled_from(NAMES), max_size=6), st.sampled_from(MARKETS), st.sampled_from([",", ", "]))
def test_it_accepts_reading_and_trading_and_nothing_else(names: list[str], market: str, comma: str) -> None:
    decision = judge("kucoin", market, reply(permission=comma.join(names)))
    said = set(names) - {""}
    trades = {"Spot", "Trade"} if market == "spot" else {"Futures"}
    good = "General" in said and bool(said & trades) and not said & (FORBIDDEN | UNPROVED)
    assert (decision.outcome is Outcome.ACCEPTED) == good
    assert ("forbidden_permission" in codes(decision)) == bool(said & FORBIDDEN)
    assert ("unproven_permission" in codes(decision)) == bool(said & UNPROVED)


@pytest.mark.parametrize(
    ("whole", "allow_list"),
    [
        (without("ipWhitelist"), AllowList()),
        (reply(ipWhitelist=""), AllowList(False, ())),
        (reply(ipWhitelist="203.0.113.10,203.0.113.11"), AllowList(True, (OURS, "203.0.113.11"))),
        (reply(ipWhitelist="203.**.113.10"), AllowList(True, None)),
        (reply(ipWhitelist="*"), AllowList(False, ())),
    ],
)
def test_it_reads_where_a_key_works_from(whole: dict[str, Any], allow_list: AllowList) -> None:
    assert read_report(whole).allow_list == allow_list
    assert judge("kucoin", "spot", whole).outcome is Outcome.ACCEPTED


def test_it_warns_of_a_key_whose_addresses_are_not_said() -> None:
    assert codes(judge("kucoin", "spot", without("ipWhitelist"))) == {"ip_open", "inherent_transfer"}
    assert "ip_not_ours" in codes(judge("kucoin", "spot", reply(ipWhitelist="192.0.2.1")))


def test_it_reads_the_kind_of_account() -> None:
    assert read_report(reply(isMaster=False, subName="bot")).account_kind == "sub-account"
    assert read_report(without("isMaster")).account_kind == ""


WRONG_TYPES: dict[str, list[Any]] = {
    "permission": [None, ["General"], 1, True, {}, "General," * 1000],
    "ipWhitelist": [None, [OURS], 1, True],
    "createdAt": ["1728443843000", True, None, 1.5, 10**30],
    "uid": [None, [], True, 1.5],
    "isMaster": [None, "true", 1],
}


@pytest.mark.parametrize(("name", "value"), [(name, v) for name, vs in WRONG_TYPES.items() for v in vs])
def test_it_reads_no_field_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(reply(**{name: value}))


@pytest.mark.parametrize(
    "body",
    [
        *(None, [], "ok", {}, {"code": "200000"}, {"code": "200000", "data": None}),
        *({"code": "200000", "data": []}, {"code": 200000, "data": reply()["data"]}, without("permission")),
        {"data": reply()["data"]},
    ],
)
def test_it_reads_no_reply_of_another_shape(body: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(body)


TABLE = [
    ("400001", FindingCode.INVALID_CREDENTIALS),
    ("400002", FindingCode.CLOCK),
    ("400003", FindingCode.NOT_FOUND),
    ("400004", FindingCode.BAD_PASSPHRASE),
    ("400005", FindingCode.BAD_SIGNATURE),
    ("400006", FindingCode.IP_BLOCKED),
    ("400007", FindingCode.MISSING_PERMISSION),
    ("411100", FindingCode.ACCOUNT_RESTRICTED),
    ("429000", FindingCode.EXCHANGE_UNAVAILABLE),
    ("500000", FindingCode.EXCHANGE_UNAVAILABLE),
]


@pytest.mark.parametrize(("code", "finding"), TABLE)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_it_reads_each_error(code: str, finding: FindingCode, status: int) -> None:
    trouble = read_trouble(status, {"code": code, "msg": "words that may quote a key"})
    assert trouble is not None
    assert (trouble.code, trouble.exchange_code) == (finding, code)
    assert "words" not in repr(trouble)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert dict(TABLE) == TROUBLE_OF_CODE


@pytest.mark.parametrize(
    ("status", "code"), [(200, "999999"), (429, "400003"), (503, "400003"), (451, "400006")]
)
def test_it_blames_nobody_for_what_it_does_not_know_or_is_not_about_the_key(status: int, code: str) -> None:
    trouble = read_trouble(status, {"code": code})
    assert trouble is not None
    assert trouble.code == FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("body", [reply(), None, {}, [], {"code": 0}, {"code": "200000"}])
def test_it_finds_no_error_in_a_good_status(body: Any) -> None:
    assert read_trouble(200, body) is None


def test_it_names_a_wrong_passphrase(client: AskOnce) -> None:
    answer = client("kucoin", replace(credentials(SIMULATED.fresh(0)), passphrase="another-one"))
    assert isinstance(answer, Trouble)
    assert answer.code is FindingCode.BAD_PASSPHRASE


def test_it_sends_no_mark_of_a_broker() -> None:
    signed = Signer("kucoin").sign(QUESTION, credentials(SIMULATED.fresh(0)))
    assert signed is not None
    assert not [name for name in signed.headers if "PARTNER" in name.upper()]


def test_it_has_the_exchange_s_words_for_every_right_it_can_grant() -> None:
    assert set(ADAPTER.labels) == {right for rights in RIGHTS_OF_NAME.values() for right in rights}
