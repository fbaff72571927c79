"""What is HTX's own: the account first, one key of several, and addresses without which nothing passes."""

from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys import reports
from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import AllowList, Credentials, KeyReport, Right, Trouble
from apikeys.exchanges.client.signing import Signer
from apikeys.exchanges.htx import ACCOUNT, ADAPTER, SIGNATURE_CODES, TROUBLE_OF_CODE, read_trouble
from apikeys.findings import FindingCode
from apikeys.flows.decide import Decision, Outcome, decide, decide_trouble
from tests.apikeys.conversing import OWN, answer, converse
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import BOTS, MARKETS, POLICY, codes
from tests.exchange_simulator.exchanges.htx import SIMULATED, TEXTS
from tests.exchange_simulator.simulator import Simulator

UID = {"code": 200, "data": 63628520}
NAMES = ["readOnly", "trade", "withdraw", "transfer", "Trade", "loan"]


def entry(**key: Any) -> dict[str, Any]:
    good = {
        "accessKey": OWN.api_key,
        "status": "normal",
        "note": "62924133",
        "permission": "readOnly,trade",
        "ipAddresses": "203.0.113.10",
        "validDays": -1,
        "createTime": 1591348751000,
        "updateTime": 1591348751000,
    }
    return good | key


def keys(*entries: Any) -> dict[str, Any]:
    return {"code": 200, "message": "success", "data": list(entries)}


def read(**key: Any) -> KeyReport:
    found = answer(ADAPTER, UID, keys(entry(**key)))
    assert isinstance(found, KeyReport), found
    return found


def judged(market: str, *told: Any) -> Decision:
    bot, found = BOTS["htx", market], answer(ADAPTER, *told)
    return decide_trouble(found, bot) if isinstance(found, Trouble) else decide(found, bot, POLICY)


def rights_on(report: KeyReport) -> set[Right]:
    return {right for right, granted in report.rights.items() if granted}


def is_unproved(*told: Any) -> bool:
    found = answer(ADAPTER, *told)
    return isinstance(found, Trouble) and found.code is FindingCode.UNPROVEN_PERMISSION


def test_it_reads_a_good_key() -> None:
    report = read()
    assert rights_on(report) == {Right.READ, Right.SPOT, Right.MARGIN, Right.DERIVATIVES}
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert report.unknown == ()
    assert report.inherent_transfer is True
    assert report.allow_list == AllowList(True, ("203.0.113.10",))
    assert report.created_at == datetime(2020, 6, 5, 9, 19, 11, tzinfo=UTC)
    assert (report.expires_at, report.permanent) == (None, True)
    assert report.account_id == "63628520"


def check(granted: list[str], addresses: str) -> None:
    accepted = set(granted) == {"readOnly", "trade"} and "203.0.113.10" in addresses
    for market in MARKETS:
        told = entry(permission=",".join(granted), ipAddresses=addresses)
        decision = judged(market, UID, keys(told))
        assert (decision.outcome is Outcome.ACCEPTED) is accepted, (granted, addresses)
        if accepted:
            assert "inherent_transfer" in codes(decision)


@pytest.mark.parametrize("addresses", ["203.0.113.10", "203.0.113.10,198.51.100.7", "", "198.51.100.7"])
def test_it_judges_every_set_of_permissions(addresses: str) -> None:
    for size in range(len(NAMES) + 1):
        for chosen in combinations(NAMES, size):
            check(list(chosen), addresses)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(NAMES) | st.text(st.characters(exclude_characters=","), min_size=1)))
def test_it_judges_any_list_of_permissions(granted: list[str]) -> None:
    check([name.strip() for name in granted if name.strip()], "203.0.113.10")


def test_it_takes_a_network_of_ours_and_no_key_that_works_from_anywhere() -> None:
    assert judged("spot", UID, keys(entry(ipAddresses="203.0.113.0/24"))).outcome is Outcome.ACCEPTED
    for addresses in ("", "0.0.0.0/0", "*", "203.0.0.0/8"):
        decision = judged("spot", UID, keys(entry(ipAddresses=addresses)))
        assert (decision.outcome, codes(decision)) == (Outcome.REFUSED, {"ip_open", "inherent_transfer"})
    told = entry()
    del told["ipAddresses"]
    assert judged("spot", UID, keys(told)).outcome is Outcome.REFUSED


def test_it_lists_what_it_does_not_know() -> None:
    assert read(permission="readOnly, trade,transfer").unknown == ("transfer",)


def test_it_reads_its_own_key_of_several_and_keeps_nothing_of_the_others() -> None:
    other = entry(accessKey="another key", permission="readOnly,withdraw", note="of somebody's other bot")
    found = answer(ADAPTER, UID, keys(other, entry()))
    assert rights_on(found) == rights_on(read())
    kept = str(reports.as_json(found))
    assert "another key" not in kept
    assert "other bot" not in kept


@pytest.mark.parametrize(
    "told",
    [
        keys(),
        keys(entry(), entry()),
        keys(entry(accessKey="another key")),
        keys(entry(accessKey=None)),
        keys(entry(), "text"),
        keys(None),
        {"code": 200, "data": entry()},
        {"code": 200, "data": None},
        {"code": 200},
        {"code": "ok", "data": []},
        {"data": [entry()]},
        *(None, [], "ok", 1, {}),
    ],
)
def test_it_proves_nothing_by_a_reply_without_exactly_one_key_that_is_its_own(told: Any) -> None:
    if isinstance(told, dict) and told.get("code") == "ok":
        assert answer(ADAPTER, UID, told).code is FindingCode.EXCHANGE_UNAVAILABLE
    else:
        assert is_unproved(UID, told)


NO_ACCOUNT: list[Any] = [None, 0, "", [], 1.5, True]


@pytest.mark.parametrize(
    "told",
    [
        *(None, [], "ok", {}, {"code": 200}, {"data": 7}),
        *({"code": 200, "data": value} for value in NO_ACCOUNT),
    ],
)
def test_it_asks_nothing_further_where_the_account_is_not_told(told: Any) -> None:
    found, calls = converse(ADAPTER, told, keys(entry()))
    assert isinstance(found, Trouble)
    assert found.code is FindingCode.UNPROVEN_PERMISSION
    assert len(calls) == 1


WRONG_TYPES: dict[str, list[Any]] = {
    "permission": [None, ["trade"], True, 7, {}],
    "status": [None, "", "Normal", "frozen", 1],
    "ipAddresses": [None, ["203.0.113.10"], True],
    "validDays": [None, "-1", 1.5, True, 10**12],
    "createTime": [None, "soon", True, 10**20],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG_TYPES.items() for value in values]
)
def test_it_reads_no_field_of_another_type(name: str, value: Any) -> None:
    assert is_unproved(UID, keys(entry(**{name: value})))


@pytest.mark.parametrize("name", ["permission", "status", "accessKey"])
def test_it_reads_no_key_without_what_proves_something(name: str) -> None:
    told = entry()
    del told[name]
    assert is_unproved(UID, keys(told))


def test_it_reads_when_the_key_ends() -> None:
    report = read(validDays=30)
    assert report.permanent is False
    assert report.expires_at is not None
    assert 28 <= (report.expires_at - datetime.now(UTC)).days <= 30
    assert (read(validDays=-2).expires_at, read(validDays=-2).permanent) == (None, False)
    told = entry()
    del told["validDays"]
    found = answer(ADAPTER, UID, keys(told))
    assert (found.expires_at, found.permanent) == (None, False)
    assert answer(ADAPTER, UID, keys(entry(status="expired"))) == Trouble(FindingCode.EXPIRED, "expired")


def test_it_asks_about_its_own_key_alone() -> None:
    _, (first, second) = converse(ADAPTER, UID, keys(entry()))
    assert first.params == {}
    assert second.params == {"uid": "63628520", "accessKey": OWN.api_key}
    assert OWN.api_key not in repr(second)


TABLE = {
    "api-signature-not-valid": FindingCode.INVALID_CREDENTIALS,
    "api-signature-check-failed": FindingCode.INVALID_CREDENTIALS,
    "1003": FindingCode.INVALID_CREDENTIALS,
    "401": FindingCode.INVALID_CREDENTIALS,
    "login-required": FindingCode.INVALID_CREDENTIALS,
    "1002": FindingCode.UNPROVEN_PERMISSION,
    "2000": FindingCode.EXCHANGE_UNAVAILABLE,
    "gateway-internal-error": FindingCode.EXCHANGE_UNAVAILABLE,
    "base-system-error": FindingCode.EXCHANGE_UNAVAILABLE,
    "429": FindingCode.EXCHANGE_UNAVAILABLE,
    "500": FindingCode.EXCHANGE_UNAVAILABLE,
}


def errors(code: str, text: str = "error") -> list[dict[str, Any]]:
    """In either form."""
    old = {"status": "error", "err-code": code, "err-msg": text, "data": None}
    return [old, {"code": int(code) if code.isdigit() else code, "message": text, "data": None}]


def trouble(body: Any, status: int = 200) -> Trouble | None:
    return read_trouble(Reply(status, body))


@pytest.mark.parametrize(("code", "finding"), TABLE.items())
def test_it_reads_each_error(code: str, finding: FindingCode) -> None:
    for body in errors(code):
        assert trouble(body) == Trouble(finding, code)
        for told in ([body], [UID, body]):
            assert answer(ADAPTER, *told) == Trouble(finding, code)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert TABLE == TROUBLE_OF_CODE


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (TEXTS["key"], FindingCode.NOT_FOUND),
        (TEXTS["address"], FindingCode.IP_BLOCKED),
        ("ip地址错误", FindingCode.IP_BLOCKED),
        (TEXTS["end"], FindingCode.EXPIRED),
        (TEXTS["secret"], FindingCode.BAD_SIGNATURE),
        (TEXTS["time"], FindingCode.INVALID_CREDENTIALS),
        ("", FindingCode.INVALID_CREDENTIALS),
    ],
)
@pytest.mark.parametrize("code", sorted(SIGNATURE_CODES))
def test_it_tells_apart_what_a_refused_signature_was_about(
    code: str, text: str, finding: FindingCode
) -> None:
    for body in errors(code, f"Signature not valid: {text}"):
        found = trouble(body)
        assert found == Trouble(finding, code)
        assert "203.0.113.77" not in repr(found)


def test_it_reads_no_text_of_another_error_and_none_that_is_no_text() -> None:
    assert trouble(errors("login-required", TEXTS["key"])[0]) == Trouble(
        FindingCode.INVALID_CREDENTIALS, "login-required"
    )
    odd = {"status": "error", "err-code": "api-signature-not-valid", "err-msg": ["IP address"]}
    assert trouble(odd | {"err-msg": None}) == Trouble(
        FindingCode.INVALID_CREDENTIALS, "api-signature-not-valid"
    )
    assert trouble(odd) is not None


@pytest.mark.parametrize("code", ["order-value-min-error", "9999"])
def test_it_blames_nobody_for_an_error_it_does_not_know(code: str) -> None:
    for body in errors(code):
        assert trouble(body) == Trouble(FindingCode.EXCHANGE_UNAVAILABLE, code)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_it_blames_nobody_while_the_exchange_itself_is_broken(status: int) -> None:
    for body in (None, *errors("api-signature-not-valid", TEXTS["key"])):
        found = trouble(body, status)
        assert found is not None
        assert found.code is FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("body", [UID, keys(entry()), None, {}, [], {"code": "200"}])
def test_it_finds_no_error_in_a_good_reply(body: Any) -> None:
    assert trouble(body) is None


@pytest.mark.parametrize(
    ("refused", "finding"),
    [
        ("address", FindingCode.IP_BLOCKED),
        ("end", FindingCode.EXPIRED),
        ("time", FindingCode.INVALID_CREDENTIALS),
    ],
)
def test_it_looks_at_the_clock_behind_every_refused_signature(
    refused: str, finding: FindingCode, client: AskOnce, simulator: Simulator
) -> None:
    simulator.behave("htx", "refuse", code=refused)
    found = client("htx", credentials(SIMULATED.fresh(0)))
    assert isinstance(found, Trouble)
    assert found.code is finding
    paths = [call["path"] for call in simulator.calls()["htx"]["calls"]]
    assert paths == ["/v2/user/uid", "/v1/common/timestamp"]


def test_it_proves_nothing_of_a_sub_account_s_own_key(client: AskOnce, simulator: Simulator) -> None:
    simulator.behave("htx", "refuse", path="/v2/user/api-key", code="1002")
    found = client("htx", credentials(SIMULATED.fresh(0)))
    assert isinstance(found, Trouble)
    assert found.code is FindingCode.UNPROVEN_PERMISSION


def test_it_signs_for_the_exchange_s_own_host() -> None:
    signed = Signer("htx").sign(ACCOUNT, Credentials("abcd-abcd-abcd-abcd", "secret"))
    assert signed is not None
    assert signed.url.startswith("https://api.huobi.pro/v2/user/uid?AccessKeyId=abcd-abcd-abcd-abcd&")
    assert "abcd-abcd" not in repr(signed)
