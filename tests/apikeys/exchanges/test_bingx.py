from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges.adapter import Own, Reply
from apikeys.exchanges.base import AllowList, KeyReport, Right, Trouble
from apikeys.exchanges.bingx import ADAPTER, KEYS, PERMISSIONS, TROUBLE_OF_CODE, UID, read_trouble
from apikeys.findings import FindingCode
from apikeys.flows.decide import Outcome
from tests.apikeys.conversing import answer, converse
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import MARKETS, codes, judge
from tests.exchange_simulator.exchanges.bingx import fresh
from tests.exchange_simulator.simulator import Simulator

OUR_KEY = "zFabcdefghijklmnopqrstuvwxyz0123456789zQ"
OWN = Own(OUR_KEY)
# As the documentation numbers them.
DOCUMENTED = {
    1: Right.SPOT,
    2: Right.READ,
    3: Right.DERIVATIVES,
    4: Right.TRANSFER,
    5: Right.WITHDRAW,
    7: Right.TRANSFER,
}
NEEDED = {"spot": {1, 2}, "derivatives": {2, 3}}


def reply(*permissions: Any, **more: Any) -> dict[str, Any]:
    """None takes a field out."""
    told = {"permissions": list(permissions), "ipAddresses": ["203.0.113.10"], "note": "", **more}
    data = {name: value for name, value in told.items() if value is not None}
    return {"code": 0, "msg": "", "data": data}


def report(*told: Any) -> KeyReport:
    found = answer(ADAPTER, *told, own=OWN)
    assert isinstance(found, KeyReport), found
    return found


def test_it_reads_a_good_spot_key() -> None:
    found = report(reply(2, 1, apiKey=OUR_KEY), {"code": 0, "data": {"uid": 16789456}})
    assert {right for right, granted in found.rights.items() if granted} == {Right.READ, Right.SPOT}
    assert set(found.rights) == set(Right)
    assert None not in found.rights.values()
    assert found.unknown == ()
    assert found.account_id == "16789456"
    assert found.allow_list == AllowList(True, ("203.0.113.10",))
    assert (found.created_at, found.expires_at, found.permanent) == (None, None, False)
    assert (found.key_kind, found.inherent_transfer) == ("HMAC", False)


@pytest.mark.parametrize(("number", "right"), DOCUMENTED.items())
def test_it_reads_each_number_as_its_right(number: int, right: Right) -> None:
    assert report(reply(number)).rights[right] is True
    assert not any(report(reply()).rights.values())


@settings(deadline=None)  # a busy machine is slow now and then
@given(st.lists(st.integers(0, 9) | st.integers(-(10**30), 10**30)), st.sampled_from(MARKETS))
def test_it_accepts_what_trades_and_reads_and_does_nothing_else(numbers: list[int], market: str) -> None:
    decision = judge("bingx", market, reply(*numbers))
    may_pass = NEEDED[market] <= set(numbers) <= {1, 2, 3}
    assert (decision.outcome is Outcome.ACCEPTED) is may_pass


@pytest.mark.parametrize("moving", [4, 5, 7])
@pytest.mark.parametrize("market", MARKETS)
def test_it_refuses_each_right_that_moves_money(moving: int, market: str) -> None:
    assert codes(judge("bingx", market, reply(1, 2, 3, moving))) == {"forbidden_permission"}


@pytest.mark.parametrize("number", [0, 6, 8, 100, -5])
def test_it_lists_a_number_that_it_does_not_know(number: int) -> None:
    assert report(reply(1, 2, number)).unknown == (f"permission {number}",)


@pytest.mark.parametrize(
    "permissions",
    [None, "1,2", {"1": True}, True, ["1", "2"], [1, 2, True], [1.0, 2], [1, None], [[1, 2]], ["Read"]],
)
def test_it_reads_no_rights_of_another_type(permissions: Any) -> None:
    told = reply()
    told["data"]["permissions"] = permissions
    assert_unproven(told)


@pytest.mark.parametrize(
    "told",
    [
        *(None, [], "ok", 1, True, {}),
        {"code": 0},
        {"code": 0, "data": None},
        {"code": 0, "data": []},
        {"code": 0, "data": {}},
        {"code": False, "data": {"permissions": [1, 2]}},
        {"code": None, "data": {"permissions": [1, 2]}},
        {"code": "0", "data": {"permissions": [1, 2]}},
        reply(1, 2, apiKey="another"),
        reply(1, 2, apiKey="zF***zX"),
        reply(1, 2, apiKey=7),
        reply(1, 2, ipAddresses="203.0.113.10"),
        reply(1, 2, ipAddresses=[1]),
        # As the texts for AI agents have it.
        {"code": 0, "data": {"enableReading": True, "enableWithdrawals": False}},
    ],
)
def test_it_reads_no_reply_of_another_shape(told: Any) -> None:
    assert_unproven(told)


def assert_unproven(told: Any, *more: Any) -> None:
    found = answer(ADAPTER, told, *more, own=OWN)
    assert isinstance(found, Trouble), found
    assert found.code is FindingCode.UNPROVEN_PERMISSION


def test_it_reads_a_bare_reply() -> None:
    assert report(reply(1, 2)["data"]).rights == report(reply(1, 2)).rights


@pytest.mark.parametrize(
    ("told", "allow_list"),
    [
        ([""], AllowList(False, ())),
        ([], AllowList(False, ())),
        ([" 203.0.113.10 ", ""], AllowList(True, ("203.0.113.10",))),
    ],
)
def test_it_reads_the_addresses(told: list[str], allow_list: AllowList) -> None:
    assert report(reply(1, 2, ipAddresses=told)).allow_list == allow_list


LISTED = {"apiKey": "zF***zQ", "ipAddresses": ["203.0.113.10"], "createTime": 1_763_800_000_000}
OTHER = {"apiKey": "aa***bb", "ipAddresses": ["192.0.2.1"], "createTime": 1}
UID_REPLY = {"code": 0, "data": {"uid": "16789456"}}


@pytest.mark.parametrize("wrap", [lambda keys: keys, lambda keys: {"apiKeyList": keys}])
def test_it_finds_the_addresses_in_the_list_of_keys_where_the_first_reply_has_none(wrap: Any) -> None:
    listed = {"code": 0, "data": wrap([OTHER, LISTED])}
    found, calls = converse(ADAPTER, reply(1, 2, ipAddresses=None), UID_REPLY, listed, own=OWN)
    assert isinstance(found, KeyReport)
    assert found.allow_list == AllowList(True, ("203.0.113.10",))
    assert found.created_at == datetime(2025, 11, 22, 8, 26, 40, tzinfo=UTC)
    assert calls == [PERMISSIONS, UID, KEYS]
    assert calls[2].params == {"uid": "16789456"}


@pytest.mark.parametrize(
    "keys", [[], [OTHER], [LISTED, LISTED], [{**LISTED, "apiKey": "***"}], [{**LISTED, "apiKey": "zF***"}]]
)
def test_it_does_not_guess_which_of_the_listed_keys_is_meant(keys: list[Any]) -> None:
    found = report(reply(1, 2, ipAddresses=None), UID_REPLY, {"code": 0, "data": keys})
    assert found.allow_list == AllowList(None, None)


@pytest.mark.parametrize("data", [None, {}, {"apiKeyList": None}, "x", [7], [{"apiKey": 7}], [{}]])
def test_it_reads_no_list_of_another_shape(data: Any) -> None:
    assert_unproven(reply(1, 2, ipAddresses=None), UID_REPLY, {"code": 0, "data": data})


REFUSED = {"code": 100400, "msg": "signer must be main account"}


@pytest.mark.parametrize("more", [[REFUSED], [UID_REPLY, REFUSED], [Reply(403, None)]])
def test_it_goes_without_what_it_is_refused(more: list[Any]) -> None:
    found = report(reply(1, 2, ipAddresses=None), *more)
    assert found.rights[Right.SPOT] is True
    assert found.allow_list == AllowList(None, None)


@pytest.mark.parametrize("now", [{"code": 100410}, {"code": 100421}, Reply(503, None), Reply(429, None)])
@pytest.mark.parametrize("before", [[], [UID_REPLY]])
def test_it_asks_again_later_where_it_was_not_told_for_now(now: Any, before: list[Any]) -> None:
    found = answer(ADAPTER, reply(1, 2, ipAddresses=None), *before, now, own=OWN)
    assert isinstance(found, Trouble)
    assert found.code in (FindingCode.EXCHANGE_UNAVAILABLE, FindingCode.CLOCK)


def test_it_asks_nothing_more_about_a_key_that_may_not_read() -> None:
    assert converse(ADAPTER, reply(1), own=OWN)[1] == [PERMISSIONS]


TABLE = [
    ("100001", FindingCode.BAD_SIGNATURE),
    ("100004", FindingCode.MISSING_PERMISSION),
    ("100410", FindingCode.EXCHANGE_UNAVAILABLE),
    ("100412", FindingCode.EXCHANGE_UNAVAILABLE),
    ("100413", FindingCode.NOT_FOUND),
    ("100414", FindingCode.ACCOUNT_RESTRICTED),
    ("100419", FindingCode.IP_BLOCKED),
    ("100421", FindingCode.CLOCK),
    ("100500", FindingCode.EXCHANGE_UNAVAILABLE),
    ("100503", FindingCode.EXCHANGE_UNAVAILABLE),
    ("109429", FindingCode.EXCHANGE_UNAVAILABLE),
    ("80014", FindingCode.CLOCK),
]


@pytest.mark.parametrize(("code", "finding"), TABLE)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_it_reads_each_error(code: str, finding: FindingCode, status: int) -> None:
    for told in (code, int(code)):
        trouble = read_trouble(Reply(status, {"code": told, "msg": "words that may quote a key"}))
        assert trouble is not None
        assert (trouble.code, trouble.exchange_code) == (finding, code)
        assert "words" not in repr(trouble)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert dict(TABLE) == TROUBLE_OF_CODE


@pytest.mark.parametrize("status", [418, 429, 451, 500, 503, 504])
@pytest.mark.parametrize("body", [None, {"code": 100413}, {"code": 0}, [], "x"])
def test_it_blames_nobody_for_a_status_about_us_or_the_exchange(status: int, body: Any) -> None:
    trouble = read_trouble(Reply(status, body))
    assert trouble is not None
    assert trouble.code is FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("body", [{"code": 99999}, {"code": -1}, {"code": 401}])
def test_it_blames_nobody_for_an_error_it_does_not_know(body: Any) -> None:
    trouble = read_trouble(Reply(200, body))
    assert trouble is not None
    assert trouble.code is FindingCode.EXCHANGE_UNAVAILABLE


def test_it_is_told_of_a_demo_key(simulator: Simulator, client: AskOnce) -> None:
    demo = replace(fresh(0), api_key="d" * 64, host="open-api-vst.bingx.com")
    simulator.know(demo)
    found = client("bingx", credentials(demo))
    assert isinstance(found, Trouble)
    assert (found.code, found.belongs_to) == (FindingCode.WRONG_ENVIRONMENT, "BingX's demo trading")


def test_it_is_told_the_addresses_by_the_list_of_keys(simulator: Simulator, client: AskOnce) -> None:
    key = replace(fresh(0), api_key="e" * 64, reply={"ipAddresses": None})
    simulator.know(key)
    found = client("bingx", credentials(key))
    assert isinstance(found, KeyReport)
    assert found.allow_list == AllowList(True, ("203.0.113.10",))
