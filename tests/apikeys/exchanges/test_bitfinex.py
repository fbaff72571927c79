from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import AllowList, KeyReport, Right, Trouble
from apikeys.exchanges.bitfinex import ADAPTER, PERMISSIONS, TROUBLE_OF_CODE, USER, read_trouble
from apikeys.findings import FindingCode
from apikeys.flows.decide import Outcome
from tests.apikeys.conversing import answer, converse
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import MARKETS, codes, judge
from tests.exchange_simulator.exchanges.bitfinex import fresh
from tests.exchange_simulator.simulator import Simulator

# As the documentation lists them.
SCOPES = (
    *("account", "history", "orders", "positions", "funding", "settings", "wallets", "withdraw"),
    *("ui_withdraw", "bfxpay"),
)
GOOD = dict.fromkeys(SCOPES, (0, 0)) | {"orders": (1, 1), "positions": (1, 0), "wallets": (1, 0)}
# Written apart from the adapter: what each scope's writing is good for beside trading.
MOVING = {
    "account": Right.KEY_EDIT,
    "funding": Right.LOAN,
    "settings": Right.KEY_EDIT,
    "wallets": Right.TRANSFER,
    "withdraw": Right.WITHDRAW,
    "ui_withdraw": Right.WITHDRAW,
    "bfxpay": Right.FIAT,
}


def reply(**scopes: Any) -> list[Any]:
    """None takes a scope out."""
    told = {**GOOD, **scopes}
    return [[name, *numbers] for name, numbers in told.items() if numbers is not None]


def user(**more: Any) -> list[Any]:
    told: list[Any] = [1523467, "jane@example.com", "janedoe", *[None] * 21]
    for index, value in more.items():
        told[int(index[1:])] = value
    return told


def report(*told: Any) -> KeyReport:
    found = answer(ADAPTER, *told)
    assert isinstance(found, KeyReport), found
    return found


def may_pass(scopes: dict[str, tuple[int, int] | None], market: str) -> bool:
    """Every scope that can move money or widen the key is there and cannot write, orders can be read and
    written, wallets can be read, a derivatives bot also sees its positions, and nothing has an unknown name.
    """
    known = {name: numbers for name, numbers in scopes.items() if numbers is not None}
    strange = [name for name, numbers in known.items() if name not in GOOD and any(numbers)]
    positions = known.get("positions")
    return (
        not strange
        and known.get("orders") == (1, 1)
        and all(name in known and known[name][1] == 0 for name in MOVING)
        and known["wallets"][0] == 1
        and positions is not None
        and (market == "spot" or positions[0] == 1)
        and known.get("history", (0, 0))[1] == 0
    )


def test_it_reads_a_good_key() -> None:
    found = report(reply(), user(_16=99, _21=0))
    on = {right for right, granted in found.rights.items() if granted}
    assert on == {Right.READ, Right.SPOT, Right.MARGIN, Right.DERIVATIVES}
    assert set(found.rights) == set(Right)
    assert None not in found.rights.values()
    assert found.unknown == ()
    assert (found.account_id, found.parent_account_id) == ("1523467", "99")
    assert found.allow_list == AllowList(None, None)
    assert (found.created_at, found.expires_at, found.permanent) == (None, None, False)
    assert (found.key_kind, found.inherent_transfer) == ("HMAC", False)


@pytest.mark.parametrize(("scope", "right"), MOVING.items())
@pytest.mark.parametrize("market", MARKETS)
def test_it_refuses_each_writing_that_moves_money(scope: str, right: Right, market: str) -> None:
    told = reply(**{scope: (1, 1)})
    assert report(told).rights[right] is True
    assert "forbidden_permission" in codes(judge("bitfinex", market, told))
    assert report(reply(**{scope: (1, 0)})).rights[right] is False


@pytest.mark.parametrize("scope", [*MOVING, "orders", "positions"])
def test_it_proves_nothing_where_a_scope_is_left_out(scope: str) -> None:
    decision = judge("bitfinex", "derivatives", reply(**{scope: None}))
    assert decision.outcome is Outcome.REFUSED
    assert "unproven_permission" in codes(decision)


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [({"orders": (1, 0)}, "Spot trading"), ({"orders": (0, 1)}, "Reading"), ({"wallets": (0, 0)}, "Reading")],
)
def test_it_misses_what_a_bot_needs(scopes: Any, missing: str) -> None:
    decision = judge("bitfinex", "spot", reply(**scopes))
    assert [finding.looked_at for finding in decision.findings if finding.code == "missing_permission"] == [
        missing
    ]


def test_it_wants_a_derivatives_bot_to_see_its_positions() -> None:
    told = reply(positions=(0, 1))
    assert "missing_permission" in codes(judge("bitfinex", "derivatives", told))
    assert judge("bitfinex", "spot", told).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("scopes", "unknown"),
    [
        ({"eaas_withdraw": (0, 0)}, ()),
        ({"eaas_withdraw": (0, 1)}, ("eaas_withdraw",)),
        ({"eaas_deposit": (1, 0)}, ("eaas_deposit",)),
        ({"history": (1, 0)}, ()),
        ({"history": (1, 1)}, ("history",)),
        ({"tele port\x00": (1, 1)}, ("tele?port?",)),
    ],
)
def test_it_lists_what_it_does_not_know_and_is_granted(scopes: Any, unknown: tuple[str, ...]) -> None:
    assert report(reply(**scopes)).unknown == unknown
    outcome = judge("bitfinex", "spot", reply(**scopes)).outcome
    assert outcome is (Outcome.REFUSED if unknown else Outcome.ACCEPTED)


NUMBERS = st.sampled_from([None, (0, 0), (1, 0), (0, 1), (1, 1)])


@settings(deadline=None)  # a busy machine is slow now and then
@given(st.dictionaries(st.sampled_from([*SCOPES, "eaas_withdraw", "new"]), NUMBERS), st.sampled_from(MARKETS))
def test_it_accepts_what_the_rule_accepts_and_nothing_else(changed: dict[str, Any], market: str) -> None:
    scopes: dict[str, Any] = {**GOOD, **changed}
    accepted = judge("bitfinex", market, reply(**changed)).outcome is Outcome.ACCEPTED
    assert accepted is may_pass(scopes, market)


ODD: list[Any] = ["1", True, None, 2, -1, 1.0, [1], {}]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", [0, 1])
def test_it_reads_no_number_of_another_type(odd: Any, place: int) -> None:
    numbers = [0, 0]
    numbers[place] = odd
    for scope in ("withdraw", "orders", "eaas_withdraw"):
        assert_unproven(reply(**{scope: numbers}))


@pytest.mark.parametrize(
    "told",
    [
        *(None, [], {}, "ok", 1, True, [[]], [1], [None], [{"orders": 1}], ["orders", 1, 1]),
        [*reply(), ["withdraw", 0, 0]],
        [*reply(), ["extra", 1]],
        [*reply(), ["extra", 0, 0, 0]],
        [*reply(), [7, 0, 0]],
        {name: list(numbers) for name, numbers in GOOD.items()},
    ],
)
def test_it_reads_no_reply_of_another_shape(told: Any) -> None:
    assert_unproven(told)


def assert_unproven(told: Any) -> None:
    found = answer(ADAPTER, told)
    assert isinstance(found, Trouble)
    assert found.code is FindingCode.UNPROVEN_PERMISSION


TABLE = [
    ("10001", FindingCode.EXCHANGE_UNAVAILABLE),
    ("10100", FindingCode.INVALID_CREDENTIALS),
    ("10114", FindingCode.EXCHANGE_UNAVAILABLE),
    ("11010", FindingCode.EXCHANGE_UNAVAILABLE),
    ("20060", FindingCode.EXCHANGE_UNAVAILABLE),
]


@pytest.mark.parametrize(("code", "finding"), TABLE)
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_it_reads_each_error(code: str, finding: FindingCode, status: int) -> None:
    trouble = read_trouble(Reply(status, ["error", int(code), "words that may quote a key"]))
    assert trouble is not None
    assert (trouble.code, trouble.exchange_code) == (finding, code)
    assert "words" not in repr(trouble)


@pytest.mark.parametrize(
    ("status", "text", "finding"),
    [
        (500, "apikey: permission invalid", FindingCode.MISSING_PERMISSION),
        (500, "api_key: permission invalid (#10001)", FindingCode.MISSING_PERMISSION),
        (200, "API_KEY: PERMISSION INVALID", FindingCode.MISSING_PERMISSION),
        (500, "temporarily_unavailable", FindingCode.EXCHANGE_UNAVAILABLE),
        (500, None, FindingCode.EXCHANGE_UNAVAILABLE),
        (503, "apikey: permission invalid", FindingCode.EXCHANGE_UNAVAILABLE),
        (429, "apikey: permission invalid", FindingCode.EXCHANGE_UNAVAILABLE),
    ],
)
def test_it_knows_by_its_text_what_the_generic_error_is_about(
    status: int, text: Any, finding: FindingCode
) -> None:
    trouble = read_trouble(Reply(status, ["error", 10001, text]))
    assert trouble is not None
    assert (trouble.code, trouble.exchange_code) == (finding, "10001")
    assert "permission" not in repr(trouble).replace("missing_permission", "")


def test_it_tests_the_whole_table_of_errors() -> None:
    assert dict(TABLE) == TROUBLE_OF_CODE


@pytest.mark.parametrize("status", [418, 429, 451, 502, 503])
@pytest.mark.parametrize("body", [None, ["error", 10100, "x"], ["error", 20060, "x"], {"error": "ERR_RATE"}])
def test_it_blames_nobody_for_a_status_about_us_or_the_exchange(status: int, body: Any) -> None:
    trouble = read_trouble(Reply(status, body))
    assert trouble is not None
    assert (trouble.code, trouble.outage) == (FindingCode.EXCHANGE_UNAVAILABLE, None)


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    "body",
    [["error"], ["error", None, "x"], ["error", 10**20], ["error", 9], {"error": "ERR_RATE_LIMIT"}],
)
def test_it_blames_nobody_for_an_error_it_does_not_know(status: int, body: Any) -> None:
    trouble = read_trouble(Reply(status, body))
    assert trouble is not None
    assert trouble.code is FindingCode.EXCHANGE_UNAVAILABLE
    assert len(trouble.exchange_code) <= 60


@pytest.mark.parametrize(
    ("second", "account"),
    [
        (user(), "1523467"),
        (user(_0=None), ""),
        ([7], "7"),
        (Reply(500, ["error", 10001, "apikey: permission invalid"]), ""),
        (Reply(500, ["error", 10100, "apikey: invalid"]), ""),
        (Reply(403, None), ""),
    ],
)
def test_it_asks_for_the_account_and_goes_without_where_it_is_refused(second: Any, account: str) -> None:
    found, calls = converse(ADAPTER, reply(), second)
    assert isinstance(found, KeyReport)
    assert found.account_id == account
    assert calls == [PERMISSIONS, USER]
    kept = repr(found)
    assert "jane" not in kept


@pytest.mark.parametrize(
    "second",
    [
        Reply(500, ["error", 10114, "nonce: small"]),
        Reply(500, ["error", 10001, "temporarily_unavailable"]),
        Reply(429, ["error", 11010, "ratelimit: error"]),
        Reply(503, None),
        Reply(500, None),
    ],
)
def test_it_asks_again_later_where_the_account_was_not_told_for_now(second: Reply) -> None:
    found = answer(ADAPTER, reply(), second)
    assert isinstance(found, Trouble)
    assert found.code is FindingCode.EXCHANGE_UNAVAILABLE


@pytest.mark.parametrize("odd", [{}, "ok", user(_0="7"), user(_0=True), user(_16=[]), user(_0=-1)])
def test_it_reads_no_account_of_another_type(odd: Any) -> None:
    found = answer(ADAPTER, reply(), odd)
    assert isinstance(found, Trouble)
    assert found.code is FindingCode.UNPROVEN_PERMISSION


def test_it_is_told_of_a_paper_trading_account() -> None:
    found = answer(ADAPTER, reply(), user(_21=1))
    assert isinstance(found, Trouble)
    assert found.code is FindingCode.WRONG_ENVIRONMENT


@pytest.mark.parametrize(
    ("do", "outage"), [("wrong", False), ("10114", False), ("20060", True), ("503", True)]
)
def test_a_key_that_is_refused_with_status_500_is_no_outage(
    do: str, outage: bool, simulator: Simulator, client: AskOnce
) -> None:
    """Else five wrong keys of a stranger would hold up the checks of everybody."""
    key = credentials(fresh(1) if do == "wrong" else fresh(0))
    if do == "503":
        simulator.behave("bitfinex", "http_status", status=503)
    elif do != "wrong":
        simulator.behave("bitfinex", "refuse", code=do)
    found = client("bitfinex", key)
    assert isinstance(found, Trouble)
    assert found.outage is outage
