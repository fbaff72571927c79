"""A proved key is taken over: the old one is retired, then the new one active, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts import audit
from accounts.audit_verbs import Verb
from apikeys import transitions
from apikeys.findings import Finding, Severity
from apikeys.models import ApiKey
from apikeys.status import KeyStatus
from notifications import outbox
from notifications.kinds import MailKind


def accept(key: ApiKey, findings: Sequence[Finding], *, now: datetime, **fields: Any) -> None:
    """Within the caller's transaction, under the lock of the bot. `fields` are stored with the status.

    No trading engine is configured, so the key passes through ready in the same moment.
    """
    found = [finding.as_json() for finding in findings]
    transitions.move(key, KeyStatus.READY, now=now, findings_json=found, **fields)
    _record(Verb.KEY_ACCEPTED, key)
    take_over(key, now=now)


def take_over(key: ApiKey, *, now: datetime) -> None:
    """Retire the bot's active key, if any, then make the ready one active. The mail says what may go."""
    old = ApiKey.objects.filter(bot=key.bot).active().first()
    if old is not None:
        transitions.move(old, KeyStatus.RETIRED, now=now)
        _record(Verb.KEY_RETIRED, old)
    transitions.move(key, KeyStatus.ACTIVE, now=now, replaces=old)
    _record(Verb.KEY_ACTIVATED, key)
    _mail(key, old)


def _record(verb: Verb, key: ApiKey) -> None:
    audit.record(
        verb, customer=key.bot.customer, key_id=key.pk, bot_id=key.bot.bot_id, last_four=key.last_four
    )


def _mail(key: ApiKey, old: ApiKey | None) -> None:
    bot, customer = key.bot, key.bot.customer
    kind = MailKind.API_REFRESH if old else MailKind.API_CONNECTED
    outbox.send(
        kind,
        owner_id=customer.pk,
        to=customer.email,
        cause=f"{kind}:{key.pk}",
        context={
            "client_id": customer.client_id,
            "bot_id": bot.bot_id,
            "exchange_name": bot.adapter.name,
            "market": bot.market,
            "key_page": bot.adapter.key_page,
            "new_last_four": key.last_four,
            "old_last_four": old.last_four if old else "",
            "activated_at": key.activated_at,
            "warnings": [f.to_do for f in key.findings if f.severity is Severity.WARN],
        },
    )
