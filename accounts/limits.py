"""Every limit of the entrance as a sentence, and the counting of those that are not kept in rows.

Kept in rows, under locks, by `accounts.codes`:
  five tries per attempt, over all its codes; three live codes an attempt; a code lives ten minutes;
  one code mail a minute within an attempt; five codes an account in fifteen minutes, for each purpose.
  So a guesser has at most 15 chances in a million an attempt.

Counted in the cache, here:
  ten wrong passwords for one account from one address in fifteen minutes;
  two hundred sign-in or help forms from one address in fifteen minutes.
  An IPv6 address counts with its /64. Nothing here counts per account alone, so that no stranger can lock the
  owner out of signing in. Who knows User ID and address can use up the code mails of password help, and of
  nothing else.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

logger = logging.getLogger(__name__)

CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
LIVE_CODES = 3
RESEND_PAUSE = timedelta(minutes=1)
CODES_PER_ACCOUNT = 5
CODES_PER_ACCOUNT_WINDOW = timedelta(minutes=15)
# From the right code until the new password must be set.
PROOF_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    name: str
    count: int
    window: timedelta


WRONG_PASSWORDS = Limit("wrong-passwords", 10, timedelta(minutes=15))
ENTRANCE_FORMS = Limit("entrance-forms", 200, timedelta(minutes=15))


class TooManyError(Exception):
    """A limit was reached. `again_at` says when it is worth trying again."""

    def __init__(self, again_at: datetime, sentence: str) -> None:
        super().__init__(sentence)
        self.again_at = again_at
        self.sentence = sentence


def count(limit: Limit, *subject: str) -> None:
    """Count one event. Subjects are hashed, so no address or email stands in the cache."""
    key, _ = _slot(limit, subject)
    try:
        cache.add(key, 0, timeout=int(limit.window.total_seconds()))
        cache.incr(key)
    except Exception as error:  # whatever the cache's client raises
        _cache_is_away(error)


def check(limit: Limit, *subject: str) -> None:
    """Raise TooManyError once the limit is reached."""
    key, again_at = _slot(limit, subject)
    try:
        reached = (cache.get(key) or 0) >= limit.count
    except Exception as error:  # whatever the cache's client raises
        _cache_is_away(error)
        return
    if reached:
        raise TooManyError(again_at, "There were too many tries from where you are.")


def _cache_is_away(error: Exception) -> None:
    # A lost counter must not lock everybody out: passwords still cost Argon2, and codes are counted in rows.
    logger.error("The cache is away, limits are not counted: %s", type(error).__name__)


def _slot(limit: Limit, subject: tuple[str, ...]) -> tuple[str, datetime]:
    seconds = int(limit.window.total_seconds())
    slot = int(timezone.now().timestamp()) // seconds
    digest = hashlib.sha256("\0".join(subject).encode()).hexdigest()[:32]
    return f"limit:{limit.name}:{digest}:{slot}", datetime.fromtimestamp((slot + 1) * seconds, UTC)
