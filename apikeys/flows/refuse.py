"""A key is refused: wiped, and the customer told why and what goes on working."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts import audit
from accounts.audit_verbs import Verb
from apikeys import transitions
from apikeys.findings import Finding, FindingCode, Severity
from apikeys.letters import facts
from apikeys.models import ApiKey
from apikeys.status import KeyStatus
from notifications import outbox
from notifications.kinds import MailKind


def refuse(key: ApiKey, findings: Sequence[Finding], *, now: datetime, **fields: Any) -> None:
    """Within the caller's transaction, under the lock of the bot. `fields` are stored with the status."""
    found = [finding.as_json() for finding in findings]
    transitions.move(key, KeyStatus.REFUSED, now=now, findings_json=found, **fields)
    tell(key)


def tell(key: ApiKey) -> None:
    """Write down and mail that the key was refused, from the findings of its row."""
    bot, customer = key.bot, key.bot.customer
    audit.record(
        Verb.KEY_REFUSED, customer=customer, key_id=key.pk, bot_id=bot.bot_id, last_four=key.last_four
    )
    active = ApiKey.objects.filter(bot=bot).active().first()
    refusing = [finding for finding in key.findings if finding.severity is Severity.REFUSE]
    outbox.send(
        MailKind.API_REFUSED,
        owner_id=customer.pk,
        to=customer.email,
        cause=f"api_refused:{key.pk}",
        context=facts(bot)
        | {
            "last_four": key.last_four,
            "keeps_last_four": active.last_four if active else "",
            "findings": [finding.as_json() for finding in refusing],
            "not_your_doing": any(finding.code is FindingCode.EXCHANGE_UNAVAILABLE for finding in refusing),
        },
    )
