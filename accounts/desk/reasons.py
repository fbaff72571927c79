"""What staff wrote beside an act, wherever it is kept.

Some of it stands in the event. What may name a person stands in a row that goes when the account is closed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.audit_verbs import Verb
from accounts.models import AddressChange, AuditEvent, MailboxHold

# An event and the row that it tells of are written in one transaction, one after the other.
_ONE_ACT = timedelta(seconds=5)


def reason_of(event: AuditEvent, changes: Sequence[AddressChange], holds: Sequence[MailboxHold]) -> str:
    """changes, holds: of the customer whom the event is about. Empty where nothing was written or is left."""
    if reason := event.detail.get("reason"):
        return str(reason)
    match event.verb:
        case Verb.ADDRESS_CHANGE_STARTED:
            written = [each.reason for each in changes if _is_one(each.started_at, event)]
        case Verb.ADDRESS_HOLD_SHORTENED:
            written = [each.shortened_reason for each in changes if each.shortened_by_id == event.actor_id]
        case Verb.MAILBOX_CLEARED | Verb.MAILBOX_KEPT:
            written = [each.decision_note for each in holds if _is_one(each.decided_at, event)]
        case Verb.MAILBOX_ASKED:
            written = [each.note for each in holds if _is_one(each.asked_at, event)]
        case _:
            written = []
    return written[0] if written else ""


def _is_one(at: datetime | None, event: AuditEvent) -> bool:
    return at is not None and abs(at - event.at) < _ONE_ACT
