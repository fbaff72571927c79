"""What is its own beside Bybit's reading, which test_bybit.py holds."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges.base import KeyReport, Market, Trouble
from apikeys.exchanges.bybiteu import ADAPTER
from apikeys.flows.decide import Outcome
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import GROUPS, POLICY, TRADING, bybit, bybit_good, codes, judge
from tests.exchange_simulator.exchanges import EXCHANGES as SIMULATED
from tests.exchange_simulator.exchanges.bybiteu import fresh
from tests.exchange_simulator.simulator import Simulator

OURS = replace(POLICY, partner_apps={"bybiteu": "Sequence Bots"})
ENTRIES = sorted({entry for entries in GROUPS.values() for entry in entries})
APP: dict[str, Any] = {"type": 2, "note": "Sequence Bots", "ips": []}


@settings(deadline=None)  # a busy machine is slow now and then
@given(
    st.dictionaries(
        st.sampled_from(list(GROUPS)),
        st.none() | st.lists(st.sampled_from(ENTRIES), unique=True),
        max_size=4,
    ),
    st.sampled_from([0, 1, None]),
)
def test_it_accepts_what_the_rule_accepts_and_nothing_else(
    changed: dict[str, Any], read_only: int | None
) -> None:
    groups = bybit_good("spot") | {name: entries and tuple(entries) for name, entries in changed.items()}
    strays = [
        (name, entry)
        for name, entries in groups.items()
        for entry in entries or ()
        if entry not in TRADING.get(name, ())
    ]
    may_pass = (
        not strays
        and "SpotTrade" in (groups["Spot"] or ())
        and read_only == 0
        and groups["Wallet"] is not None
    )
    outcome = judge("bybiteu", "spot", bybit(groups, read_only)).outcome
    assert (outcome is Outcome.ACCEPTED) is may_pass


@pytest.mark.parametrize(
    "moving", ["Withdraw", "AccountTransfer", "SubMemberTransfer", "SubMemberTransferList"]
)
@pytest.mark.parametrize("more", [{}, APP])
def test_it_refuses_each_wallet_right_even_of_our_own_app(moving: str, more: dict[str, Any]) -> None:
    told = bybit(bybit_good("spot") | {"Wallet": (moving,)}, **more)
    assert "forbidden_permission" in codes(judge("bybiteu", "spot", told, OURS))


def test_it_takes_a_key_of_our_app_for_bound_to_us_and_permanent() -> None:
    told = bybit(bybit_good("spot"), **APP, deadlineDay=30, expiredAt="2027-03-14T00:00:00Z")
    decision = judge("bybiteu", "spot", told, OURS)
    assert decision.outcome is Outcome.ACCEPTED
    assert codes(decision) == set()


@pytest.mark.parametrize(
    ("note", "apps"),
    [
        ("Other Bots", {"bybiteu": "Sequence Bots"}),
        ("Sequence Bots", {"bybit": "Sequence Bots"}),
        ("Sequence Bots", {}),
        ("", {"bybiteu": "Sequence Bots"}),
    ],
)
def test_it_refuses_a_key_of_another_app(note: str, apps: dict[str, str]) -> None:
    told = bybit(bybit_good("spot"), **APP | {"note": note})
    decision = judge("bybiteu", "spot", told, replace(POLICY, partner_apps=apps))
    assert decision.outcome is Outcome.REFUSED
    assert codes(decision) == {"app_foreign"}
    assert "choose Sequence in the list of apps" in decision.findings[0].to_do


def test_it_warns_of_a_key_of_the_customer_s_own_that_is_bound_to_nothing() -> None:
    assert codes(judge("bybiteu", "spot", bybit(bybit_good("spot"), ips=["*"]), OURS)) == {"ip_open"}


def test_it_offers_spot_only() -> None:
    assert ADAPTER.markets == (Market.SPOT,)


@pytest.mark.parametrize(
    ("asked", "home", "name"), [("bybit", "bybiteu", "Bybit EU"), ("bybiteu", "bybit", "Bybit")]
)
def test_it_tells_a_key_of_the_one_at_the_other(
    asked: str, home: str, name: str, simulator: Simulator, client: AskOnce
) -> None:
    found = client(asked, credentials(SIMULATED[home].fresh(0)))
    assert isinstance(found, Trouble)
    assert (found.code, found.belongs_to) == ("wrong_region", name)


def test_it_is_asked_at_its_own_address(simulator: Simulator, client: AskOnce) -> None:
    assert isinstance(client("bybiteu", credentials(fresh(0))), KeyReport)
    assert {call["host"] for call in simulator.calls()["bybiteu"]["calls"]} == {"api.bybit.eu"}
