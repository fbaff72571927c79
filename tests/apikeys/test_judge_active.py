"""What a later check does to an active key, for every finding and every right, however it stood before."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.exchanges.base import AllowList, KeyReport, Right, Trouble
from apikeys.findings import Finding, FindingCode, Severity
from apikeys.flows.decide import Policy
from apikeys.flows.judge_active import Outcome, Terms, Verdict, judge
from tests.apikeys.raw_replies import BOTS, Trader

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TERMS = Terms(second_look=HOUR, give_up=24 * HOUR, grace=72 * HOUR)
POLICY = Policy(now=NOW, egress_ips=("203.0.113.10",), previous_account_id="77")
SPOT = BOTS["binance", "spot"]
NEEDED = {Right.READ, Right.SPOT}
MOVING = set(Right) - NEEDED - {Right.MARGIN, Right.DERIVATIVES, Right.OPTIONS}

# The column "active key" of the contract, written out once more.
PROBLEM, AFTER_SECOND_LOOK, WARNING, REVOKED_LATER, DESK, REMINDERS, RETRY, NOTHING = (
    *("problem", "second look", "warning", "revoked later", "desk", "reminders", "retry", "nothing"),
)
CONTRACT = {
    "malformed": NOTHING,
    "wrong_environment": PROBLEM,
    "wrong_region": PROBLEM,
    "not_found": PROBLEM,
    "bad_signature": PROBLEM,
    "bad_passphrase": PROBLEM,
    "expired": PROBLEM,
    "account_restricted": PROBLEM,
    "invalid_credentials": AFTER_SECOND_LOOK,
    "ip_blocked": PROBLEM,
    "ip_not_ours": PROBLEM,
    "ip_extra": WARNING,
    "app_foreign": WARNING,
    "inherent_transfer": NOTHING,
    "ip_open": WARNING,
    "missing_permission": PROBLEM,
    "product_not_enabled": PROBLEM,
    "forbidden_permission": REVOKED_LATER,
    "unproven_permission": DESK,
    "wrong_account": DESK,
    "duplicate": NOTHING,
    "expires_soon": REMINDERS,
    "clock": RETRY,
    "exchange_unavailable": RETRY,
}


@dataclass
class Key:
    """How an active key stands: the part of its row that the judgement reads."""

    problem: str = ""
    concern: str = ""
    unknown_rights: str = ""
    revoke_at: datetime | None = None
    doubted_since: datetime | None = None
    failing_since: datetime | None = None
    failed_checks: int = 0
    findings: list[Finding] = field(default_factory=list)

    def after(self, verdict: Verdict) -> "Key":
        told = {name: getattr(verdict, name) for name in vars(self) if name != "findings"}
        return Key(**told, findings=list(verdict.shown))


def report(**more: Any) -> KeyReport:
    rights = {right: right in NEEDED for right in Right} | more.pop("rights", {})
    usual: dict[str, Any] = {
        "allow_list": AllowList(bound=True, addresses=("203.0.113.10",)),
        "account_id": "77",
    }
    return KeyReport(rights, **(usual | more))


def later(answer: KeyReport | Trouble, before: Key, hours: float = 0, bot: Trader = SPOT) -> Verdict:
    policy = replace(POLICY, now=NOW + hours * HOUR)
    return judge(answer, before, bot, policy, TERMS)


# One report that leads to each finding which comes of a report, alone.
REPORTS = {
    "expired": (report(expires_at=NOW), SPOT),
    "ip_not_ours": (report(allow_list=AllowList(True, ("198.51.100.7",))), SPOT),
    "ip_extra": (report(allow_list=AllowList(True, ("203.0.113.10", "198.51.100.7"))), SPOT),
    "app_foreign": (report(third_party_app="Other"), SPOT),
    "inherent_transfer": (report(inherent_transfer=True), SPOT),
    "ip_open": (report(allow_list=AllowList(bound=False)), SPOT),
    "missing_permission": (report(rights={Right.SPOT: False}), SPOT),
    "product_not_enabled": (report(product_off=(Right.SPOT,)), SPOT),
    "forbidden_permission": (report(rights={Right.WITHDRAW: True}), SPOT),
    "unproven_permission": (report(unknown=("enableMagic",)), SPOT),
    "wrong_account": (report(account_id="78"), SPOT),
    "expires_soon": (report(expires_at=NOW + timedelta(days=5)), SPOT),
}


def test_the_table_names_every_finding() -> None:
    assert set(CONTRACT) == set(FindingCode.values)


@pytest.mark.parametrize("code", REPORTS)
def test_a_report_does_what_the_contract_says(code: str) -> None:
    answer, bot = REPORTS[code]
    verdict = later(answer, Key(), bot=bot)
    assert [item.code for item in verdict.found] == [code]
    shown = [(item.code.value, item.severity) for item in verdict.shown]
    wanting = code if CONTRACT[code] in (PROBLEM, REVOKED_LATER) else ""
    assert verdict.problem == wanting
    assert verdict.concern == (code if CONTRACT[code] == DESK else "")
    assert verdict.revoke_at == (NOW + 72 * HOUR if CONTRACT[code] == REVOKED_LATER else None)
    severity = {
        PROBLEM: Severity.REFUSE,
        REVOKED_LATER: Severity.REFUSE,
        WARNING: Severity.WARN,
        REMINDERS: Severity.WARN,
        NOTHING: Severity.TELL,
    }
    assert shown == ([] if CONTRACT[code] == DESK else [(code, severity[CONTRACT[code]])])


@pytest.mark.parametrize("code", FindingCode)
def test_a_refusal_does_what_the_contract_says(code: FindingCode) -> None:
    verdict = later(Trouble(code), Key())
    # As an error these are no exchange's answer: nothing is proved by one, and the desk looks at it.
    only_in_reports = (WARNING, REVOKED_LATER, REMINDERS, NOTHING)
    expected = DESK if CONTRACT[code] in only_in_reports else CONTRACT[code]
    assert verdict.problem == (code if expected == PROBLEM else "")
    assert verdict.concern == ("unproven_permission" if expected == DESK else "")
    assert verdict.revoke_at is None
    assert (
        verdict.outcome
        is {
            PROBLEM: Outcome.PROBLEM,
            DESK: Outcome.CONCERN,
            RETRY: Outcome.RETRY,
            AFTER_SECOND_LOOK: Outcome.DOUBT,
        }[expected]
    )


def test_an_account_that_is_not_told_by_now_is_no_other_account() -> None:
    verdict = later(report(account_id=""), Key())
    assert (verdict.outcome, verdict.found) == (Outcome.IN_ORDER, ())


def test_a_refusal_without_a_reason_counts_an_hour_later_and_not_before() -> None:
    refused = Trouble(FindingCode.INVALID_CREDENTIALS)
    key = Key()
    for hours in (0, 0.2, 0.9):
        verdict = later(refused, key, hours)
        assert (verdict.outcome, verdict.problem, verdict.doubted_since) == (Outcome.DOUBT, "", NOW)
        key = key.after(verdict)
    # No answer in between neither confirms nor clears it.
    key = key.after(later(Trouble(FindingCode.EXCHANGE_UNAVAILABLE), key, 0.95))
    assert later(refused, key, 1).problem == "invalid_credentials"
    well = later(report(), key, 1)
    assert (well.outcome, well.doubted_since) == (Outcome.IN_ORDER, None)
    assert later(refused, key.after(well), 2).outcome is Outcome.DOUBT


@pytest.mark.parametrize("code", ["clock", "exchange_unavailable"])
def test_silence_reaches_the_desk_after_a_day_and_the_customer_never(code: str) -> None:
    silent, key = Trouble(FindingCode(code)), Key()
    for hours in (0, 1, 12, 23.9):
        key = key.after(later(silent, key, hours))
        assert (key.problem, key.concern, key.findings) == ("", "", [])
    key = key.after(later(silent, key, 24))
    assert (key.problem, key.concern, key.failed_checks, key.findings) == ("", code, 5, [])
    well = later(report(), key, 25)
    assert (well.concern, well.failed_checks, well.failing_since) == ("", 0, None)


def test_the_worst_of_several_findings_is_the_problem() -> None:
    both = report(rights={Right.WITHDRAW: True}, allow_list=AllowList(True, ("198.51.100.7",)))
    verdict = later(both, Key())
    assert (verdict.problem, verdict.revoke_at) == ("forbidden_permission", NOW + 72 * HOUR)
    assert {item.code for item in verdict.shown} == {"forbidden_permission", "ip_not_ours"}
    harmless = later(replace(both, rights=report().rights), Key().after(verdict), 1)
    assert (harmless.problem, harmless.revoke_at) == ("ip_not_ours", None)


def test_unknown_rights_and_silence_about_known_ones_are_named_for_the_desk() -> None:
    verdict = later(report(unknown=("zeta", "alpha"), rights={Right.TRANSFER: None}), Key())
    assert verdict.unknown_rights == "Transfers: not said, alpha, zeta"
    assert (verdict.problem, verdict.shown) == ("", ())


WIDE = later(report(rights={Right.WITHDRAW: True}), Key())


@pytest.mark.parametrize(
    "answer",
    [
        *(Trouble(code) for code in FindingCode),
        report(rights={Right.WITHDRAW: None}),
        report(rights={Right.WITHDRAW: None}, allow_list=AllowList(True, ("198.51.100.7",))),
    ],
    ids=[*FindingCode.values, "not said", "not said, other addresses"],
)
def test_only_a_report_that_says_off_takes_a_revocation_back(answer: KeyReport | Trouble) -> None:
    key = Key().after(WIDE)
    verdict = later(answer, key, 2)
    assert verdict.revoke_at == NOW + 72 * HOUR
    assert verdict.problem
    assert "forbidden_permission" in {item.code for item in verdict.shown}
    assert later(report(), key.after(verdict), 3).revoke_at is None


answers = st.one_of(
    st.builds(Trouble, st.sampled_from(FindingCode)),
    st.builds(
        report,
        rights=st.dictionaries(st.sampled_from(Right), st.sampled_from([True, False, None])),
        unknown=st.lists(st.text(min_size=1, max_size=30), max_size=3).map(tuple),
        product_off=st.sets(st.sampled_from(Right)).map(tuple),
        account_id=st.sampled_from(["", "77", "78"]),
        allow_list=st.builds(
            AllowList, st.sampled_from([True, False, None]), st.sampled_from([None, (), ("203.0.113.10",)])
        ),
        expires_at=st.sampled_from([None, NOW - HOUR, NOW + HOUR, NOW + timedelta(days=400)]),
    ),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(answers, st.floats(0.01, 30)), min_size=1, max_size=12))
def test_whatever_happens_in_whatever_order(answers_in_turn: list[tuple[KeyReport | Trouble, float]]) -> None:
    """A key is accused only of what an answer states, and a date that was set is taken back only by proof."""
    key, hours = Key(), 0.0
    for answer, pause in answers_in_turn:
        hours += pause
        verdict = later(answer, key, hours)
        after = key.after(verdict)
        if isinstance(answer, Trouble):
            if CONTRACT[answer.code] == RETRY:
                assert (after.problem, after.findings) == (key.problem, key.findings)
            if answer.code == "invalid_credentials" and key.doubted_since is None:
                assert after.problem == key.problem
            assert after.revoke_at == key.revoke_at
            assert after.problem in (key.problem, answer.code)
        else:
            on = {right for right in MOVING if answer.rights[right] is True}
            off = all(answer.rights[right] is False for right in MOVING)
            assert (after.revoke_at is not None) == bool(on or (key.revoke_at and not off))
            if on:
                assert after.problem == "forbidden_permission"
                assert after.revoke_at == (key.revoke_at or NOW + hours * HOUR + 72 * HOUR)
            wanting = {right for right in NEEDED if answer.rights[right] is False}
            assert not wanting or after.problem
            if after.problem == "":
                assert after.revoke_at is None
        assert after.concern in ("", "unproven_permission", "wrong_account", "clock", "exchange_unavailable")
        assert not {"unproven_permission", "wrong_account"} & {item.code for item in after.findings}
        assert len(after.unknown_rights) <= 200
        key = after
