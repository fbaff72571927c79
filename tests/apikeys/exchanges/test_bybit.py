from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges import bybit, bybit_reading
from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import AllowList, KeyReport, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.bybit import ADAPTER, TROUBLE_OF_CODE
from apikeys.exchanges.bybit_reading import MOVING, UNKNOWN_APP, WALLET_RIGHTS
from apikeys.findings import FindingCode
from tests.apikeys.conversing import OWN

GROUPS = [
    "ContractTrade",
    "Spot",
    "Wallet",
    "Options",
    "Derivatives",
    "CopyTrading",
    "BlockTrade",
    "Exchange",
    "NFT",
    "Affiliate",
    "Earn",
    "FiatP2P",
    "FiatConvertBroker",
    "FiatGlobalPay",
    "FiatBitPay",
    "BitCard",
    "ByXPost",
]
WRONG_TYPES: dict[str, list[Any]] = {
    "readOnly": ["0", True, False, None, 2, -1, 0.0],
    "ips": [None, "203.0.113.10", [1], {"0": "203.0.113.10"}, True],
    "type": ["1", 0, 3, True, None],
    "expiredAt": [0, None, "soon", "9999-99-99T00:00:00Z"],
    "deadlineDay": ["-2", None, True],
    "userID": [None, [], 1.5, True, "\x00", "9" * 101],
    "parentUid": [None, {}, True],
    "uta": ["1", True, None],
    "rsaPublicKey": [None, 0, True],
}
NO_GROUPS: list[Any] = [None, [], "all", True]
MARK = {"Derivatives": ["DerivativesTrade"]}


def read_report(body: Any) -> KeyReport:
    return bybit_reading.read_report(body, OWN)


def read_trouble(status: int, body: Any) -> Trouble | None:
    return bybit.read_trouble(Reply(status, body))


def reply(permissions: Any = None, **result: Any) -> dict[str, Any]:
    groups: dict[str, Any] = {group: [] for group in GROUPS} | {"Spot": ["SpotTrade"]} | MARK
    key: dict[str, Any] = {
        "id": "2208369",
        "note": "testnet",
        "apiKey": "XXXXXXXX",
        "readOnly": 0,
        "permissions": groups | (permissions or {}),
        "ips": ["203.0.113.10", "203.0.113.11"],
        "type": 1,
        "deadlineDay": -2,
        "expiredAt": "1970-01-01T00:00:00Z",
        "createdAt": "2025-10-13T03:20:45Z",
        "unified": 0,
        "uta": 1,
        "userID": 1448939,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
    }
    return {"retCode": 0, "retMsg": "", "result": key | result, "retExtInfo": {}, "time": 1776149990532}


def without(*names: str, of: str = "result") -> dict[str, Any]:
    whole = reply()
    inner = whole["result"] if of == "result" else whole["result"]["permissions"]
    for name in names:
        del inner[name]
    return whole


def rights_on(whole: dict[str, Any]) -> set[Right]:
    return {right for right, granted in read_report(whole).rights.items() if granted}


def test_it_reads_a_good_spot_key() -> None:
    report = read_report(reply())
    assert rights_on(reply()) == {Right.READ, Right.SPOT}
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert report.unknown == ()
    assert report.inherent_transfer is False
    assert report.allow_list == AllowList(True, ("203.0.113.10", "203.0.113.11"))
    assert report.created_at == datetime(2025, 10, 13, 3, 20, 45, tzinfo=UTC)
    assert report.expires_at is None
    assert (report.account_id, report.parent_account_id) == ("1448939", "")
    assert report.account_kind == "unified trading account"
    assert report.key_kind == "HMAC"
    assert report.third_party_app is None


@pytest.mark.parametrize(
    ("groups", "granted"),
    [
        ({"ContractTrade": ["Order", "Position"]}, True),
        ({"ContractTrade": ["Position", "Order"], "Derivatives": []}, True),
        ({"ContractTrade": ["Order"]}, False),
        ({"ContractTrade": ["Position"]}, False),
        ({"ContractTrade": [], "Derivatives": ["DerivativesTrade"]}, False),
    ],
)
def test_it_wants_orders_and_positions_for_derivatives(groups: Any, granted: bool) -> None:
    report = read_report(reply(groups))
    assert report.rights[Right.DERIVATIVES] is granted
    assert report.unknown == ()


def test_it_reads_options() -> None:
    assert read_report(reply({"Options": ["OptionsTrade"]})).rights[Right.OPTIONS] is True


@pytest.mark.parametrize(
    ("group", "entry", "right"),
    [
        ("Wallet", "Withdraw", Right.WITHDRAW),
        ("Wallet", "AccountTransfer", Right.TRANSFER),
        ("Wallet", "SubMemberTransfer", Right.TRANSFER),
        ("Wallet", "SubMemberTransferList", Right.TRANSFER),
        ("BlockTrade", "BlockTrade", Right.TRANSFER),
        ("Exchange", "ExchangeHistory", Right.CONVERT),
        ("Earn", "Earn", Right.EARN),
        ("FiatP2P", "FiatP2POrder", Right.P2P),
        ("FiatP2P", "Advertising", Right.P2P),
        ("FiatBitPay", "FaitPayOrder", Right.FIAT),
        ("FiatBybitPay", "FaitPayOrder", Right.FIAT),
        ("FiatConvertBroker", "FiatConvertBrokerOrder", Right.FIAT),
        ("FiatGlobalPay", "Anything", Right.FIAT),
        ("BitCard", "BitCard", Right.FIAT),
        ("Affiliate", "Affiliate", Right.FIAT),
        ("CopyTrading", "CopyTrading", Right.COPY),
    ],
)
@pytest.mark.parametrize("read_only", [0, 1])
def test_it_reads_each_moving_entry_of_read_only_keys_too(
    group: str, entry: str, right: Right, read_only: int
) -> None:
    whole = reply({group: [entry]}, readOnly=read_only)
    assert read_report(whole).rights[right] is True
    assert read_report(whole).rights[Right.KEY_EDIT] is (group == "Wallet")
    assert read_report(whole).unknown == ()


def test_it_knows_no_moving_entry_that_is_not_tested() -> None:
    assert len(MOVING) == 15


def test_it_takes_trading_rights_from_a_read_only_key() -> None:
    assert rights_on(reply({"ContractTrade": ["Order", "Position"]}, readOnly=1)) == {Right.READ}


def test_it_proves_no_trading_where_read_only_is_not_said() -> None:
    assert read_report(without("readOnly")).rights[Right.SPOT] is None


def test_it_proves_nothing_about_money_without_the_wallet_group() -> None:
    report = read_report(without("Wallet", of="permissions"))
    assert [report.rights[right] for right in WALLET_RIGHTS] == [None, None, None]


def test_it_takes_other_absent_groups_for_not_granted() -> None:
    others = [group for group in GROUPS if group != "Wallet"]
    report = read_report(without(*others, of="permissions"))
    assert {right for right, granted in report.rights.items() if granted is not False} == {Right.READ}


@pytest.mark.parametrize(
    ("group", "entry"),
    [
        ("Wallet", "Teleport"),
        ("Spot", "SpotLend"),
        ("ByXPost", "ByXPost"),
        ("NFT", "NFTQueryProductList"),
        ("BrandNew", "Thing"),
    ],
)
def test_it_lists_what_it_does_not_know(group: str, entry: str) -> None:
    assert read_report(reply({group: [entry]})).unknown == (f"{group}.{entry}",)


@pytest.mark.parametrize("value", [None, "AccountTransfer", {"a": 1}, True, [1], [None], [["Withdraw"]]])
@pytest.mark.parametrize("group", ["Wallet", "Spot", "BrandNew"])
def test_it_reads_no_group_of_another_type(group: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(reply({group: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in WRONG_TYPES.items() for value in values],
)
def test_it_reads_no_field_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(reply(**{name: value}))


@pytest.mark.parametrize(
    "whole",
    [
        *(None, [], "ok", 1, True, {}),
        {"retCode": 0},
        {"retCode": 0, "result": None},
        {"retCode": 0, "result": []},
        {"retCode": 0, "result": {}},
        *({"retCode": 0, "result": {"readOnly": 0, "permissions": value}} for value in NO_GROUPS),
        reply() | {"retCode": "0"},
        reply() | {"retCode": False},
        reply() | {"retCode": None},
        {"result": reply()["result"]},
    ],
)
def test_it_reads_no_reply_of_another_shape(whole: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read_report(whole)


@pytest.mark.parametrize("ips", [[], ["*"], [""], ["*", "203.0.113.10"]])
def test_it_reads_a_key_that_is_bound_to_nothing(ips: list[str]) -> None:
    assert read_report(reply(ips=ips)).allow_list == AllowList(False, ())


def test_it_does_not_guess_an_allow_list_that_is_not_told() -> None:
    assert read_report(without("ips")).allow_list == AllowList(None, None)


def test_it_reads_when_the_key_ends() -> None:
    report = read_report(reply(ips=["*"], deadlineDay=88, expiredAt="2026-12-15T03:13:24Z"))
    assert report.expires_at == datetime(2026, 12, 15, 3, 13, 24, tzinfo=UTC)
    assert read_report(reply(deadlineDay=0)).expires_at is None
    assert read_report(without("expiredAt", "deadlineDay")).expires_at is None


@pytest.mark.parametrize(
    ("told", "app"),
    [
        ("Other  Bots ", "Other Bots"),
        ("Ж" * 80, "?" * 60),
        ("", UNKNOWN_APP),
        ("  ", UNKNOWN_APP),
        (7, UNKNOWN_APP),
    ],
)
def test_it_reads_through_which_app_the_key_was_made(told: Any, app: str) -> None:
    assert read_report(reply(type=2, note=told)).third_party_app == app


def test_it_reads_a_sub_account() -> None:
    report = read_report(reply(isMaster=False, parentUid="24617703", userID="53888001"))
    assert (report.account_id, report.parent_account_id) == ("53888001", "24617703")


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"uta": 1}, "unified trading account"),
        ({"uta": 0, "unified": 1}, "unified margin account"),
        ({"uta": 0}, "classic account"),
    ],
)
def test_it_reads_the_kind_of_account(told: Any, kind: str) -> None:
    assert read_report(reply(**told)).account_kind == kind


def test_it_reads_the_kind_of_key() -> None:
    assert read_report(reply(rsaPublicKey="-----BEGIN PUBLIC KEY-----")).key_kind == "RSA"


@settings(deadline=None)  # a busy machine is slow now and then
@given(
    st.dictionaries(st.sampled_from([*GROUPS, "New"]), st.lists(st.sampled_from(["Withdraw", "Order", "x"])))
)
def test_it_never_loses_an_entry_that_is_no_trading(groups: dict[str, list[str]]) -> None:
    whole = reply()
    whole["result"]["permissions"] = groups
    report = read_report(whole)
    moving = [right for right in Right if report.rights[right] and right not in (Right.READ, Right.SPOT)]
    entries = {(group, entry) for group, found in groups.items() for entry in found} - {
        ("ContractTrade", "Order")
    }
    assert bool(entries) == bool(report.unknown or moving)


TABLE = [
    ("10002", FindingCode.CLOCK),
    ("10003", FindingCode.NOT_FOUND),
    ("10004", FindingCode.BAD_SIGNATURE),
    ("10005", FindingCode.MISSING_PERMISSION),
    ("10006", FindingCode.EXCHANGE_UNAVAILABLE),
    ("10007", FindingCode.INVALID_CREDENTIALS),
    ("10008", FindingCode.ACCOUNT_RESTRICTED),
    ("10009", FindingCode.EXCHANGE_UNAVAILABLE),
    ("10010", FindingCode.IP_BLOCKED),
    ("10016", FindingCode.EXCHANGE_UNAVAILABLE),
    ("10024", FindingCode.ACCOUNT_RESTRICTED),
    ("33004", FindingCode.EXPIRED),
]


@pytest.mark.parametrize(("code", "finding"), TABLE)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_it_reads_each_error(code: str, finding: FindingCode, status: int) -> None:
    trouble = read_trouble(
        status, {"retCode": int(code), "retMsg": "error sign! origin_string[KEY]", "result": {}}
    )
    assert trouble is not None
    assert (trouble.code, trouble.exchange_code) == (finding, code)
    assert "KEY" not in repr(trouble)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert dict(TABLE) == TROUBLE_OF_CODE


@pytest.mark.parametrize("code", [1, 10001, 99999, -1, 10**17])
def test_it_blames_nobody_for_an_error_it_does_not_know(code: int) -> None:
    trouble = read_trouble(200, {"retCode": code})
    assert trouble is not None
    assert trouble.code == FindingCode.EXCHANGE_UNAVAILABLE
    assert len(trouble.exchange_code) <= 20


@pytest.mark.parametrize(
    ("status", "finding"),
    [
        (401, FindingCode.INVALID_CREDENTIALS),
        *((status, FindingCode.EXCHANGE_UNAVAILABLE) for status in (302, 400, 403, 404, 429, 500, 502, 503)),
    ],
)
@pytest.mark.parametrize("body", [None, {}, {"retCode": 0}, {"retCode": "x" * 61}, {"retCode": True}, []])
def test_it_reads_a_status_without_a_code(status: int, finding: FindingCode, body: Any) -> None:
    trouble = read_trouble(status, body)
    assert trouble is not None
    assert (trouble.code, trouble.exchange_code) == (finding, f"HTTP {status}")


@pytest.mark.parametrize("code", [10003, 33004])
def test_it_blames_nobody_while_the_exchange_itself_is_broken(code: int) -> None:
    trouble = read_trouble(503, {"retCode": code})
    assert trouble is not None
    assert trouble.code == FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("body", [reply(), None, {}, [], {"retCode": "0"}])
def test_it_finds_no_error_in_a_good_status(body: Any) -> None:
    assert read_trouble(200, body) is None


def test_it_has_the_exchange_s_words_for_every_right_that_is_a_box_to_tick() -> None:
    """Margin and loans are none; reading comes with any key."""
    assert set(ADAPTER.labels) == set(Right) - {Right.MARGIN, Right.LOAN, Right.READ}
