"""A later check of an active key: when it is due, whether it says anything new, and what is written then."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DataError, transaction

from apikeys import reports, transitions
from apikeys.exchanges.base import KeyReport, Trouble
from apikeys.findings import FindingCode
from apikeys.flows import judge_active
from apikeys.flows.decide import Policy
from apikeys.flows.judge_active import Outcome, Terms, Verdict
from apikeys.flows.tell_active import Before, tell
from apikeys.models import ApiKey, KeyCheck
from apikeys.status import KeyStatus

logger = logging.getLogger(__name__)

_DAY = timedelta(days=1)


def next_due(key: ApiKey, now: datetime) -> datetime:
    """When to look at an active key again, from how it stands.

    Daily, at a time of the day of its own, so that checks are spread over the day and stay so. Sooner while
    something is wrong, before the key ends, and before it is to be revoked.
    """
    if key.failing_since is not None:
        pauses = settings.RECHECK_PAUSES
        pause = pauses[min(max(key.failed_checks, 1), len(pauses)) - 1]
        # All keys of an exchange fail together, and must not come back together.
        return now + pause * (1 + _share(key) / 2)
    due = _daily(key, now)
    if key.problem and key.problem_since is not None:
        due = min(due, now + max(now - key.problem_since, settings.RECHECK_PROBLEM))
    if key.doubted_since is not None and not key.problem:
        due = min(due, max(now, key.doubted_since + settings.SECOND_LOOK))
    if key.expires_at is not None and now < key.expires_at <= now + settings.RECHECK_ENDING:
        due = min(due, now + settings.RECHECK_ENDING_PAUSE, key.expires_at + settings.RECHECK_ENDED)
    if key.revoke_at is not None and now < key.revoke_at - settings.RECHECK_LAST:
        due = min(due, key.revoke_at - settings.RECHECK_LAST)
    return due


def _daily(key: ApiKey, now: datetime) -> datetime:
    """The first time of the key's own within the day that is at least half a day off."""
    earliest = now + _DAY / 2
    midnight = earliest.replace(hour=0, minute=0, second=0, microsecond=0)
    due = midnight + _DAY * _share(key)
    return due if due >= earliest else due + _DAY


def _share(key: ApiKey) -> float:
    """From 0 to 1, as good as evenly spread over all keys, and always the same for one."""
    return (key.pk.int % 86_400) / 86_400


def is_unchanged(key: ApiKey, answer: KeyReport | Trouble, now: datetime) -> bool:
    """Whether `conclude` would write nothing but when the key was looked at. Asks no database."""
    if key.problem and key.problem_mailed_at is None:
        return False
    if isinstance(answer, KeyReport) and reports.as_json(answer) != key.report_json:
        return False
    verdict = _judge(key, answer, now)
    return all(getattr(key, name) == value for name, value in _fields(verdict).items())


def conclude(claimed: ApiKey, answer: KeyReport | Trouble, *, started_at: datetime, now: datetime) -> None:
    """Judge the answer and write what follows from it. Changes nothing where the claim is gone meanwhile."""
    try:
        _conclude(claimed, answer, started_at, now)
    except DataError as error:
        # What the exchange said does not fit the database. Asking for it again and again would not end.
        logger.error("Key %s: the answer cannot be kept: %s", claimed.pk, type(error).__name__)
        unfit = Trouble(FindingCode.UNPROVEN_PERMISSION, exchange_code="unfit")
        _conclude(claimed, unfit, started_at, now)


@transaction.atomic
def _conclude(claimed: ApiKey, answer: KeyReport | Trouble, started_at: datetime, now: datetime) -> None:
    transitions.lock_bot(claimed.bot_id)
    rows = ApiKey.objects.select_related("bot__customer").defer("sealed")
    key = rows.filter(pk=claimed.pk, claim=claimed.claim, status=KeyStatus.ACTIVE).first()
    if key is None:
        logger.info("Key %s was replaced or ended meanwhile; this answer is dropped", claimed.pk)
        return
    before, verdict = Before.of(key), _judge(key, answer, now)
    _note(key, answer, verdict, started_at, now)
    changes = _fields(verdict) | _times(key, verdict, now)
    if isinstance(answer, KeyReport):
        changes |= _reported(key, answer)
    if verdict.outcome is not Outcome.RETRY:
        changes["checked_at"] = now
    for name, value in changes.items():
        setattr(key, name, value)
    tell(key, before, now)
    key.check_due_at = next_due(key, now)
    if isinstance(answer, Trouble) and answer.retry_after is not None:
        key.check_due_at = max(key.check_due_at, now + min(timedelta(seconds=answer.retry_after), _DAY))
    key.claim = key.claimed_until = None
    key.save(update_fields={*changes, "problem_mailed_at", "check_due_at", "claim", "claimed_until"})
    logger.info("Key %s: %s", key.pk, verdict.outcome.value)


def _judge(key: ApiKey, answer: KeyReport | Trouble, now: datetime) -> Verdict:
    policy = Policy(
        now=now,
        egress_ips=settings.PORTAL_EGRESS_IPS,
        partner_apps=settings.PARTNER_APPS,
        previous_account_id=key.account_id,
        confirmed_account_id=key.confirmed_account_id,
        expires_soon=settings.EXPIRES_SOON,
    )
    terms = Terms(
        second_look=settings.SECOND_LOOK, give_up=settings.CHECK_GIVE_UP, grace=settings.REVOKE_AFTER
    )
    return judge_active.judge(answer, key, key.bot, policy, terms)


def _fields(verdict: Verdict) -> dict[str, object]:
    return {
        "problem": verdict.problem,
        "concern": verdict.concern,
        "unknown_rights": verdict.unknown_rights,
        "revoke_at": verdict.revoke_at,
        "doubted_since": verdict.doubted_since,
        "failing_since": verdict.failing_since,
        "failed_checks": verdict.failed_checks,
        "findings_json": [item.as_json() for item in verdict.shown],
    }


def _times(key: ApiKey, verdict: Verdict, now: datetime) -> dict[str, object]:
    """Since when the key stands so."""
    times: dict[str, object] = {}
    if verdict.problem != key.problem:
        times["problem_since"] = now if verdict.problem else None
        times["problem_mailed_at"] = None
    if verdict.concern != key.concern:
        times["concern_since"] = now if verdict.concern else None
    return times


def _reported(key: ApiKey, report: KeyReport) -> dict[str, object]:
    """What the report says of the key. The account that the key was accepted for stays until support settles
    another one."""
    known = {"", key.account_id, key.confirmed_account_id}
    account_id = report.account_id if report.account_id in known or not key.account_id else key.account_id
    return {
        "report_json": reports.as_json(report),
        "account_id": account_id or key.account_id,
        "region": report.region,
        "expires_at": report.expires_at,
        "permanent": report.permanent,
    }


def _note(
    key: ApiKey, answer: KeyReport | Trouble, verdict: Verdict, started_at: datetime, now: datetime
) -> None:
    """A row for the desk. In an outage of days only the first failure and the one that calls a person have
    one: the rest are in the key's counters."""
    repeated = verdict.outcome is Outcome.RETRY and key.failed_checks and verdict.concern == key.concern
    if repeated:
        return
    KeyCheck.objects.create(
        key=key,
        started_at=started_at,
        finished_at=now,
        outcome=verdict.outcome.value,
        findings_json=[item.as_json() for item in verdict.found],
        report_json=reports.as_json(answer) if isinstance(answer, KeyReport) else None,
        exchange_code=answer.exchange_code if isinstance(answer, Trouble) else "",
    )
