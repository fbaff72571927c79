from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges import binance
from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import (
    FORBIDDEN_RIGHTS,
    AllowList,
    KeyReport,
    Right,
    Trouble,
    UnreadableReplyError,
)
from apikeys.exchanges.binance import (
    ADAPTER,
    HARMLESS_FLAGS,
    RIGHT_OF_FLAG,
    TRANSFER_FLAGS,
    TROUBLE_OF_CODE,
)
from apikeys.findings import FindingCode
from tests.apikeys.conversing import OWN

REQUIRED = (*RIGHT_OF_FLAG, *TRANSFER_FLAGS)


def read_report(body: Any) -> KeyReport:
    return binance.read_report(body, OWN)


def read_trouble(status: int, body: Any) -> Trouble | None:
    return binance.read_trouble(Reply(status, body))


def reply(**flags: Any) -> dict[str, Any]:
    good: dict[str, Any] = dict.fromkeys((*REQUIRED, *HARMLESS_FLAGS), False)
    good |= {"ipRestrict": True, "createTime": 1698645219000}
    return good | {"enableReading": True, "enableSpotAndMarginTrading": True} | flags


def without(name: str) -> dict[str, Any]:
    return {flag: value for flag, value in reply().items() if flag != name}


def test_it_reads_a_good_spot_key() -> None:
    report = read_report(reply())
    on = {right for right, granted in report.rights.items() if granted}
    assert on == {Right.READ, Right.SPOT}
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert report.unknown == ()
    assert report.inherent_transfer is False
    assert report.allow_list == AllowList(bound=True, addresses=None)
    assert report.created_at == datetime(2023, 10, 30, 5, 53, 39, tzinfo=UTC)
    assert report.expires_at is None
    assert report.key_kind == "HMAC"
    assert report.third_party_app is None


@pytest.mark.parametrize(("name", "right"), RIGHT_OF_FLAG.items())
def test_it_reads_each_flag_as_its_right(name: str, right: Right) -> None:
    assert read_report(reply(**{name: True})).rights[right] is True
    assert read_report(reply(**{name: False})).rights[right] is False
    assert read_report(without(name)).rights[right] is None


@pytest.mark.parametrize("name", TRANSFER_FLAGS)
def test_it_reads_either_transfer_flag_as_transfer(name: str) -> None:
    assert read_report(reply(**{name: True})).rights[Right.TRANSFER] is True
    assert read_report(without(name)).rights[Right.TRANSFER] is None


@pytest.mark.parametrize(("on", "absent"), [TRANSFER_FLAGS, TRANSFER_FLAGS[::-1]])
def test_it_reads_transfer_as_on_though_the_other_flag_is_absent(on: str, absent: str) -> None:
    assert read_report(without(absent) | {on: True}).rights[Right.TRANSFER] is True


@pytest.mark.parametrize("name", [*REQUIRED, *HARMLESS_FLAGS, "ipRestrict"])
@pytest.mark.parametrize("value", ["true", "false", 0, 1, None, [], {}, "", 1.0])
def test_it_reads_no_flag_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(reply(**{name: value}))


@pytest.mark.parametrize("name", ["createTime", "tradingAuthorityExpirationTime"])
@pytest.mark.parametrize("value", ["1698645219000", True, 1.5, None, 10**30])
def test_it_reads_no_time_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(reply(**{name: value}))


@pytest.mark.parametrize("value", [None, [], [reply()], "ok", 1, True, {}, {"msg": "hello"}])
def test_it_reads_no_reply_of_another_shape(value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enablePrediction", True),
        ("permitsEverything", True),
        ("enableFoo", "false"),
        ("ipList", ["192.0.2.1"]),
    ],
)
def test_it_lists_what_it_does_not_know_and_is_granted(name: str, value: Any) -> None:
    assert read_report(reply(**{name: value})).unknown == (name,)


@pytest.mark.parametrize("value", [False, None, 0, "", []])
def test_it_lists_nothing_unknown_that_is_not_granted(value: Any) -> None:
    assert read_report(reply(enablePrediction=value)).unknown == ()


def test_it_stores_a_strange_name_in_plain_characters() -> None:
    (name,) = read_report(reply(**{"enable\x00\ud800" + "x" * 100: True})).unknown
    assert name == "enable??" + "x" * 52


@pytest.mark.parametrize("name", HARMLESS_FLAGS)
def test_it_takes_other_doors_to_trading_for_harmless(name: str) -> None:
    assert read_report(reply(**{name: True})) == read_report(reply())


@pytest.mark.parametrize("name", ["enableMargin", "enableFutures"])
def test_it_tells_that_margin_and_futures_move_funds_by_themselves(name: str) -> None:
    assert read_report(reply(**{name: True})).inherent_transfer is True


def test_it_reads_whether_the_key_is_bound() -> None:
    assert read_report(reply(ipRestrict=False)).allow_list.bound is False
    assert read_report(without("ipRestrict")).allow_list.bound is None


def test_it_reads_when_the_trading_right_ends() -> None:
    report = read_report(reply(tradingAuthorityExpirationTime=1790000000000))
    assert report.expires_at == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert read_report(reply(tradingAuthorityExpirationTime=0)).expires_at is None


VALUES: st.SearchStrategy[Any] = st.sampled_from([True, False, None, 0, 1, "", "true", "false", [], {}])


@settings(deadline=None)  # a busy machine is slow now and then
@given(st.dictionaries(st.sampled_from([*REQUIRED, *HARMLESS_FLAGS, "ipRestrict", "new"]), VALUES))
def test_it_never_calls_a_forbidden_right_off_unless_the_exchange_did(flags: dict[str, Any]) -> None:
    try:
        report = read_report(flags)
    except UnreadableReplyError:
        return
    assert isinstance(report, KeyReport)
    if report.rights[Right.WITHDRAW] is False:
        assert flags["enableWithdrawals"] is False
    if report.rights[Right.TRANSFER] is False:
        assert [flags[name] for name in TRANSFER_FLAGS] == [False, False]


TABLE = [
    ("-2015", FindingCode.INVALID_CREDENTIALS),
    ("-2014", FindingCode.NOT_FOUND),
    ("-2008", FindingCode.NOT_FOUND),
    ("-1022", FindingCode.BAD_SIGNATURE),
    ("-1021", FindingCode.CLOCK),
    ("-1002", FindingCode.INVALID_CREDENTIALS),
    ("-1003", FindingCode.EXCHANGE_UNAVAILABLE),
    ("-1008", FindingCode.EXCHANGE_UNAVAILABLE),
]


@pytest.mark.parametrize(("code", "finding"), TABLE)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_it_reads_each_error(code: str, finding: FindingCode, status: int) -> None:
    trouble = read_trouble(status, {"code": int(code), "msg": "words that may quote a key"})
    assert trouble is not None
    assert (trouble.code, trouble.exchange_code) == (finding, code)
    assert "words" not in repr(trouble)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert dict(TABLE) == TROUBLE_OF_CODE


@pytest.mark.parametrize("status", [418, 429, 451, 500, 502, 503])
@pytest.mark.parametrize("body", [None, {"code": -2015}, {"code": -1008}, [], "x"])
def test_it_blames_nobody_for_a_status_about_us_or_the_exchange(status: int, body: Any) -> None:
    trouble = read_trouble(status, body)
    assert trouble is not None
    assert trouble.code == FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("body", [{"code": -9999}, {"code": -(10**17)}])
def test_it_blames_nobody_for_an_error_it_does_not_know(body: Any) -> None:
    trouble = read_trouble(400, body)
    assert trouble is not None
    assert trouble.code == FindingCode.EXCHANGE_UNAVAILABLE
    assert len(trouble.exchange_code) <= 20


@pytest.mark.parametrize("body", [None, {}, {"code": "x" * 61}, {"code": True}, {"code": None}, []])
def test_it_blames_nobody_for_a_refusal_without_a_code(body: Any) -> None:
    trouble = read_trouble(400, body)
    assert trouble is not None
    assert (trouble.code, trouble.exchange_code) == (FindingCode.EXCHANGE_UNAVAILABLE, "HTTP 400")


@pytest.mark.parametrize("body", [reply(), None, {}, {"code": 0}, {"code": "ok"}, []])
def test_it_finds_no_error_in_a_good_status(body: Any) -> None:
    assert read_trouble(200, body) is None


def test_it_has_the_exchange_s_words_for_every_right_it_can_grant() -> None:
    grantable = {*RIGHT_OF_FLAG.values(), Right.TRANSFER}
    assert set(ADAPTER.labels) == grantable
    assert grantable >= {Right.WITHDRAW, Right.TRANSFER} <= set(FORBIDDEN_RIGHTS)
