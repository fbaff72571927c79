import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys import reports
from apikeys.exchanges import gate
from apikeys.exchanges.adapter import Own, Reply
from apikeys.exchanges.base import (
    AllowList,
    KeyReport,
    Right,
    Trouble,
    UnreadableReplyError,
)
from apikeys.exchanges.gate import ACCOUNT, ADAPTER, KEYS, TROUBLE_OF_CODE
from apikeys.findings import FindingCode
from apikeys.flows.decide import Decision, Outcome, decide
from tests.apikeys.conversing import converse
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import BOTS, MARKETS, POLICY, codes
from tests.exchange_simulator.exchanges.gate import KEYS as KEYS_PATH
from tests.exchange_simulator.exchanges.gate import SIMULATED
from tests.exchange_simulator.simulator import Simulator

OURS = "203.0.113.10"
OWN = Own("c5dcfbf1f3a7d9e8b6c4a2f0e1d3c5b7")


def read_trouble(status: int, body: Any) -> Trouble | None:
    return gate.read_trouble(Reply(status, body))


def error(label: str, status: int = 403) -> Reply:
    return Reply(status, {"label": label, "message": "words that may quote a key"})


def may(*names: str, read_only: bool = False) -> list[dict[str, Any]]:
    return [{"name": name, "read_only": read_only} for name in names]


def own(**key: Any) -> dict[str, Any]:
    """The documented example, of a bound key that trades."""
    entry: dict[str, Any] = {
        "state": 1,
        "mode": 1,
        "name": "test1",
        "user_id": 12345,
        "perms": may("spot", "futures"),
        "ip_whitelist": [OURS],
        "currency_pairs": [],
        "key": "c5dcfbf1f3a7*****",
        "created_at": 1753030929,
        "update_at": 1756300567,
        "last_access": 1753030929,
    }
    return entry | key


OTHER = own(name="test2", key="52fd0035f665*****", perms=may("wallet", "withdraw"), ip_whitelist=[])


def read_report(body: Any) -> KeyReport:
    report = gate.read_report(body, OWN)
    assert isinstance(report, KeyReport)
    return report


def judge(market: str, body: Any) -> Decision:
    return decide(read_report(body), BOTS["gate", market], POLICY)


def on(*perms: dict[str, Any]) -> set[Right]:
    return {right for right, granted in read_report([own(perms=list(perms))]).rights.items() if granted}


def test_it_reads_a_good_key_and_leaves_the_others_alone() -> None:
    report = read_report([OTHER, own(), OTHER])
    on = {right for right, granted in report.rights.items() if granted}
    assert on == {Right.READ, Right.SPOT, Right.MARGIN, Right.DERIVATIVES}
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert (report.unknown, report.inherent_transfer) == ((), False)
    assert report.allow_list == AllowList(True, (OURS,))
    assert report.created_at == datetime(2025, 7, 20, 17, 2, 9, tzinfo=UTC)
    assert (report.account_id, report.account_kind) == ("12345", "classic account")
    kept = json.dumps(reports.as_json(report))
    assert not any(part in kept for part in ("test2", "52fd", "c5dc", "wallet"))


@pytest.mark.parametrize(
    "body",
    [
        own(),  # the SDKs' model
        own(key=OWN.api_key),
        [own(key="c5dcfbf1*")],
        [own(key="c5dcfbf1f3a7***c5b7")],
        [own(key={"mode": 1}), own()],
        [{"key": "52fd0035f665*****"}, own()],  # what else the others hold is not looked at
    ],
)
def test_it_knows_its_own_key(body: Any) -> None:
    assert read_report(body).account_id == "12345"


@pytest.mark.parametrize(
    "body",
    [
        *(None, [], {}, "ok", [[]], [None], {"label": 1}),
        [OTHER],
        OTHER,
        own(key={"mode": 1}),
        own(key=None),
        [own(), own()],
        [own(), own(key="c5dcfbf1f3a7d9e8*****")],
        [own(key="c5dcfbf*")],  # too little of it
        [own(key="*****")],
        [own(key="")],
        [own(key="c5dcfbf1f3a7***0000")],
        [own(key="c5dcfbf1f3a7d9e8b6c4a2f0e1d3c5b7c5dc***")],
        [own(key="C5DCFBF1F3A7*****")],
        [own(), "c5dcfbf1f3a7*****"],
    ],
)
def test_it_proves_nothing_unless_exactly_one_key_is_its_own(body: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        gate.read_report(body, OWN)


@pytest.mark.parametrize(
    ("name", "rights"),
    [
        ("spot", {Right.SPOT, Right.MARGIN}),
        ("margin", {Right.MARGIN}),
        ("futures", {Right.DERIVATIVES}),
        ("options", {Right.OPTIONS}),
        ("delivery", set()),
        ("account", set()),
        ("wallet", {Right.TRANSFER}),
        ("earn", {Right.EARN}),
        ("loan", {Right.LOAN}),
        ("unified", {Right.LOAN}),
        ("otc", {Right.FIAT}),
        ("copy", {Right.COPY}),
        ("withdraw", {Right.WITHDRAW}),
    ],
)
def test_it_reads_each_name(name: str, rights: set[Right]) -> None:
    assert on(*may(name)) == {Right.READ} | rights
    only_reading = {Right.WITHDRAW} & rights
    assert on(*may(name, read_only=True)) == {Right.READ} | only_reading
    assert read_report([own(perms=may(name))]).unknown == ()


MOVES = {"wallet", "earn", "loan", "unified", "otc", "copy"}
OBSCURE = {"custody", "pilot", "alpha", "crossx"}
STRANGE = {"teleport", "Spot", ""}
WITHDRAWS = {"withdraw", "withdrawal", "Withdrawals"}
NAMES = sorted(
    {"spot", "margin", "futures", "options", "delivery", "account"} | MOVES | OBSCURE | STRANGE | WITHDRAWS
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.booleans(), max_size=7), st.sampled_from(MARKETS))
def test_it_accepts_trading_and_nothing_else(read_only: dict[str, bool], market: str) -> None:
    perms = [{"name": name, "read_only": only} for name, only in read_only.items()]
    decision = judge(market, [OTHER, own(perms=perms)])
    writes = {name for name, only in read_only.items() if not only}
    forbidden = bool(writes & MOVES or read_only.keys() & WITHDRAWS)
    unproved = bool(writes & OBSCURE or read_only.keys() & STRANGE)
    needed = "spot" if market == "spot" else "futures"
    assert (decision.outcome is Outcome.ACCEPTED) == (needed in writes and not forbidden and not unproved)
    assert ("forbidden_permission" in codes(decision)) == forbidden
    assert ("unproven_permission" in codes(decision)) == unproved


@pytest.mark.parametrize("state", [0, 2, 3, 99])
def test_it_takes_no_key_that_is_not_in_its_normal_state(state: int) -> None:
    found = gate.read_report([own(state=state)], OWN)
    assert found == Trouble(FindingCode.EXPIRED, "state")


def test_it_reads_where_a_key_works_from() -> None:
    entry = own()
    del entry["ip_whitelist"]
    assert read_report([entry]).allow_list == AllowList()
    assert codes(judge("spot", [own(ip_whitelist=[])])) == {"ip_open"}
    assert codes(judge("spot", [own(ip_whitelist=["192.0.2.1"])])) == {"ip_not_ours"}


WRONG_TYPES: dict[str, list[Any]] = {
    "state": [None, "1", True, 1.0],
    "mode": [None, "1", True],
    "user_id": [None, [], True, 1.5],
    "perms": [
        *(None, "spot", {}, ["spot"], [None], [{}], [{"name": "spot"}], [{"read_only": False}]),
        *([{"name": "spot", "read_only": value}] for value in ("false", 0, None, "")),
        *([{"name": value, "read_only": False}] for value in (None, 1, ["spot"])),
    ],
    "ip_whitelist": [None, OURS, [1], {}],
    "created_at": [True, 1.5, [], "soon"],
}


@pytest.mark.parametrize(("name", "value"), [(name, v) for name, vs in WRONG_TYPES.items() for v in vs])
def test_it_reads_no_field_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        gate.read_report([own(**{name: value})], OWN)


@pytest.mark.parametrize("name", ["state", "perms"])
def test_it_proves_nothing_without_a_field(name: str) -> None:
    entry = own()
    del entry[name]
    with pytest.raises(UnreadableReplyError):
        gate.read_report([entry], OWN)


def test_it_asks_for_the_account_where_the_key_does_not_tell_it() -> None:
    entry = own()
    del entry["user_id"]
    report, calls = converse(ADAPTER, [entry], {"user_id": 777, "key": {"mode": 1}}, own=OWN)
    assert isinstance(report, KeyReport)
    assert (report.account_id, calls) == ("777", [KEYS, ACCOUNT])
    report, _ = converse(ADAPTER, [entry], error("FORBIDDEN"), own=OWN)
    assert isinstance(report, KeyReport)
    assert report.account_id == ""
    later, _ = converse(ADAPTER, [entry], Reply(503, None), own=OWN)
    assert isinstance(later, Trouble)


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (Reply(200, {"user_id": 777}), FindingCode.UNPROVEN_PERMISSION),
        (error("FORBIDDEN"), FindingCode.MISSING_PERMISSION),
        (Reply(429, None), FindingCode.EXCHANGE_UNAVAILABLE),
    ],
)
def test_it_tells_a_sub_account_s_key_from_one_that_may_not_read_the_account(
    second: Reply, told: FindingCode
) -> None:
    answer, calls = converse(ADAPTER, error("FORBIDDEN"), second, own=OWN)
    assert isinstance(answer, Trouble)
    assert (answer.code, calls) == (told, [KEYS, ACCOUNT])


def test_it_asks_no_further_about_a_key_that_is_not_known() -> None:
    _, calls = converse(ADAPTER, error("INVALID_KEY", 401), {"user_id": 777}, own=OWN)
    assert calls == [KEYS]


TABLE = [
    *((label, FindingCode.ACCOUNT_RESTRICTED) for label in ("ACCOUNT_LOCKED", "SUB_ACCOUNT_LOCKED")),
    *((label, FindingCode.INVALID_CREDENTIALS) for label in ("AUTHENTICATION_FAILED", "INVALID_CREDENTIALS")),
    ("MISSING_REQUIRED_HEADER", FindingCode.INVALID_CREDENTIALS),
    *((label, FindingCode.MISSING_PERMISSION) for label in ("FORBIDDEN", "READ_ONLY")),
    ("INVALID_KEY", FindingCode.NOT_FOUND),
    ("INVALID_SIGNATURE", FindingCode.BAD_SIGNATURE),
    ("IP_FORBIDDEN", FindingCode.IP_BLOCKED),
    ("REQUEST_EXPIRED", FindingCode.CLOCK),
    *((label, FindingCode.EXCHANGE_UNAVAILABLE) for label in ("INTERNAL", "SERVER_ERROR", "TOO_BUSY")),
    *((label, FindingCode.EXCHANGE_UNAVAILABLE) for label in ("TOO_FAST", "TOO_MANY_REQUESTS")),
]


@pytest.mark.parametrize(("label", "finding"), TABLE)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_it_reads_each_error(label: str, finding: FindingCode, status: int) -> None:
    trouble = read_trouble(status, error(label).body)
    assert trouble is not None
    assert (trouble.code, trouble.exchange_code) == (finding, label)
    assert "words" not in repr(trouble)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert dict(TABLE) == TROUBLE_OF_CODE


@pytest.mark.parametrize(
    ("status", "label"), [(400, "NEW_LABEL"), (429, "INVALID_KEY"), (503, "INVALID_KEY")]
)
def test_it_blames_nobody_for_what_it_does_not_know_or_is_not_about_the_key(status: int, label: str) -> None:
    trouble = read_trouble(status, {"label": label})
    assert trouble is not None
    assert trouble.code == FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("body", [[own()], own(), None, {}, []])
def test_it_finds_no_error_in_a_good_status(body: Any) -> None:
    assert read_trouble(200, body) is None


def test_it_says_over_http_where_a_key_belongs(simulator: Simulator, client: AskOnce) -> None:
    sub_account = replace(SIMULATED.fresh(1), more={KEYS_PATH: {"sub_account": True}})
    simulator.know(sub_account)
    answer = client("gate", credentials(sub_account))
    assert isinstance(answer, Trouble)
    assert answer.code is FindingCode.UNPROVEN_PERMISSION
    for key in (
        replace(SIMULATED.fresh(2), host="api.gateeu.com"),
        replace(SIMULATED.fresh(3), host="api-testnet.gateapi.io"),
    ):
        code = FindingCode.WRONG_REGION if "eu" in key.host else FindingCode.WRONG_ENVIRONMENT
        simulator.know(key)
        answer = client("gate", credentials(key))
        assert isinstance(answer, Trouble)
        assert answer.code is code


def test_it_has_words_for_every_right_it_can_grant() -> None:
    granted = {right for rights in gate.RIGHTS_OF_NAME.values() for right in rights}
    assert set(ADAPTER.labels) == granted | {Right.READ, Right.WITHDRAW}
