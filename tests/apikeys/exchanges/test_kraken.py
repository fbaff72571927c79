"""What is Kraken's own. The rule is written out from its list of permissions, not taken from the adapter."""

from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys import reports
from apikeys.exchanges.adapter import Own, Reply
from apikeys.exchanges.base import AllowList, Credentials, KeyReport, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.client.signing import Signer
from apikeys.exchanges.kraken import QUESTION, TROUBLE_OF_CODE, read_report, read_trouble
from apikeys.findings import FindingCode
from apikeys.flows.decide import Outcome
from tests.apikeys.conversing import OWN
from tests.apikeys.raw_replies import codes, judge
from tests.exchange_simulator.exchanges import kraken as simulated
from tests.exchange_simulator.model import Asked

# "Get API Key Info", the whole list.
READS = {"query-funds"}
TRADES = {"query-open-trades", "query-closed-trades", "modify-trades", "close-trades"}
MOVES = {"withdraw-funds", "add-withdraw-address", "update-withdraw-address", "earn-funds"}
HARMLESS = {"add-funds", "query-ledger", "export-data", "create-ws-token"}
DOCUMENTED = sorted(READS | TRADES | MOVES | HARMLESS)
UNKNOWN = ["transfer-funds", "Withdraw-Funds", "stake", ""]
GOOD = sorted(READS | TRADES)
IIBAN = "AA88 N84G WOAK NMOI"


def reply(permissions: Any = GOOD, **result: Any) -> dict[str, Any]:
    key: dict[str, Any] = {
        "apiKeyName": "my-api-key",
        "apiKey": OWN.api_key,
        "nonce": "1772627060997",
        "nonceWindow": 0,
        "permissions": permissions,
        "iban": IIBAN,
        "validUntil": "0",
        "queryFrom": "0",
        "queryTo": "0",
        "createdTime": "1772542900",
        "modifiedTime": "1772543095",
        "ipAllowlist": ["203.0.113.10"],
        "lastUsed": "1772627061",
    }
    return {"error": [], "result": key | result}


def without(name: str) -> dict[str, Any]:
    whole = reply()
    del whole["result"][name]
    return whole


def read(body: Any) -> KeyReport:
    return read_report(body, OWN)


def trouble(status: int, body: Any) -> Trouble | None:
    return read_trouble(Reply(status, body))


def test_it_reads_a_good_key() -> None:
    report = read(reply())
    assert {right for right, granted in report.rights.items() if granted} == {
        *(Right.READ, Right.SPOT, Right.MARGIN)
    }
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert report.unknown == ()
    assert report.allow_list == AllowList(True, ("203.0.113.10",))
    assert report.created_at == datetime(2026, 3, 3, 13, 1, 40, tzinfo=UTC)
    assert (report.expires_at, report.permanent) == (None, True)
    assert report.inherent_transfer is True


def follows_the_rule(granted: set[str]) -> bool:
    return granted >= READS | TRADES and not granted & MOVES and granted <= set(DOCUMENTED)


def check(granted: list[str]) -> None:
    decision = judge("kraken", "spot", reply(granted))
    assert (decision.outcome is Outcome.ACCEPTED) is follows_the_rule(set(granted)), granted
    assert judge("kraken", "derivatives", reply(granted)).outcome is Outcome.REFUSED


@pytest.mark.parametrize("base", [[], GOOD], ids=["alone", "with trading"])
def test_it_judges_every_pair_of_permissions(base: list[str]) -> None:
    for one, other in combinations([*DOCUMENTED, *UNKNOWN], 2):
        check([*base, one, other])


def test_it_judges_every_set_that_lacks_one_or_more_of_what_is_needed() -> None:
    for size in range(len(GOOD) + 1):
        for chosen in combinations(GOOD, size):
            check(list(chosen))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from([*DOCUMENTED, *UNKNOWN]) | st.text(max_size=20), max_size=16))
def test_it_judges_any_list_of_permissions(granted: list[str]) -> None:
    check(granted)


@pytest.mark.parametrize(
    ("name", "rights"),
    [
        ("withdraw-funds", {Right.WITHDRAW, Right.TRANSFER}),
        ("add-withdraw-address", {Right.WITHDRAW}),
        ("update-withdraw-address", {Right.WITHDRAW}),
        ("earn-funds", {Right.EARN}),
        *((name, set()) for name in sorted(HARMLESS)),
    ],
)
def test_it_reads_each_further_permission(name: str, rights: set[Right]) -> None:
    usual = {Right.READ, Right.SPOT, Right.MARGIN}
    report = read(reply([*GOOD, name]))
    assert {right for right, granted in report.rights.items() if granted} - usual == rights
    assert report.unknown == ()


def test_it_lists_what_it_does_not_know_by_the_exchange_s_own_name() -> None:
    assert read(reply([*GOOD, "transfer-funds"])).unknown == ("transfer-funds",)


WRONG_TYPES: dict[str, list[Any]] = {
    "permissions": [None, "query-funds", {"query-funds": True}, True, [1], [None]],
    "apiKey": [None, "", "another key", 7],
    "validUntil": [None, "soon", "-1", True, 1.5, [], "9" * 13],
    "createdTime": [None, "soon", True, {}],
    "ipAllowlist": [None, "203.0.113.10", True, [7]],
    "iban": [None, 7, "\x00"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG_TYPES.items() for value in values]
)
def test_it_reads_no_field_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read(reply(**{name: value}))


@pytest.mark.parametrize("name", ["permissions", "apiKey", "validUntil"])
def test_it_reads_no_reply_without_what_proves_something(name: str) -> None:
    with pytest.raises(UnreadableReplyError):
        read(without(name))


@pytest.mark.parametrize(
    "whole",
    [
        *(None, [], "ok", 1, True, {}),
        {"result": reply()["result"]},
        {"error": [], "result": None},
        {"error": []},
        reply() | {"error": None},
        reply() | {"error": ["WGeneral:Something"]},
        reply() | {"error": "none"},
    ],
)
def test_it_reads_no_reply_of_another_shape(whole: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read(whole)


def test_it_reads_addresses_and_networks() -> None:
    assert read(reply(ipAllowlist=[])).allow_list == AllowList(False, ())
    assert read(without("ipAllowlist")).allow_list == AllowList(None, None)
    listed = ["203.0.113.0/24", "2001:db8::/64"]
    assert read(reply(ipAllowlist=listed)).allow_list == AllowList(True, tuple(listed))
    assert judge("kraken", "spot", reply(ipAllowlist=listed)).outcome is Outcome.ACCEPTED
    assert "ip_not_ours" in codes(judge("kraken", "spot", reply(ipAllowlist=["198.51.100.7"])))


def test_it_reads_when_the_key_ends() -> None:
    report = read(reply(validUntil="1804078900"))
    assert (report.expires_at, report.permanent) == (datetime(2027, 3, 3, 13, 1, 40, tzinfo=UTC), False)


def test_it_knows_an_account_again_and_keeps_no_number_of_it() -> None:
    one, same, other = read(reply()), read(reply(iban="AA88N84GWOAKNMOI")), read(reply(iban="AA12 N84G A B"))
    assert one.account_id == same.account_id != other.account_id
    assert len(one.account_id) == 32
    assert read(without("iban")).account_id == ""


def test_it_keeps_nothing_that_the_reply_echoes() -> None:
    kept = str(reports.as_json(read(reply()))) + repr(read(reply()))
    for echoed in (OWN.api_key, IIBAN, IIBAN.replace(" ", ""), "1772627060997", "my-api-key"):
        assert echoed not in kept


TABLE = {
    "EAPI:Invalid key": FindingCode.NOT_FOUND,
    "EAPI:Invalid signature": FindingCode.BAD_SIGNATURE,
    "EAPI:Invalid nonce": FindingCode.EXCHANGE_UNAVAILABLE,
    "EAPI:Rate limit exceeded": FindingCode.EXCHANGE_UNAVAILABLE,
    "EGeneral:Permission denied": FindingCode.INVALID_CREDENTIALS,
    "EGeneral:Temporary lockout": FindingCode.EXCHANGE_UNAVAILABLE,
    "EGeneral:Internal error": FindingCode.EXCHANGE_UNAVAILABLE,
    "EAuth:Account temporary disabled": FindingCode.ACCOUNT_RESTRICTED,
    "EAuth:Account unconfirmed": FindingCode.ACCOUNT_RESTRICTED,
    "EAuth:Rate limit exceeded": FindingCode.EXCHANGE_UNAVAILABLE,
    "EAuth:Too many requests": FindingCode.EXCHANGE_UNAVAILABLE,
    "EAccount:Invalid permissions": FindingCode.ACCOUNT_RESTRICTED,
    "EService:Unavailable": FindingCode.EXCHANGE_UNAVAILABLE,
    "EService:Busy": FindingCode.EXCHANGE_UNAVAILABLE,
}


@pytest.mark.parametrize(("code", "finding"), TABLE.items())
def test_it_reads_each_error(code: str, finding: FindingCode) -> None:
    for body in ([code], [f"{code}:SECRET"], ["WGeneral:Old", code], [7, code]):
        found = trouble(200, {"error": body, "result": {}})
        assert found is not None
        assert (found.code, found.exchange_code) == (finding, code)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert TABLE == TROUBLE_OF_CODE


@pytest.mark.parametrize("errors", [["EAPI:New thing"], ["EOrder:Unknown", "EAPI:Invalid key"]])
def test_it_blames_nobody_for_an_error_it_does_not_know(errors: list[str]) -> None:
    found = trouble(200, {"error": errors})
    assert found is not None
    assert found.code == FindingCode.EXCHANGE_UNAVAILABLE


def test_it_blames_nobody_while_the_exchange_itself_is_broken() -> None:
    for status in (500, 502, 503, 520, 429):
        found = trouble(status, {"error": ["EAPI:Invalid key"]})
        assert found is not None
        assert found.code == FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("body", [reply(), None, {}, [], {"error": "no"}, {"error": ["WGeneral:Old"]}])
def test_it_finds_no_error_where_none_is_told(body: Any) -> None:
    assert trouble(200, body) is None


def test_it_signs_with_a_nonce_that_locks_no_bot_out() -> None:
    key = simulated.fresh(0)
    signed = Signer("kraken").sign(QUESTION, Credentials(key.api_key, key.secret))
    assert signed is not None
    assert signed.body is not None
    path = "/0/private/GetApiKeyInfo"
    asked = Asked("POST", path, "", {}, signed.headers, signed.body, "api.kraken.com")
    assert simulated.verify(asked, key) is None
    later = Asked("POST", path, "", {}, signed.headers, signed.body + "000", "api.kraken.com")
    assert simulated.verify(later, key) is not None


def test_it_reads_the_reply_of_the_key_it_asked_about_only() -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(reply(), Own("some other key"))
