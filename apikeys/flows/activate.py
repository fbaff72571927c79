"""A proved key is taken over: the old one is retired, then the new one active, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from accounts import audit
from accounts.audit_verbs import Verb
from apikeys import transitions
from apikeys.engine import offers
from apikeys.events import about_key
from apikeys.findings import Finding, Severity
from apikeys.flows.recheck import next_due
from apikeys.letters import facts, life
from apikeys.models import ApiKey
from apikeys.status import KeyStatus
from apikeys.vault import Sealed
from notifications import outbox
from notifications.kinds import MailKind
from notifications.outbox import Letter


def accept(
    key: ApiKey, findings: Sequence[Finding], *, envelope: Sealed | None, now: datetime, **fields: Any
) -> None:
    """Within the caller's transaction, under the lock of the bot. `fields` are stored with the status.

    envelope: the copy for the trading engine; the key waits in ready until the engine has taken it over.
    Without one no engine is configured, and the key passes through ready in the same moment.
    """
    found = [finding.as_json() for finding in findings]
    transitions.move(key, KeyStatus.READY, now=now, findings_json=found, **fields)
    audit.record_many([about_key(Verb.KEY_ACCEPTED, key, at=now)])
    if envelope is None:
        take_over([key], now=now)
    else:
        offers.offer(key, envelope, now=now)


def take_over(keys: Sequence[ApiKey], *, now: datetime) -> None:
    """Retire each bot's active key, if any, then make the ready one active. The mail says what may go.

    Within the caller's transaction, under the locks of the bots; at most one key of each bot.
    """
    bots = {key.bot_id: key.bot for key in keys}
    old = list(ApiKey.objects.filter(bot__in=list(bots)).active().only("bot_id", "status", "last_four"))
    old_of_bot = {}
    for key in old:
        key.bot = bots[key.bot_id]
        old_of_bot[key.bot_id] = key
    transitions.move_many(old, KeyStatus.RETIRED, now=now)
    of_same_bot = ApiKey.objects.filter(pk__in=[key.pk for key in old], bot=OuterRef("bot")).values("pk")
    computed = {"replaces": Subquery(of_same_bot)} if old else {}
    transitions.move_many(keys, KeyStatus.ACTIVE, now=now, computed=computed)
    for key in keys:
        key.replaces = old_of_bot.get(key.bot_id)
        key.check_due_at = next_due(key, now)
    ApiKey.objects.bulk_update(keys, ["check_due_at"])
    audit.record_many(
        [about_key(Verb.KEY_RETIRED, key, at=now) for key in old]
        + [about_key(Verb.KEY_ACTIVATED, key, at=now) for key in keys]
    )
    outbox.send_many([_letter(key) for key in keys])


def _letter(key: ApiKey) -> Letter:
    bot, customer, old = key.bot, key.bot.customer, key.replaces
    kind = MailKind.API_REFRESH if old else MailKind.API_CONNECTED
    return Letter(
        kind,
        owner_id=customer.pk,
        to=customer.email,
        cause=f"{kind}:{key.pk}",
        context=facts(bot)
        | {
            "new_last_four": key.last_four,
            "old_last_four": old.last_four if old else "",
            "activated_at": key.activated_at,
            "life": life(key),
            "warnings": [f.to_do for f in key.findings if f.severity is Severity.WARN],
        },
    )
