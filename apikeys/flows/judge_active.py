"""What a later check of an active key comes to. Pure: an answer and how the key stood before go in, how it
stands from now on comes out.

The key stays active in every case, since stopping the bot is its customer's or support's word. What the
exchange says of the key itself is believed; what says nothing of it, or not why, changes nothing: a bad hour
of an exchange, of a network or of ours must not make a good key a problem.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from apikeys.exchanges.base import FORBIDDEN_RIGHTS, KeyReport, Trouble
from apikeys.findings import RETRIED, Finding, FindingCode, Severity
from apikeys.flows.decide import Policy, TradingBot, decide
from apikeys.wording import trouble_finding_of_active

_CODE = FindingCode
# The customer is told, once, and the key's page says so until a check finds it in order.
PROBLEMS = frozenset(
    {
        _CODE.WRONG_ENVIRONMENT,
        _CODE.WRONG_REGION,
        _CODE.NOT_FOUND,
        _CODE.BAD_SIGNATURE,
        _CODE.BAD_PASSPHRASE,
        _CODE.EXPIRED,
        _CODE.ACCOUNT_RESTRICTED,
        _CODE.INVALID_CREDENTIALS,
        _CODE.IP_BLOCKED,
        _CODE.IP_NOT_OURS,
        _CODE.MISSING_PERMISSION,
        _CODE.PRODUCT_NOT_ENABLED,
        _CODE.FORBIDDEN_PERMISSION,
    }
)
# Shown to the desk only, the more serious first. An exchange that adds a name to its rights must not become
# an outage, and which account a key belongs to is for a person to judge.
_CONCERNS = (_CODE.WRONG_ACCOUNT, _CODE.UNPROVEN_PERMISSION)
# On a new key some of these refuse; on an active one they are told beside the rest.
_SEVERITY_WHEN_ACTIVE = {
    _CODE.IP_EXTRA: Severity.WARN,
    _CODE.IP_OPEN: Severity.WARN,
    _CODE.APP_FOREIGN: Severity.WARN,
    _CODE.EXPIRES_SOON: Severity.WARN,
    _CODE.INHERENT_TRANSFER: Severity.TELL,
}
# Of ApiKey.unknown_rights. No name that an exchange gives holds a comma and a space.
SEPARATOR, _LONGEST_NAMES = ", ", 200


class Outcome(Enum):
    """As KeyCheck.Outcome names them."""

    IN_ORDER = "in_order"
    PROBLEM = "problem"
    CONCERN = "concern"
    DOUBT = "doubt"  # refused without a reason; a second look decides
    RETRY = "retry"


class Standing(Protocol):
    """How an active key stood before the check; an ApiKey is one."""

    problem: str
    concern: str
    unknown_rights: str
    revoke_at: datetime | None
    doubted_since: datetime | None
    failing_since: datetime | None
    failed_checks: int

    @property
    def findings(self) -> list[Finding]: ...


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things may last."""

    second_look: timedelta  # between a refusal without a reason and the one that confirms it
    give_up: timedelta  # without an answer, until the desk is told
    grace: timedelta  # between a right to move money and the end of the key


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the key stands after the check: fields of ApiKey under their own names.

    found: all that this check found, for the desk. shown: what the customer's page lists from now on.
    """

    outcome: Outcome
    found: tuple[Finding, ...]
    shown: tuple[Finding, ...]
    problem: str
    concern: str
    unknown_rights: str
    revoke_at: datetime | None
    doubted_since: datetime | None
    failing_since: datetime | None
    failed_checks: int


def judge(
    answer: KeyReport | Trouble, before: Standing, bot: TradingBot, policy: Policy, terms: Terms
) -> Verdict:
    if isinstance(answer, KeyReport):
        return _judge_report(answer, before, bot, policy, terms)
    finding = trouble_finding_of_active(answer, bot.adapter)
    if answer.code in RETRIED:
        return _no_answer(finding, before, policy.now, terms)
    if answer.code is _CODE.INVALID_CREDENTIALS:
        since = before.doubted_since or policy.now
        if policy.now < since + terms.second_look:
            return replace(_answered(before), outcome=Outcome.DOUBT, found=(finding,), doubted_since=since)
        return replace(_refused(finding, before), doubted_since=since)
    if answer.code in PROBLEMS and answer.code is not _CODE.FORBIDDEN_PERMISSION:
        return _refused(finding, before)
    # Unreadable, or a code that a refusal should not have: nothing that its customer could mend. A right too
    # many is proved by a report and by nothing else.
    verdict = _answered(before)
    return replace(
        verdict,
        outcome=Outcome.CONCERN,
        found=(finding,),
        concern=verdict.concern or _CODE.UNPROVEN_PERMISSION.value,
        unknown_rights=verdict.unknown_rights or finding.looked_at[:_LONGEST_NAMES],
    )


def _judge_report(
    report: KeyReport, before: Standing, bot: TradingBot, policy: Policy, terms: Terms
) -> Verdict:
    if not report.account_id:
        # A key stays with the account that it was made on. Silence about it by now is no sign of another one.
        policy = replace(policy, previous_account_id="")
    found = tuple(_as_active(item) for item in decide(report, bot, policy).findings)
    shown = tuple(item for item in found if item.code not in _CONCERNS)
    moves_money = bool(_first(found, (_CODE.FORBIDDEN_PERMISSION,)))
    if not moves_money and before.revoke_at is not None and not _is_proved_harmless(report):
        # A right that was on and is not spoken of any more is not off.
        moves_money, shown = True, (*_pending(before), *shown)
    problem = _CODE.FORBIDDEN_PERMISSION.value if moves_money else _first(found, PROBLEMS)
    concern = next((code.value for code in _CONCERNS if _first(found, (code,))), "")
    outcome = Outcome.PROBLEM if problem else Outcome.CONCERN if concern else Outcome.IN_ORDER
    return Verdict(
        outcome=outcome,
        found=found,
        shown=shown,
        problem=problem,
        concern=concern,
        unknown_rights=_unknown_rights(found),
        revoke_at=(before.revoke_at or policy.now + terms.grace) if moves_money else None,
        doubted_since=None,
        failing_since=None,
        failed_checks=0,
    )


def _is_proved_harmless(report: KeyReport) -> bool:
    return all(report.rights.get(right) is False for right in FORBIDDEN_RIGHTS)


def _pending(before: Standing) -> tuple[Finding, ...]:
    """For what the key is to be revoked, as long as it was not seen off."""
    if before.revoke_at is None:
        return ()
    return tuple(item for item in before.findings if item.code is _CODE.FORBIDDEN_PERMISSION)


def _as_active(item: Finding) -> Finding:
    return replace(item, severity=_SEVERITY_WHEN_ACTIVE.get(item.code, item.severity))


def _first(found: Iterable[Finding], codes: Iterable[FindingCode]) -> str:
    wanted = frozenset(codes)
    return next((item.code.value for item in found if item.code in wanted), "")


def _unknown_rights(found: Sequence[Finding]) -> str:
    """By which the desk groups: names as the exchange writes them, and rights of which it did not speak."""
    unproven = [item for item in found if item.code is _CODE.UNPROVEN_PERMISSION]
    names = {
        f"{item.looked_at}: not said" if item.found == "Not said" else item.looked_at for item in unproven
    }
    return SEPARATOR.join(sorted(names))[:_LONGEST_NAMES]


def _no_answer(finding: Finding, before: Standing, now: datetime, terms: Terms) -> Verdict:
    since = before.failing_since or now
    concern = before.concern
    if not concern and now >= since + terms.give_up:
        concern = finding.code.value
    return replace(
        _as_before(before),
        outcome=Outcome.RETRY,
        found=(finding,),
        concern=concern,
        failing_since=since,
        failed_checks=before.failed_checks + 1,
    )


def _refused(finding: Finding, before: Standing) -> Verdict:
    """The exchange refuses the key, and says why. That a right is off is not proved by it."""
    return replace(
        _answered(before),
        outcome=Outcome.PROBLEM,
        found=(finding,),
        shown=(finding, *_pending(before)),
        problem=finding.code.value,
    )


def _answered(before: Standing) -> Verdict:
    """The exchange is there, and said nothing of rights: what a report found before still holds."""
    silent = before.concern in RETRIED
    return replace(
        _as_before(before),
        concern="" if silent else before.concern,
        doubted_since=None,
        failing_since=None,
        failed_checks=0,
    )


def _as_before(before: Standing) -> Verdict:
    return Verdict(
        outcome=Outcome.IN_ORDER,
        found=(),
        shown=tuple(before.findings),
        problem=before.problem,
        concern=before.concern,
        unknown_rights=before.unknown_rights,
        revoke_at=before.revoke_at,
        doubted_since=before.doubted_since,
        failing_since=before.failing_since,
        failed_checks=before.failed_checks,
    )
