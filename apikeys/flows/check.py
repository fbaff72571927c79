"""A worker asks the exchange about a key. The claim commits first, the exchange is asked outside any
transaction, and the verdict opens a second one. A worker that dies in between loses its claim, and the
schedule rings again; one that comes late finds that its claim is gone, and changes nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DataError, transaction
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from apikeys import reports, transitions, vault
from apikeys.exchanges.base import SEALED, Credentials, KeyReport, Trouble
from apikeys.findings import FindingCode, Severity
from apikeys.flows import breaker, recheck
from apikeys.flows.activate import accept
from apikeys.flows.decide import Decision, Outcome, Policy, decide, decide_trouble
from apikeys.flows.refuse import refuse
from apikeys.flows.settle_account import previous_account
from apikeys.models import ApiKey, KeyCheck
from apikeys.status import KeyStatus
from apikeys.vault import Sealed
from apikeys.wording import gave_up_finding
from telemetry import tallies
from telemetry.models import What
from telemetry.tallies import Counted

logger = logging.getLogger(__name__)

Ask = Callable[[str, Credentials, str], KeyReport | Trouble]
# A key that waits for a person is refused after this long without a word.
HOLD = timedelta(days=7)


def check(key_id: UUID, *, ask: Ask) -> str:
    """Check one key that is due, unless somebody else does; say in a word what came of it. An active key is
    due here when support asks for a look at it, the daily ones come by `sweep`.

    ask: takes an exchange id, credentials, and the region in which the key was known before.
    """
    started_at = timezone.now()
    key = _claim(key_id, started_at)
    if key is None:
        return "not due"
    if _was_held_too_long(key, started_at):
        _give_back(key, started_at)
        return "nobody confirmed it"
    held_back = breaker.held_back(key.bot.exchange, started_at)
    answer, envelope = (held_back, None) if held_back else _open_and_ask(key, ask)
    if not held_back:
        breaker.record(key.bot.exchange, answer, timezone.now(), began=started_at)
    if key.status == KeyStatus.ACTIVE:
        recheck.conclude(key, answer, started_at=started_at, now=timezone.now())
        tallies.count(Counted(What.CHECK, key.bot.exchange, "checked again"))
        return "checked again"
    try:
        outcome = _conclude(key, answer, envelope, started_at)
    except DataError as error:
        # What the exchange said does not fit the database. Asking for it again and again would not end.
        logger.error("Key %s: the answer cannot be kept: %s", key.pk, type(error).__name__)
        unfit = Trouble(FindingCode.UNPROVEN_PERMISSION, exchange_code="unfit")
        outcome = _conclude(key, unfit, None, started_at)
    if outcome is None:
        return "decided meanwhile"
    _count(key, answer, outcome)
    return outcome.value


def _count(claimed: ApiKey, answer: KeyReport | Trouble, outcome: Outcome) -> None:
    """For the figures, after the commit. A key that waited for support is no measure of how quick we are."""
    ours = {SEALED: "unopened", breaker.HELD_BACK: "held back"}
    why = ours.get(answer.exchange_code) if isinstance(answer, Trouble) else None
    counted = [Counted(What.CHECK, claimed.bot.exchange, why or outcome.value)]
    waited_for_support = claimed.held or claimed.confirmed_account_id
    if outcome is not Outcome.RETRY and not waited_for_support:
        counted.append(tallies.verdict((timezone.now() - claimed.submitted_at).total_seconds()))
    tallies.count(*counted)


def _claim(key_id: UUID, now: datetime) -> ApiKey | None:
    claim = uuid4()
    claimed = ApiKey.objects.checkable(now).filter(pk=key_id)
    if not claimed.update(claim=claim, claimed_until=now + settings.CHECK_CLAIM, leased=False):
        return None
    return ApiKey.objects.select_related("bot").filter(pk=key_id, claim=claim).first()


def _was_held_too_long(key: ApiKey, now: datetime) -> bool:
    return key.held and now >= key.submitted_at + HOLD


@transaction.atomic
def _give_back(claimed: ApiKey, now: datetime) -> None:
    """Nobody confirmed the key in time: refused for what it was held for, without asking again."""
    transitions.lock_bot(claimed.bot_id)
    key = _claimed(claimed)
    if key is not None:
        refuse(key, [replace(finding, severity=Severity.REFUSE) for finding in key.findings], now=now)


def _claimed(claimed: ApiKey) -> ApiKey | None:
    """The row as it is now, or None where this claim on it is gone."""
    rows = ApiKey.objects.select_related("bot__customer")
    return rows.filter(pk=claimed.pk, claim=claimed.claim, status=KeyStatus.CHECKING).first()


def _open_and_ask(key: ApiKey, ask: Ask) -> tuple[KeyReport | Trouble, Sealed | None]:
    """Plaintext lives in this call only, so the copy for the engine is sealed here too, where there is one
    and does not have this key yet.

    What cannot be opened is ours to mend, and tried again meanwhile.
    """
    bot = key.bot
    try:
        credentials = vault.open_sealed(
            bytes(key.sealed or b""), key.seal_id, key_id=key.pk, bot_id=bot.bot_id, exchange=bot.exchange
        )
    except vault.SealError as error:
        logger.error("Key %s cannot be checked: %s", key.pk, error)
        return Trouble(FindingCode.EXCHANGE_UNAVAILABLE, exchange_code=SEALED), None
    answer = ask(bot.exchange, credentials, key.region)
    if isinstance(answer, Trouble) or key.status == KeyStatus.ACTIVE:
        return answer, None
    envelope = vault.seal_for_engine(credentials, key_id=key.pk, bot_id=bot.bot_id, exchange=bot.exchange)
    return answer, envelope


@transaction.atomic
def _conclude(
    claimed: ApiKey, answer: KeyReport | Trouble, envelope: Sealed | None, started_at: datetime
) -> Outcome | None:
    """None where the claim is gone."""
    transitions.lock_bot(claimed.bot_id)
    now = timezone.now()
    key = _claimed(claimed)
    if key is None:
        logger.info("Key %s was decided or taken back meanwhile; this answer is dropped", claimed.pk)
        return None
    answer = _while_unheard(key, answer, now)
    decision = _decide(key, answer, now)
    KeyCheck.objects.create(
        key=key,
        started_at=started_at,
        finished_at=now,
        outcome=decision.outcome.value,
        findings_json=[finding.as_json() for finding in decision.findings],
        report_json=reports.as_json(answer) if isinstance(answer, KeyReport) else None,
        exchange_code=answer.exchange_code if isinstance(answer, Trouble) else "",
    )
    logger.info("Key %s: %s", key.pk, decision.outcome.value)
    _carry_out(key, answer, envelope, decision, now)
    return decision.outcome


def _while_unheard(key: ApiKey, answer: KeyReport | Trouble, now: datetime) -> KeyReport | Trouble:
    """No refusal while a further host, at which the key may live, is silent; but not for ever, since hosts
    are given up, and whoever mistyped a key waits for the answer.
    """
    if isinstance(answer, KeyReport) or not answer.unheard:
        return answer
    before = key.checks.filter(outcome=KeyCheck.Outcome.RETRY, exchange_code=answer.exchange_code)
    since = before.order_by("started_at").values_list("started_at", flat=True).first()
    if since is not None and now >= since + settings.UNHEARD_HOST:
        return answer
    return replace(answer, code=FindingCode.EXCHANGE_UNAVAILABLE)


def _decide(key: ApiKey, answer: KeyReport | Trouble, now: datetime) -> Decision:
    if isinstance(answer, Trouble):
        return decide_trouble(answer, key.bot)
    policy = Policy(
        now=now,
        egress_ips=settings.PORTAL_EGRESS_IPS,
        partner_apps=settings.PARTNER_APPS,
        previous_account_id=previous_account(key),
        confirmed_account_id=key.confirmed_account_id,
        expires_soon=settings.EXPIRES_SOON,
    )
    return decide(answer, key.bot, policy)


def _carry_out(
    key: ApiKey, answer: KeyReport | Trouble, envelope: Sealed | None, decision: Decision, now: datetime
) -> None:
    fields: dict[str, object] = {}
    if isinstance(answer, KeyReport):
        fields = {
            "report_json": reports.as_json(answer),
            "account_id": answer.account_id,
            "region": answer.region,
            "expires_at": answer.expires_at,
            "permanent": answer.permanent,
            "checked_at": now,
            "failed_checks": 0,
            "failing_since": None,
        }
    if decision.outcome is Outcome.ACCEPTED:
        accept(key, decision.findings, envelope=envelope, now=now, **fields)
    elif decision.outcome is Outcome.REFUSED:
        refuse(key, decision.findings, now=now, **fields)
    elif decision.outcome is Outcome.HELD:
        _hold(key, decision, fields)
    elif key.held:
        # Asked for a look, and left without an answer: it waits for support as before, for what was found.
        _update(key, check_due_at=key.submitted_at + HOLD, claim=None, claimed_until=None)
    else:
        _try_later(key, answer, decision, now)


def _hold(key: ApiKey, decision: Decision, fields: dict[str, object]) -> None:
    found = [finding.as_json() for finding in decision.findings]
    due = key.submitted_at + HOLD
    _update(key, findings_json=found, held=True, check_due_at=due, claim=None, claimed_until=None, **fields)
    if not key.held:
        audit.record(
            Verb.KEY_HELD,
            customer=key.bot.customer,
            key_id=key.pk,
            bot_id=key.bot.bot_id,
            last_four=key.last_four,
        )


def _try_later(key: ApiKey, answer: KeyReport | Trouble, decision: Decision, now: datetime) -> None:
    failing_since = key.failing_since or now
    if now >= failing_since + settings.CHECK_GIVE_UP:
        refuse(key, [gave_up_finding(key.adapter)], now=now)
        return
    pauses = settings.CHECK_PAUSES
    pause = pauses[min(key.failed_checks, len(pauses) - 1)]
    if isinstance(answer, Trouble) and answer.retry_after is not None:
        pause = max(pause, min(timedelta(seconds=answer.retry_after), pauses[-1]))
    found = [finding.as_json() for finding in decision.findings]
    _update(
        key,
        findings_json=found,
        failed_checks=key.failed_checks + 1,
        failing_since=failing_since,
        check_due_at=now + pause,
        claim=None,
        claimed_until=None,
    )


def _update(key: ApiKey, **fields: object) -> None:
    """The lock of the bot is held and the claim was just seen, so nobody else can be writing this row."""
    ApiKey.objects.filter(pk=key.pk).update(**fields)
