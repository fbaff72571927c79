"""Every limit as a sentence, and the counting of those that are not kept in rows of their own.

Kept in the database, under locks, by `accounts.codes`, each purpose (signing in, setting a password) apart:
  five tries an attempt, over all its codes; three live codes an attempt; a code lives ten minutes;
  one code a minute within an attempt;
  five codes an account in fifteen minutes for one known browser or one address;
  ten codes an account in fifteen minutes for all browsers together that the person never signed in with.
  So each mailed code meets five guesses at most: 50 chances in a million an account in fifteen minutes.

Kept in the database, under locks, by `accounts.devices`:
  ten wrong codes of an authenticator app in an hour, and ten wrong recovery codes; a right one begins anew.
  Only who has the password and the mailed code gets as far. Three codes of an app count at any time, so a
  guesser has 30 chances in a million an hour.

Counted in Redis, or in a table where there is none, by `take`:
  ten passwords for one account from one known browser or one address in fifteen minutes;
  two hundred forms that prove a person (password, code, another code, help, factor, a new address) from one
  address in fifteen minutes, and again as many for each customer who is signed in there;
  sixty keys sent by one customer from one address in fifteen minutes;
  twenty requests for a bot by one customer from one address in fifteen minutes;
  two hundred looks at guides, with a form or without, by one customer from one address in fifteen minutes.

Support begins what counts against one person anew, once an hour: see `accounts.flows.unlock`.

An IPv6 address counts with its /64. Nobody is locked out by others: who guesses passwords elsewhere uses up
tries of their own address, and codes asked for elsewhere leave those of the owner's known browser untouched.
What is left: who knows User ID and address can, from two addresses, make an owner wait for up to a quarter of
an hour who has forgotten the password and comes with a browser in which they never signed in.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from accounts.addresses import neighbourhood
from accounts.models import LimitCount

logger = logging.getLogger(__name__)

CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
LIVE_CODES = 3
RESEND_PAUSE = timedelta(minutes=1)
CODES_PER_ORIGIN = 5
CODES_PER_ACCOUNT = 10
CODES_WINDOW = timedelta(minutes=15)
# From the right code until the new password must be set.
PROOF_LIFE = timedelta(minutes=15)
# The code that a new member of staff is mailed is too long to be guessed, and may wait for them over a day.
STAFF_CODE_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Limit:
    name: str
    count: int
    window: timedelta


_WINDOW = timedelta(minutes=15)
PASSWORDS = Limit("passwords", 10, _WINDOW)
ENTRANCE_FORMS = Limit("entrance-forms", 200, _WINDOW)
KEYS_SENT = Limit("keys-sent", 60, _WINDOW)
BOTS_ASKED = Limit("bots-asked", 20, _WINDOW)
GUIDES = Limit("guides", 200, _WINDOW)


class TooManyError(Exception):
    """A limit was reached. `again_at` says when it is worth trying again."""

    def __init__(self, again_at: datetime, sentence: str) -> None:
        super().__init__(sentence)
        self.again_at = again_at
        self.sentence = sentence


def of_address(limit: Limit, address: str, person: int | None = None) -> tuple[Limit, str]:
    """For `take`: an address by itself, or with the person who is signed in there."""
    return limit, f"{person or 0}\0{neighbourhood(address)}"


def passwords(email: str, origin: str) -> tuple[Limit, str]:
    """For `take`: a folded address, and the name of where it is tried."""
    return PASSWORDS, f"{email}\0{origin}"


def take(*wanted: tuple[Limit, str]) -> None:
    """Count one event under each limit for its subject; raise TooManyError where one is past its limit.

    Counted and compared in one step, so many at once are not more than one after the other. Subjects are
    hashed: no address or email stands in the counters. Call it outside a transaction, which could undo it.
    """
    slots = [_slot(limit, subject) for limit, subject in wanted]
    counts = _count_in_redis(slots) if settings.REDIS_URL else _count_in_rows(slots)
    reached = [
        slot.ends_at
        for slot, (limit, _), count in zip(slots, wanted, counts, strict=True)
        if count > limit.count
    ]
    if reached:
        raise TooManyError(max(reached), "There were too many tries from where you are.")


def forget(*counted: tuple[Limit, str]) -> None:
    """Begin anew to count each limit for its subject. Of no effect while the cache is away."""
    keys = [_slot(limit, subject).key for limit, subject in counted]
    if not settings.REDIS_URL:
        LimitCount.objects.filter(key__in=keys).delete()
        return
    try:
        cache.delete_many(keys)
    except Exception as error:  # as in `_count_in_redis`
        logger.error("The cache is away, limits are not lifted: %s", type(error).__name__)


@dataclass(frozen=True, slots=True)
class _Slot:
    key: str
    ends_at: datetime


def _slot(limit: Limit, subject: str) -> _Slot:
    seconds = int(limit.window.total_seconds())
    number = int(timezone.now().timestamp()) // seconds
    digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
    ends_at = datetime.fromtimestamp((number + 1) * seconds, UTC)
    return _Slot(f"limit:{limit.name}:{digest}:{number}", ends_at)


def _count_in_redis(slots: list[_Slot]) -> list[int]:
    now = timezone.now()
    try:
        for slot in slots:
            cache.add(slot.key, 0, timeout=int((slot.ends_at - now).total_seconds()) + 1)
        return [cache.incr(slot.key) for slot in slots]
    except Exception as error:  # whatever the cache's client raises
        # A lost counter must not lock everybody out: passwords still cost Argon2, and codes are in rows.
        logger.error("The cache is away, limits are not counted: %s", type(error).__name__)
        return [0] * len(slots)


def _count_in_rows(slots: list[_Slot]) -> list[int]:
    table = connection.ops.quote_name(LimitCount._meta.db_table)
    rows = ", ".join(["(%s, 1, %s)"] * len(slots))
    values = [value for slot in slots for value in (slot.key, slot.ends_at)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (key, count, ends_at) VALUES {rows} "  # noqa: S608 - names of ours # nosec B608
            f"ON CONFLICT (key) DO UPDATE SET count = {table}.count + 1 RETURNING key, count",
            values,
        )
        counts = dict(cursor.fetchall())
    return [counts[slot.key] for slot in slots]
