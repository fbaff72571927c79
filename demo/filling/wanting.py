"""Active keys that a later check found wanting: what `judge_active` makes of invented answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings

from accounts.audit_verbs import Verb
from apikeys import attention, reports
from apikeys.exchanges.base import Trouble
from apikeys.findings import Finding, FindingCode
from apikeys.flows import judge_active
from apikeys.flows.decide import Policy
from apikeys.flows.judge_active import Terms, Verdict
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from demo.filling import answers
from demo.filling.bulk import as_json
from notifications.facts import Fact
from notifications.kinds import MailKind

# What is wrong with an active key, of a thousand bots so many.
SHARES = {
    answers.GONE: 6,
    answers.NOT_OURS: 4,
    answers.ENDED: 3,
    answers.UNKNOWN: 2,
    answers.WITHDRAW: 1,
    answers.AWAY: 1,
    answers.OTHER_ACCOUNT: 1,
}
_BEFORE = "1"  # another account than `answers.ACCOUNT`


@dataclass(frozen=True, slots=True)
class Found:
    """Columns of the key and of that check, and what its customer was told."""

    key: dict[str, Any]
    check: dict[str, Any]
    event: Verb | None
    words: dict[str, str]
    mail: MailKind | None
    facts: dict[str, Fact]


def find(
    kind: str, bot: Bot, *, last_four: str, account: str, since: datetime, day: datetime
) -> Found | None:
    """kind: of SHARES. day: as of which it is judged. None where such an answer is in order there."""
    verdict, report = _judged(kind, bot.exchange, bot.market, day)
    if not (verdict.problem or verdict.concern):
        return None
    shown, found = (
        as_json([item.as_json() for item in items]).replace(answers.ACCOUNT, f"{int(account) + 1}")
        for items in (verdict.shown, verdict.found)
    )
    silent = verdict.outcome is judge_active.Outcome.RETRY
    key: dict[str, Any] = {
        "problem": verdict.problem,
        "problem_since": since if verdict.problem else None,
        "problem_mailed_at": since if verdict.problem else None,
        "concern": verdict.concern,
        "concern_since": since if verdict.concern else None,
        "unknown_rights": verdict.unknown_rights,
        "revoke_at": since + settings.REVOKE_AFTER if verdict.revoke_at else None,
        "findings_json": shown,
        "failing_since": since - settings.CHECK_GIVE_UP if silent else None,
        "failed_checks": 14 if silent else 0,
    }
    if report is not None:
        report = report.replace(answers.ACCOUNT, account)
        key["report_json"] = report
    check = {"outcome": verdict.outcome.value, "findings_json": found, "report_json": report}
    if not verdict.problem:
        return Found(key, check, None, {}, None, {})
    # As the sentences want it: a row with its bot.
    row = ApiKey(
        bot=bot,
        exchange=bot.exchange,
        status=KeyStatus.ACTIVE,
        last_four=last_four,
        problem=verdict.problem,
        revoke_at=key["revoke_at"],
        findings_json=[item.as_json() for item in verdict.shown],
    )
    widened = row.revoke_at is not None
    facts: dict[str, Fact] = {
        "last_four": last_four,
        "problem": attention.problem_in_words(row.problem),
        "works": attention.what_works(row),
        "to_come": attention.what_is_to_come(row),
        "mend": attention.how_to_mend(row),
        "findings": attention.wanting(row),
        "freed": False,
    }
    if row.revoke_at is not None:
        words = {"moment": attention.moment_in_words(row.revoke_at)}
    else:
        words = {"problem": attention.problem_in_words(row.problem)}
    return Found(
        key,
        check,
        Verb.KEY_WIDENED if widened else Verb.KEY_PROBLEM,
        words,
        MailKind.API_WIDENED if widened else MailKind.API_PROBLEM,
        facts,
    )


@dataclass(slots=True)
class _InOrder:
    """How the key stood before; `failing_since` where the exchange had said nothing for as long as may be."""

    failing_since: datetime | None
    problem: str = ""
    concern: str = ""
    unknown_rights: str = ""
    revoke_at: datetime | None = None
    doubted_since: datetime | None = None
    failed_checks: int = 0

    @property
    def findings(self) -> list[Finding]:
        return []


@cache
def _judged(kind: str, exchange: str, market: str, day: datetime) -> tuple[Verdict, str | None]:
    """With the report as text, where the answer is one. `answers.ACCOUNT` stands for an account in it."""
    ended = Trouble(FindingCode.EXPIRED)
    answer = ended if kind == answers.ENDED else answers.said(kind, exchange, market, day)
    verdict = judge_active.judge(
        answer,
        _InOrder(day - settings.CHECK_GIVE_UP - timedelta(hours=1) if kind == answers.AWAY else None),
        Bot(exchange=exchange, market=market),
        Policy(
            now=day,
            egress_ips=answers.OURS,
            previous_account_id=_BEFORE if kind == answers.OTHER_ACCOUNT else "",
        ),
        Terms(second_look=settings.SECOND_LOOK, give_up=settings.CHECK_GIVE_UP, grace=settings.REVOKE_AFTER),
    )
    return verdict, None if isinstance(answer, Trouble) else as_json(reports.as_json(answer))
