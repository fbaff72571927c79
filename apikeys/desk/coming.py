"""What happens next to a key by itself, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from apikeys.flows import check_again
from apikeys.flows.check import HOLD
from apikeys.flows.remind import DAYS_AHEAD
from apikeys.models import ApiKey
from apikeys.status import KeyStatus


@dataclass(frozen=True, slots=True)
class Coming:
    """at: None where no time is set."""

    what: str
    at: datetime | None = None
    tone: str = ""


def coming(key: ApiKey, now: datetime) -> list[Coming]:
    """In the order of time; what has no time comes first."""
    found = {
        KeyStatus.CHECKING: _checking,
        KeyStatus.READY: _ready,
        KeyStatus.ACTIVE: _active,
    }.get(KeyStatus(key.status), _ended)(key, now)
    return sorted(found, key=lambda each: each.at.timestamp() if each.at else 0)


def _checking(key: ApiKey, now: datetime) -> Iterator[Coming]:
    if key.held:
        yield Coming("Waits for support to decide on its exchange account.", tone="warn")
        yield Coming("Refused, if nobody decides until then.", key.submitted_at + HOLD)
        return
    yield _next_check(key, now)
    if key.failing_since:
        yield Coming(
            "Given up and refused, if the exchange gives no answer until then.",
            key.failing_since + settings.CHECK_GIVE_UP,
            "warn",
        )


def _ready(key: ApiKey, now: datetime) -> Iterator[Coming]:
    yield Coming("Becomes active once the trading engine has taken it over.")


def _active(key: ApiKey, now: datetime) -> Iterator[Coming]:
    if key.check_due_at:
        yield _next_check(key, now)
    if key.revoke_at:
        yield Coming("Revoked, unless a check finds the right gone before.", key.revoke_at, "bad")
    if key.doubted_since:
        again = key.doubted_since + settings.SECOND_LOOK
        yield Coming("Shown as a problem, if it is refused again by then.", again, "warn")
    if key.expires_at:
        ahead = [key.expires_at - timedelta(days=days) for days in DAYS_AHEAD]
        if reminder := next((at for at in ahead if at > now), None):
            yield Coming("The customer is reminded that it ends.", reminder)
        yield Coming(
            "Ends at the exchange." if key.expires_at > now else "Ended at the exchange.",
            key.expires_at,
            "warn" if key.expires_at <= now + settings.EXPIRES_SOON else "",
        )
    elif key.permanent:
        yield Coming("Does not end by itself, as its exchange says.")
    else:
        yield Coming("When it ends is not said by its exchange.")


def _ended(key: ApiKey, now: datetime) -> Iterator[Coming]:
    yield Coming("Nothing. Its secret was wiped when it ended, and it cannot come back.")


def _next_check(key: ApiKey, now: datetime) -> Coming:
    if check_again.is_in_a_list(key, now):
        return Coming("In a list to be checked within minutes.")
    if key.claimed_until and key.claimed_until > now:
        return Coming("Being checked at this moment.")
    if key.check_due_at is None or key.check_due_at <= now:
        return Coming("Checked as soon as a worker is free.")
    return Coming("Next check.", key.check_due_at)
