"""Codes mailed to the primary address: asked for by the web, drawn by a worker, judged under a row lock.

The web writes a row that asks for a code; no code exists yet. The worker draws it, stores a keyed HMAC and
mails it. So a code is never a task argument, a log field or a column.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import limits
from accounts.models import CodeAttempt, MailedCode, Purpose, User
from notifications.bell import ring_on_commit


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the asking browser holds: without the token, the attempt is out of reach."""

    attempt_id: UUID
    token: str


class Verdict(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    ENDED = "ended"  # out of tries, used, or not this browser's


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    tries_left: int = 0
    user: User | None = None


def begin(*, purpose: Purpose, user: User | None, about: str) -> Ticket:
    """Open an attempt and ask for its first code. `about` names whom it is about, known or not.

    Raises TooManyError after five codes about the same person and purpose in fifteen minutes.
    """
    token = secrets.token_urlsafe(24)
    now = timezone.now()
    with transaction.atomic():
        # The lock makes the cap exact. Nobody has id 0: an unknown person takes the same statements.
        list(User.objects.select_for_update(no_key=True).filter(pk=user.pk if user else 0).only("pk"))
        subject = _keyed("subject", purpose, about)
        _check_cap(subject, now)
        attempt = CodeAttempt(
            purpose=purpose, user=user, binding=_binding(token), subject=subject, created_at=now
        )
        attempt.save(force_insert=True)
        _ask(attempt, now)
    return Ticket(attempt.id, token)


def find(ticket: Ticket, purpose: Purpose) -> CodeAttempt | None:
    """The open attempt of this browser, or None."""
    return _open_attempts(ticket, purpose).first()


def again(ticket: Ticket, purpose: Purpose) -> bool:
    """Ask for one more code; earlier ones stay good for their own ten minutes. False: no such attempt.

    Raises TooManyError within a minute of the last one, or at the cap of the account.
    """
    now = timezone.now()
    with transaction.atomic():
        attempt = _open_attempts(ticket, purpose).select_for_update().first()
        if attempt is None:
            return False
        list(User.objects.select_for_update(no_key=True).filter(pk=attempt.user_id or 0).only("pk"))
        allowed_at = attempt.codes.latest("requested_at").requested_at + limits.RESEND_PAUSE
        if now < allowed_at:
            raise limits.TooManyError(allowed_at, "A code was mailed less than a minute ago.")
        _check_cap(attempt.subject, now)
        _ask(attempt, now)
    return True


def judge(ticket: Ticket, purpose: Purpose, entered: str, *, use_at_once: bool = False) -> Judgement:
    """Compare what was entered with the live codes. Runs in the caller's transaction.

    The try is counted before anything is compared, under the lock of the attempt, so twenty requests at
    once are twenty tries, and one right code is right once.

    use_at_once: a right code ends the attempt, instead of leaving a proof for `use_proof`.
    """
    now = timezone.now()
    open_attempts = _open_attempts(ticket, purpose).select_related("user").select_for_update(of=("self",))
    attempt = open_attempts.filter(proved_at=None).first()
    if attempt is None or attempt.tries >= limits.CODE_TRIES:
        return Judgement(Verdict.ENDED)
    attempt.tries += 1
    left = limits.CODE_TRIES - attempt.tries
    attempt.ended_at = None if left else now
    attempt.save(update_fields=["tries", "ended_at"])
    live = (
        attempt.codes.exclude(mac="")
        .filter(expires_at__gt=now)
        .order_by("-requested_at")[: limits.LIVE_CODES]
    )
    matches = [hmac.compare_digest(code.mac, _mac(code.id, entered)) for code in live]
    if not any(matches) or attempt.user_id is None:
        return Judgement(Verdict.WRONG, tries_left=left, user=attempt.user)
    attempt.proved_at = now
    attempt.ended_at = now if use_at_once else None
    attempt.save(update_fields=["proved_at", "ended_at"])
    return Judgement(Verdict.RIGHT, user=attempt.user)


def use_proof(ticket: Ticket, purpose: Purpose) -> User | None:
    """End a proved attempt and give its user, once. Runs in the caller's transaction."""
    attempt = _proved(ticket, purpose).select_for_update().first()
    if attempt is None:
        return None
    attempt.ended_at = timezone.now()
    attempt.save(update_fields=["ended_at"])
    return attempt.user


def end_attempts(user: User) -> None:
    """End whatever is under way for the person, proved or not."""
    CodeAttempt.objects.filter(user=user, ended_at=None).update(ended_at=timezone.now())


def is_proved(ticket: Ticket, purpose: Purpose) -> bool:
    return _proved(ticket, purpose).exists()


def draw(code: MailedCode) -> str:
    """Draw a code for the row, keep its HMAC, and give the six digits to be mailed. For workers only."""
    digits = f"{secrets.randbelow(1_000_000):06d}"
    code.mac = _mac(code.id, digits)
    code.expires_at = timezone.now() + limits.CODE_LIFE
    code.save(update_fields=["mac", "expires_at"])
    return digits


def _open_attempts(ticket: Ticket, purpose: Purpose) -> QuerySet[CodeAttempt]:
    return CodeAttempt.objects.filter(
        pk=ticket.attempt_id, binding=_binding(ticket.token), purpose=purpose, ended_at=None
    )


def _proved(ticket: Ticket, purpose: Purpose) -> QuerySet[CodeAttempt]:
    since = timezone.now() - limits.PROOF_LIFE
    return _open_attempts(ticket, purpose).filter(proved_at__gt=since)


def _ask(attempt: CodeAttempt, now: datetime) -> None:
    code = MailedCode(attempt=attempt, requested_at=now)
    code.save(force_insert=True)
    ring_on_commit("accounts.mail_code", str(code.id))


def _check_cap(subject: str, now: datetime) -> None:
    since = now - limits.CODES_PER_ACCOUNT_WINDOW
    recent = (
        MailedCode.objects.filter(attempt__subject=subject, requested_at__gt=since)
        .order_by("requested_at")
        .values_list("requested_at", flat=True)
    )
    asked = list(recent[: limits.CODES_PER_ACCOUNT])
    if len(asked) >= limits.CODES_PER_ACCOUNT:
        raise limits.TooManyError(
            asked[0] + limits.CODES_PER_ACCOUNT_WINDOW,
            "Five codes were mailed in a quarter of an hour. If one has come, it is good for ten minutes.",
        )


def _binding(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _mac(code_id: UUID, digits: str) -> str:
    return _keyed("code", str(code_id), digits)


def _keyed(*parts: str) -> str:
    return hmac.new(settings.CODE_KEY.encode(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()
