"""What is its own beside Binance's reading, which test_binance.py holds."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges import binance
from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import KeyReport, Right, Trouble
from apikeys.exchanges.binanceus import ACCOUNT, ADAPTER, PERMISSIONS
from apikeys.flows.decide import Outcome
from apikeys.wording import trouble_finding
from tests.apikeys.conversing import answer, converse
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import codes, judge
from tests.exchange_simulator.exchanges import EXCHANGES as SIMULATED
from tests.exchange_simulator.simulator import Simulator

# By what the rule asks of each flag at an exchange that has spot trading only.
NEEDED = ("enableReading", "enableSpotAndMarginTrading")
MOVING = ("enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer")
OTHER_PRODUCTS = ("enableMargin", "enableFutures", "enableVanillaOptions")
GOOD = dict.fromkeys(NEEDED, True) | dict.fromkeys(MOVING, False)


def reply(**flags: bool | None) -> dict[str, Any]:
    """None takes a flag out."""
    told = {"ipRestrict": True, **GOOD, **flags}
    return {name: value for name, value in told.items() if value is not None}


def test_it_reads_a_good_key_and_its_account() -> None:
    report, calls = converse(ADAPTER, reply(), {"uid": 35012345})
    assert isinstance(report, KeyReport)
    assert {right for right, granted in report.rights.items() if granted} == {Right.READ, Right.SPOT}
    assert None not in report.rights.values()
    assert report.account_id == "35012345"
    assert calls == [PERMISSIONS, ACCOUNT]


@settings(deadline=None)  # a busy machine is slow now and then
@given(
    st.dictionaries(
        st.sampled_from([*NEEDED, *MOVING, *OTHER_PRODUCTS, "enableNew"]),
        st.sampled_from([True, False, None]),
    )
)
def test_it_accepts_what_the_rule_accepts_and_nothing_else(flags: dict[str, bool | None]) -> None:
    told: dict[str, bool | None] = {**GOOD, **flags}
    may_pass = (
        all(told[name] is True for name in NEEDED)
        and all(told[name] is False for name in MOVING)
        and not told.get("enableNew")
    )
    assert (judge("binanceus", "spot", reply(**flags)).outcome is Outcome.ACCEPTED) is may_pass


@pytest.mark.parametrize("name", MOVING)
def test_it_proves_nothing_where_a_moving_flag_is_left_out(name: str) -> None:
    assert "unproven_permission" in codes(judge("binanceus", "spot", reply(**{name: None})))


@pytest.mark.parametrize(
    ("told", "finding"),
    [
        (Reply(404, None), "unproven_permission"),
        (Reply(404, {"code": -1000, "msg": "path not found"}), "unproven_permission"),
        (Reply(200, None), "unproven_permission"),
        (Reply(200, {"success": False, "msg": "Invalid path."}), "unproven_permission"),
        (
            Reply(200, {"canTrade": True, "canWithdraw": False, "permissions": ["SPOT"]}),
            "unproven_permission",
        ),
    ],
)
def test_it_takes_an_answer_that_is_not_as_binance_s_for_no_proof(told: Reply, finding: str) -> None:
    found = answer(ADAPTER, told)
    assert isinstance(found, Trouble)
    assert found.code == finding


@pytest.mark.parametrize(("asked", "home"), [("binance", "binanceus"), ("binanceus", "binance")])
def test_it_tells_a_key_of_the_one_at_the_other(
    asked: str, home: str, simulator: Simulator, client: AskOnce
) -> None:
    found = client(asked, credentials(SIMULATED[home].fresh(0)))
    assert isinstance(found, Trouble)
    name = {"binance": "Binance", "binanceus": "Binance.US"}[home]
    assert (found.code, found.belongs_to) == ("wrong_region", name)
    adapter = ADAPTER if asked == "binanceus" else binance.ADAPTER
    assert trouble_finding(found, adapter).found == f"A key of {name}"
