"""Codes mailed to the primary address: asked for by the web, drawn by a worker, judged under a row lock.

The web writes a row that asks for a code; no code exists yet. The worker draws it, stores a keyed HMAC and
mails it. So a code is never a task argument, a log field or a column.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import limits, long_codes
from accounts.browsers import Origin
from accounts.mail_domains import is_known_by_name
from accounts.models import AddressChange, CodeAttempt, MailedCode, Purpose, User
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
    needs_more: bool = False  # a right code that leaves a proof, for `use_proof`
    address_change: AddressChange | None = None


def begin(
    *,
    purpose: Purpose,
    user: User | None,
    about: str,
    email: str,
    origin: Origin,
    address_change: AddressChange | None = None,
    of_any_browser: bool = False,
) -> Ticket:
    """Open an attempt and ask for its first code. `about` names whom it is about, known or not.

    email: the address as it was typed; decides whether the pages warn that the code may not arrive.
    of_any_browser: whoever can say what it is about may enter its code, see `tickets_about`.
    Raises TooManyError at the caps of `accounts.limits` about the same person and purpose.
    """
    token = _common_token(purpose, about) if of_any_browser else secrets.token_urlsafe(24)
    now = timezone.now()
    with transaction.atomic():
        attempt = CodeAttempt(
            purpose=purpose,
            user=user,
            address_change=address_change,
            binding=_binding(token),
            subject=_keyed("subject", purpose, about),
            origin=_keyed("origin", origin.name),
            in_known_browser=origin.is_known_browser,
            to_microsoft=is_known_by_name(email),
            created_at=now,
        )
        _check_caps(attempt, now)
        attempt.save(force_insert=True)
        _ask(attempt, now)
    return Ticket(attempt.id, token)


def find(ticket: Ticket, purpose: Purpose) -> CodeAttempt | None:
    """The open attempt of this browser, or None."""
    return _open_attempts(ticket, purpose).first()


def tickets_about(ticket: Ticket | None, purpose: Purpose, about: str) -> list[Ticket]:
    """Open attempts about this: the one of this browser, if it holds one, and those of any browser."""
    tokens = [_common_token(purpose, about)] + ([ticket.token] if ticket else [])
    of_binding = {_binding(token): token for token in tokens}
    attempts = CodeAttempt.objects.filter(
        subject=_keyed("subject", purpose, about), binding__in=of_binding, ended_at=None
    )
    return [Ticket(attempt.pk, of_binding[attempt.binding]) for attempt in attempts.order_by("-created_at")]


def again(ticket: Ticket, purpose: Purpose) -> bool:
    """Ask for one more code; earlier ones stay good for their own ten minutes. False: no such attempt.

    Raises TooManyError within a minute of the last one, or at the cap of the account.
    """
    now = timezone.now()
    with transaction.atomic():
        attempt = _open_attempts(ticket, purpose).select_for_update().first()
        if attempt is None:
            return False
        allowed_at = attempt.codes.latest("requested_at").requested_at + limits.RESEND_PAUSE
        if now < allowed_at:
            raise limits.TooManyError(allowed_at, "A code was mailed less than a minute ago.")
        _check_caps(attempt, now)
        _ask(attempt, now)
    return True


def judge(ticket: Ticket, purpose: Purpose, entered: str, *, needs_more: Callable[[User], bool]) -> Judgement:
    """Compare what was entered with the live codes. Runs in the caller's transaction.

    The try is counted under the lock of the attempt, together with its outcome, so twenty requests at once
    are twenty tries, and one right code is right once.

    needs_more: whether a right code leaves a proof for `use_proof`, instead of ending the attempt.
    """
    now = timezone.now()
    open_attempts = _open_attempts(ticket, purpose).select_related("user", "address_change")
    attempt = open_attempts.filter(proved_at=None).select_for_update(of=("self",)).first()
    if attempt is None or attempt.tries >= limits.CODE_TRIES:
        return Judgement(Verdict.ENDED)
    attempt.tries += 1
    left = limits.CODE_TRIES - attempt.tries
    live = (
        attempt.codes.exclude(mac="")
        .filter(expires_at__gt=now)
        .order_by("-requested_at")[: limits.LIVE_CODES]
    )
    matches = [hmac.compare_digest(code.mac, _mac(code.id, entered)) for code in live]
    is_right = any(matches) and attempt.user is not None
    more = is_right and attempt.user is not None and needs_more(attempt.user)
    attempt.proved_at = now if is_right else None
    attempt.ended_at = now if (not more if is_right else not left) else None
    attempt.save(update_fields=["tries", "proved_at", "ended_at"])
    if not is_right:
        return Judgement(Verdict.WRONG, tries_left=left, user=attempt.user)
    return Judgement(Verdict.RIGHT, user=attempt.user, needs_more=more, address_change=attempt.address_change)


def proved_by(ticket: Ticket, purpose: Purpose) -> User | None:
    """Whose proof this browser holds, if any."""
    attempt = _proved(ticket, purpose).select_related("user").first()
    return attempt.user if attempt else None


def use_proof(ticket: Ticket, purpose: Purpose) -> User | None:
    """End a proved attempt and give its user, once. Runs in the caller's transaction."""
    attempt = _proved(ticket, purpose).select_for_update().first()
    if attempt is None:
        return None
    attempt.ended_at = timezone.now()
    attempt.save(update_fields=["ended_at"])
    return attempt.user


def end_attempts(user: User, purpose: Purpose | None = None) -> None:
    """End whatever is under way for the person, or what is for this purpose, proved or not."""
    under_way = CodeAttempt.objects.filter(user=user, ended_at=None)
    (under_way.filter(purpose=purpose) if purpose else under_way).update(ended_at=timezone.now())


def claim(*, purpose: Purpose, user: User | None, entered: str) -> Ticket | None:
    """Bind an attempt that no browser began to the one that has its code, proved.

    For codes that are too long to be guessed; tries are not counted. An unknown person takes the same way.
    Runs in the caller's transaction.
    """
    now = timezone.now()
    attempts = CodeAttempt.objects.filter(
        purpose=purpose, user_id=user.pk if user else 0, proved_at=None, ended_at=None
    )
    for attempt in attempts.select_for_update():
        for code in attempt.codes.exclude(mac="").filter(expires_at__gt=now):
            if hmac.compare_digest(code.mac, _mac(code.id, long_codes.folded(entered))):
                token = secrets.token_urlsafe(24)
                attempt.binding, attempt.proved_at = _binding(token), now
                attempt.save(update_fields=["binding", "proved_at"])
                return Ticket(attempt.id, token)
    return None


def end_attempts_of(change: AddressChange) -> None:
    """End whatever would confirm this change."""
    CodeAttempt.objects.filter(address_change=change, ended_at=None).update(ended_at=timezone.now())


def draw(code: MailedCode) -> str:
    """Draw a code for the row, keep its HMAC, and give what is to be mailed. For workers only.

    Six digits, but for a first sign-in of staff, whose code lives for a day: four groups of four characters.
    """
    if code.attempt.purpose == Purpose.STAFF_START:
        drawn, life = long_codes.draw(groups=4), limits.STAFF_CODE_LIFE
        code.mac = _mac(code.id, long_codes.folded(drawn))
    else:
        drawn, life = f"{secrets.randbelow(1_000_000):06d}", limits.CODE_LIFE
        code.mac = _mac(code.id, drawn)
    code.expires_at = timezone.now() + life
    code.save(update_fields=["mac", "expires_at"])
    return drawn


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


def _check_caps(attempt: CodeAttempt, now: datetime) -> None:
    """Raise TooManyError where no further code may be asked for."""
    _lock(attempt.subject)
    since = now - limits.CODES_WINDOW
    recent = list(
        MailedCode.objects.filter(attempt__subject=attempt.subject, requested_at__gt=since)
        .order_by("requested_at")
        .values_list("requested_at", "attempt__origin", "attempt__in_known_browser")
    )
    here = [at for at, origin, _ in recent if origin == attempt.origin]
    if len(here) >= limits.CODES_PER_ORIGIN:
        raise limits.TooManyError(
            here[-limits.CODES_PER_ORIGIN] + limits.CODES_WINDOW,
            "Five codes were mailed in a quarter of an hour. If one has come, it is good for ten minutes.",
        )
    elsewhere = [at for at, _, in_known_browser in recent if not in_known_browser]
    if not attempt.in_known_browser and len(elsewhere) >= limits.CODES_PER_ACCOUNT:
        raise limits.TooManyError(
            elsewhere[-limits.CODES_PER_ACCOUNT] + limits.CODES_WINDOW,
            "Many codes were asked for in a quarter of an hour, from several places. "
            "In a browser that you have signed in with before, a code can still be mailed.",
        )


def _lock(subject: str) -> None:
    """Hold others who ask about the same person until the transaction ends, so that the caps are exact.

    A lock on a row of theirs would write to it, and so tell by its time that there is such a person. SQLite
    needs none: a transaction there that writes has the whole file from its first statement on.
    """
    if connection.vendor == "postgresql":
        number = int.from_bytes(bytes.fromhex(subject[:16]), signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _common_token(purpose: Purpose, about: str) -> str:
    return _keyed("common", purpose, about)


def _binding(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _mac(code_id: UUID, digits: str) -> str:
    return _keyed("code", str(code_id), digits)


def _keyed(*parts: str) -> str:
    return hmac.new(settings.CODE_KEY.encode(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()
