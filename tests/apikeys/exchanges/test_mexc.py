"""What is MEXC's own. The rule is written out from its list of permissions, not taken from the adapter."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges.adapter import Own, Reply
from apikeys.exchanges.base import AllowList, KeyReport, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.mexc import ADAPTER, TROUBLE_OF_CODE, read_report, read_trouble
from apikeys.exchanges.reading import end_after
from apikeys.findings import FindingCode
from apikeys.flows.decide import Outcome
from tests.apikeys.conversing import OWN, converse
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import MARKETS, judge
from tests.exchange_simulator.exchanges.mexc import SIMULATED
from tests.exchange_simulator.simulator import Simulator

# "Permission", the whole list, by what the rule asks of each.
NEEDED = {
    "spot": {"SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"},
    "derivatives": {
        *("SPOT_ACCOUNT_READ", "CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ", "CONTRACT_DEAL_WRITE"),
    },
}
MOVES = {
    *("SPOT_WITHDRAW_WRITE", "SPOT_TRANSFER_WRITE", "SPOT_ACCOUNT_WRITE", "CONTRACT_ACCOUNT_WRITE"),
}
HARMLESS = {
    *("SPOT_WITHDRAW_READ", "SPOT_TRANSFER_READ", "SPOT_DEPOSIT_READ", "SPOT_DEPOSIT_WRITE"),
}
DOCUMENTED = sorted(NEEDED["spot"] | NEEDED["derivatives"] | MOVES | HARMLESS)
UNKNOWN = ["P2P_WRITE", "ISOLATED_MARGIN_DEAL_WRITE", "spot_deal_write", "SPOT_WITHDRAW"]
GOOD = ",".join(sorted(NEEDED["spot"]))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def reply(permissions: Any = GOOD, **key: Any) -> dict[str, Any]:
    usual = {
        "note": "note2",
        "accessKey": OWN.api_key,
        "createTime": "2026-09-14T18:53:36.000+00:00",
        "permissions": permissions,
        "remainingValidity": 0,
        "ipWhiteList": "203.0.113.10",
        "status": "VALID",
    }
    return usual | key


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in reply().items() if key != name}


def read(body: Any) -> KeyReport:
    return read_report(body, OWN)


def trouble(status: int, body: Any) -> Trouble | None:
    return read_trouble(Reply(status, body))


def rights_on(report: KeyReport) -> set[Right]:
    return {right for right, granted in report.rights.items() if granted}


def test_it_reads_the_documented_example() -> None:
    names = "CONTRACT_ACCOUNT_READ,CONTRACT_DEAL_READ,SPOT_ACCOUNT_READ,SPOT_DEAL_WRITE,SPOT_DEAL_READ"
    report = read(reply(names, ipWhiteList="", remainingValidity=82))
    assert rights_on(report) == {Right.READ, Right.SPOT}
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert report.unknown == ()
    assert report.allow_list == AllowList(False, ())
    assert report.created_at == datetime(2026, 9, 14, 18, 53, 36, tzinfo=UTC)
    assert report.inherent_transfer is False


def follows_the_rule(market: str, granted: set[str]) -> bool:
    return granted >= NEEDED[market] and not granted & MOVES and granted <= set(DOCUMENTED)


def check(granted: list[str]) -> None:
    for market in MARKETS:
        for told in (granted, [name.replace("_READ", "_R").replace("_WRITE", "_W") for name in granted]):
            decision = judge("mexc", market, reply(",".join(told)))
            accepted = decision.outcome is Outcome.ACCEPTED
            assert accepted is follows_the_rule(market, set(granted)), (market, told)


@pytest.mark.parametrize("market", MARKETS)
def test_it_judges_every_pair_of_permissions_beside_trading(market: str) -> None:
    for one, other in combinations([*DOCUMENTED, "P2P_WRITE"], 2):
        check([*sorted(NEEDED[market]), one, other])


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from([*DOCUMENTED, *UNKNOWN]), max_size=16))
def test_it_judges_any_list_of_permissions(granted: list[str]) -> None:
    check(granted)


@pytest.mark.parametrize(
    ("name", "rights"),
    [
        ("SPOT_WITHDRAW_WRITE", {Right.WITHDRAW}),
        ("SPOT_TRANSFER_WRITE", {Right.TRANSFER}),
        ("SPOT_ACCOUNT_WRITE", {Right.KEY_EDIT, Right.CONVERT}),
        ("CONTRACT_ACCOUNT_WRITE", {Right.KEY_EDIT}),
        *((name, set()) for name in sorted(HARMLESS)),
    ],
)
def test_it_reads_each_further_permission(name: str, rights: set[Right]) -> None:
    report = read(reply(f"{reply()['permissions']},{name}"))
    assert rights_on(report) - {Right.READ, Right.SPOT} == rights
    assert report.unknown == ()


@pytest.mark.parametrize("name", UNKNOWN)
def test_it_lists_what_it_does_not_know(name: str) -> None:
    assert read(reply(f"{name}, ,")).unknown == (name,)


WRONG_TYPES: dict[str, list[Any]] = {
    "permissions": [None, ["SPOT_DEAL_WRITE"], True, 7, {}, "A" * 5000],
    "accessKey": [None, "", "another key", 7],
    "status": [None, "INVALID", "valid", "", True],
    "createTime": [None, "soon", 7],
    "ipWhiteList": [None, ["203.0.113.10"], True],
    "remainingValidity": ["82", 1.5, True, 10**12],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG_TYPES.items() for value in values]
)
def test_it_reads_no_field_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read(reply(**{name: value}))


@pytest.mark.parametrize("name", ["permissions", "accessKey", "status"])
def test_it_reads_no_reply_without_what_proves_something(name: str) -> None:
    with pytest.raises(UnreadableReplyError):
        read(without(name))


@pytest.mark.parametrize("whole", [None, [], "ok", 1, True, {}, [reply()]])
def test_it_reads_no_reply_of_another_shape(whole: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read(whole)


def test_it_reads_the_reply_of_the_key_it_asked_about_only() -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(reply(), Own("some other key"))


def test_it_reads_addresses() -> None:
    listed = AllowList(True, ("203.0.113.10", "203.0.113.11"))
    assert read(reply(ipWhiteList="203.0.113.10, 203.0.113.11,")).allow_list == listed
    assert read(without("ipWhiteList")).allow_list == AllowList(None, None)


def test_it_reads_no_end_where_none_is_told() -> None:
    for told in (reply(), reply(remainingValidity=-1), reply(remainingValidity=None)):
        assert (read(told).expires_at, read(told).permanent) == (None, False)
    assert read(without("remainingValidity")).expires_at is None


def test_it_refuses_an_unbound_key_without_a_day_left() -> None:
    report = read(reply(ipWhiteList="", remainingValidity=-1))
    assert report.expires_at is not None
    assert report.expires_at < datetime.now(UTC)


@pytest.mark.parametrize(
    "rounded", [lambda left: left // timedelta(1), lambda left: -(-left // timedelta(1))]
)
def test_it_finds_the_same_end_whenever_it_asks(rounded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the exchange rounds the days that are left: never late, and at most a day early."""
    created = datetime(2026, 9, 14, 18, 53, 36, tzinfo=UTC)
    end = created + timedelta(days=90)
    found = set()
    for hour in range(1, 90 * 24, 7):
        now = created + timedelta(hours=hour, minutes=11)
        monkeypatch.setattr("apikeys.exchanges.reading.timezone.now", lambda now=now: now)
        found.add(end_after(rounded(end - now), created))
    assert len(found) == 1
    assert timedelta() <= end - found.pop() <= timedelta(days=1)


def test_it_counts_from_today_where_no_creation_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apikeys.exchanges.reading.timezone.now", lambda: NOW)
    assert end_after(3, None) == datetime(2026, 11, 26, tzinfo=UTC)


TABLE = {
    "400": FindingCode.INVALID_CREDENTIALS,
    "401": FindingCode.INVALID_CREDENTIALS,
    "402": FindingCode.EXPIRED,
    "403": FindingCode.EXCHANGE_UNAVAILABLE,
    "406": FindingCode.IP_BLOCKED,
    "429": FindingCode.EXCHANGE_UNAVAILABLE,
    "500": FindingCode.EXCHANGE_UNAVAILABLE,
    "503": FindingCode.EXCHANGE_UNAVAILABLE,
    "504": FindingCode.EXCHANGE_UNAVAILABLE,
    "602": FindingCode.BAD_SIGNATURE,
    "10001": FindingCode.ACCOUNT_RESTRICTED,
    "10072": FindingCode.INVALID_CREDENTIALS,
    "10073": FindingCode.INVALID_CREDENTIALS,
    "60005": FindingCode.ACCOUNT_RESTRICTED,
    "700001": FindingCode.NOT_FOUND,
    "700002": FindingCode.BAD_SIGNATURE,
    "700003": FindingCode.CLOCK,
    "700006": FindingCode.IP_BLOCKED,
    "700007": FindingCode.MISSING_PERMISSION,
}


@pytest.mark.parametrize(("code", "finding"), TABLE.items())
@pytest.mark.parametrize("status", [200, 400, 403])
def test_it_reads_each_error(code: str, finding: FindingCode, status: int) -> None:
    for written in (int(code), code):
        found = trouble(status, {"code": written, "msg": "IP [SECRET] not in the ip white list"})
        assert found is not None
        assert (found.code, found.exchange_code) == (finding, code)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert TABLE == TROUBLE_OF_CODE


@pytest.mark.parametrize("code", [-1, 0, 33333, 999999])
def test_it_blames_nobody_for_an_error_it_does_not_know(code: int) -> None:
    found = trouble(400, {"code": code})
    assert found is not None
    assert found.code == FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("status", [302, 404, 418, 429, 500, 503])
def test_it_blames_nobody_while_the_exchange_itself_is_broken(status: int) -> None:
    for body in (None, {"code": 10072}):
        found = trouble(status, body)
        assert found is not None
        assert found.code == FindingCode.EXCHANGE_UNAVAILABLE or status in (302, 404)


@pytest.mark.parametrize("body", [reply(), None, {}, []])
def test_it_finds_no_error_in_a_good_status(body: Any) -> None:
    assert trouble(200, body) is None


def test_it_names_the_key_in_its_question_and_nowhere_else() -> None:
    _, (first, second) = converse(ADAPTER, reply(), {"uid": "209302839"})
    assert first.params == {"accessKey": OWN.api_key}
    assert second.params == {}
    assert OWN.api_key not in repr(first)


@pytest.mark.parametrize(
    ("answer", "account"),
    [({"uid": "209302839"}, "209302839"), ({"uid": 7}, "7"), ({}, ""), (Reply(400, {"code": 700007}), "")],
)
def test_it_asks_for_the_account_and_refuses_no_key_for_want_of_it(answer: Any, account: str) -> None:
    found, _ = converse(ADAPTER, reply(), answer)
    assert isinstance(found, KeyReport)
    assert found.account_id == account


def test_it_asks_again_later_where_the_account_could_not_be_told_now() -> None:
    for answer in (Reply(503, None), Reply(429, {"code": 429}), Reply(400, {"code": 700003})):
        found, _ = converse(ADAPTER, reply(), answer)
        assert isinstance(found, Trouble)


def test_it_asks_no_account_of_a_key_that_may_not_read() -> None:
    assert len(converse(ADAPTER, reply("SPOT_DEAL_WRITE"))[1]) == 1


def test_it_looks_at_the_clock_behind_an_unclear_error(client: AskOnce, simulator: Simulator) -> None:
    simulator.behave("mexc", "refuse", code="10073")
    found = client("mexc", credentials(SIMULATED.fresh(0)))
    assert isinstance(found, Trouble)
    assert found.code is FindingCode.INVALID_CREDENTIALS
    paths = [call["path"] for call in simulator.calls()["mexc"]["calls"]]
    assert paths == ["/api/v3/apiKeyInfo", "/api/v3/time"]
