"""What has to be set right in a database that came back from a backup, before anything works on it.

Since the backup the world went on: mail was sent, people signed out, the engine took keys over.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from accounts.models import CodeAttempt, Session
from apikeys.models import ApiKey, Handover
from notifications import outbox

# More hand-overs than can have been made since any backup. The engine takes a higher number for the newer key
# of a bot, so none may be given a number again.
_NUMBERS_LEFT_OUT = 1_000_000


@dataclass(frozen=True, slots=True)
class SetRight:
    """How many mails will not be sent again, sessions were ended, and keys are looked at at once."""

    mails: int
    sessions: int
    keys: int


@transaction.atomic
def set_right(*, now: datetime) -> SetRight:
    """To be run once, while no process of the portal runs. Run again it does no harm."""
    mails = outbox.give_up_waiting()
    sessions, _ = Session.objects.all().delete()
    CodeAttempt.objects.filter(ended_at=None).update(ended_at=now)
    # Whatever customers did at their exchange meanwhile is found, and they are mailed where it matters.
    keys = ApiKey.objects.active().update(check_due_at=now, claim=None, claimed_until=None)
    _leave_numbers_out()
    return SetRight(mails, sessions, keys)


def _leave_numbers_out() -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'number')", [Handover._meta.db_table])
        (sequence,) = cursor.fetchone()
        cursor.execute("SELECT setval(%s, nextval(%s) + %s)", [sequence, sequence, _NUMBERS_LEFT_OUT])
