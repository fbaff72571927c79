"""Second factors: added, asked for, removed by their owner, reset by a lead."""

import secrets
from dataclasses import dataclass
from enum import Enum
from uuid import uuid4

import django_otp
from django.db import transaction
from django.utils import timezone
from django_otp import login as otp_login
from webauthn.helpers.exceptions import WebAuthnException

from accounts import audit, factor_keys, limits, long_codes, sessions, webauthn_calls
from accounts.access import SignedInRequest
from accounts.audit_verbs import Verb
from accounts.devices import (
    WRONG_TRIES,
    AuthenticatorApp,
    Factor,
    Passkey,
    RecoveryCode,
    RecoveryCodes,
    Signature,
    TypedFactor,
)
from accounts.models import PrimaryMailDevice, User
from notifications import outbox
from notifications.kinds import MailKind

PASSKEYS_AT_MOST = 10
RECOVERY_CODES = 10
_SECRET_BYTES = 20  # as many as SHA-1 has, which RFC 4226 recommends


class Asked(Enum):
    APP = "code"
    PASSKEY = "passkey"
    RECOVERY = "recovery_code"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person gave for a second factor: digits, a recovery code, or a browser's JSON for a passkey."""

    to: Asked
    text: str


@dataclass(frozen=True, slots=True)
class Added:
    factor: Factor
    recovery_codes: list[str]  # to be shown once; empty where this was not the first factor


class LastFactorError(Exception):
    """Staff need a second factor, so the last one is not removed."""


def of(user: User) -> list[Factor]:
    """The authenticator app, then the passkeys. Recovery codes stand in for them and are not listed."""
    apps = AuthenticatorApp.objects.filter(user=user, confirmed=True)
    return [*apps, *Passkey.objects.filter(user=user).order_by("pk")]


def prove(*, user: User, answer: Answer, challenge: bytes, address: str) -> Factor | None:
    """The factor that accepts the answer, or None. Runs in the caller's transaction, which keeps a wrong try.

    Raises limits.TooManyError after ten wrong tries in an hour.
    """
    asked = _asked(user, answer)
    if asked is None:
        return None
    again_at = asked.again_at(timezone.now()) if isinstance(asked, TypedFactor) else None
    if again_at:
        raise limits.TooManyError(again_at, f"There were ten wrong tries with your {asked.words} in an hour.")
    token = Signature(answer.text, challenge) if answer.to is Asked.PASSKEY else answer.text
    factor: Factor | None = django_otp.verify_token(user, asked.persistent_id, token)
    if factor is None:
        _tell_of_wrong_try(user, asked, address)
    elif isinstance(factor, RecoveryCodes):
        _tell_of_used_code(user, factor, address)
    return factor


@transaction.atomic
def begin_app(*, user: User) -> None:
    """Draw a secret for an authenticator app, in place of one that was never confirmed."""
    _lock(user)
    sealed = factor_keys.encrypt(secrets.token_bytes(_SECRET_BYTES), owner=str(user.pk))
    if not AuthenticatorApp.objects.filter(user=user, confirmed=True).exists():
        AuthenticatorApp.objects.filter(user=user).delete()
        AuthenticatorApp.objects.create(user=user, confirmed=False, sealed_secret=sealed)


def pending_app(user: User) -> AuthenticatorApp | None:
    pending: AuthenticatorApp | None = AuthenticatorApp.objects.filter(user=user, confirmed=False).first()
    return pending


@transaction.atomic
def confirm_app(*, request: SignedInRequest, code: str, address: str) -> Added | None:
    """A first right code shows that the app has the secret. None: it is wrong. Raises limits.TooManyError."""
    user = _lock(request.user)
    app = pending_app(user)
    if app is None:
        return None
    if again_at := app.again_at(timezone.now()):
        raise limits.TooManyError(again_at, "There were ten wrong codes in an hour.")
    accepted: AuthenticatorApp | None = django_otp.verify_token(user, app.persistent_id, code)
    if accepted is None:
        return None
    accepted.confirmed, accepted.added_at = True, timezone.now()
    accepted.save(update_fields=["confirmed", "added_at"])
    return _added(request, user, accepted, address)


@transaction.atomic
def add_passkey(
    *, request: SignedInRequest, name: str, credential: str, challenge: bytes, address: str
) -> Added | None:
    """None: the answer is none to this challenge, or the passkey is known already."""
    user = _lock(request.user)
    try:
        made = webauthn_calls.verify_created(credential, challenge=challenge)
    except (WebAuthnException, ValueError, TypeError, AttributeError):
        return None
    known = Passkey.objects.filter(credential_id=made.credential_id).exists()
    if known or Passkey.objects.filter(user=user).count() >= PASSKEYS_AT_MOST:
        return None
    passkey = Passkey.objects.create(
        user=user,
        name=name,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        transports=made.transports,
    )
    return _added(request, user, passkey, address)


@transaction.atomic
def remove(*, request: SignedInRequest, factor: Factor, address: str) -> None:
    """Raises LastFactorError. With the last factor the recovery codes go too."""
    user = _lock(request.user)
    others = [other for other in of(user) if other != factor]
    if user.is_staff and not others:
        raise LastFactorError
    cause = f"{Verb.FACTOR_REMOVED}:{factor.persistent_id}"
    factor.delete()
    if not others:
        RecoveryCodes.objects.filter(user=user).delete()
    # The session was proved by the factor, if not by what stays; it goes on with what is left.
    otp_login(request, others[0] if others else PrimaryMailDevice.objects.get(user=user))
    audit.record(Verb.FACTOR_REMOVED, customer=user, actor=user, address=address, factor=factor.words)
    _mail(user, f"{_one(factor)} was removed", cause, address)


@transaction.atomic
def renew_recovery_codes(*, user: User, address: str) -> list[str]:
    """Ten new codes, to be shown once; earlier ones end."""
    made = RecoveryCodes.objects.select_for_update().get(user=user)
    made.codes.all().delete()
    drawn = _draw_codes(made)
    audit.record(Verb.RECOVERY_CODES_MADE, customer=user, actor=user, address=address)
    _mail(user, "New recovery codes were made", f"{Verb.RECOVERY_CODES_MADE}:{uuid4()}", address)
    return drawn


@transaction.atomic
def reset(*, person: User, by: User, reason: str, address: str) -> bool:
    """A lead takes lost factors off another person, who then signs in without. False: there are none.

    Every session of the person ends. Raises ValueError where it is the lead's own account.
    """
    if person.pk == by.pk:
        raise ValueError("Nobody resets their own factors.")
    _lock(person)
    if not RecoveryCodes.objects.filter(user=person).exists():
        return False
    for model in (AuthenticatorApp, Passkey, RecoveryCodes):
        model.objects.filter(user=person).delete()
    sessions.end_all(person)
    audit.record(Verb.FACTORS_RESET, customer=person, actor=by, address=address, reason=reason)
    _mail(person, "Your second factors were removed by Sequence", f"{Verb.FACTORS_RESET}:{uuid4()}", None)
    return True


def _asked(user: User, answer: Answer) -> Factor | None:
    """Locked: one code is accepted once, and of twenty wrong ones at once ten are looked at."""
    match answer.to:
        case Asked.APP:
            found = AuthenticatorApp.objects.filter(user=user, confirmed=True)
        case Asked.RECOVERY:
            found = RecoveryCodes.objects.filter(user=user)
        case Asked.PASSKEY:
            named = webauthn_calls.credential_id_of(answer.text)
            found = Passkey.objects.filter(user=user, credential_id=named)
    factor: Factor | None = found.select_for_update().first()
    return factor


def _lock(user: User) -> User:
    """Factors of one person change one after another, so that recovery codes come and go with them."""
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _added(request: SignedInRequest, user: User, factor: Factor, address: str) -> Added:
    drawn = []
    made, is_first = RecoveryCodes.objects.get_or_create(user=user)
    if is_first:
        drawn = _draw_codes(made)
        # Sessions elsewhere were begun without it.
        sessions.end_others(request.session, user)
    otp_login(request, factor)
    sessions.proved(request.session)
    audit.record(Verb.FACTOR_ADDED, customer=user, actor=user, address=address, factor=factor.words)
    _mail(user, f"{_one(factor)} was added", f"{Verb.FACTOR_ADDED}:{factor.persistent_id}", address)
    return Added(factor, drawn)


def _draw_codes(made: RecoveryCodes) -> list[str]:
    drawn = [long_codes.draw(groups=3) for _ in range(RECOVERY_CODES)]
    owner = str(made.user_id)
    RecoveryCode.objects.bulk_create(
        RecoveryCode(of=made, digest=factor_keys.digest(long_codes.folded(code), owner=owner))
        for code in drawn
    )
    return drawn


def _tell_of_wrong_try(user: User, asked: Factor, address: str) -> None:
    if isinstance(asked, TypedFactor):
        asked.refresh_from_db(fields=["wrong_tries"])
        if asked.wrong_tries == WRONG_TRIES:
            audit.record(Verb.FACTOR_TRIES_USED_UP, customer=user, address=address, factor=asked.words)


def _tell_of_used_code(user: User, made: RecoveryCodes, address: str) -> None:
    left = made.codes.filter(used_at=None).count()
    audit.record(Verb.RECOVERY_CODE_USED, customer=user, actor=user, address=address, left=str(left))
    cause = f"{Verb.RECOVERY_CODE_USED}:{made.pk}:{uuid4()}"
    _mail(user, f"A recovery code was used, {left} left", cause, address)


def _one(factor: Factor) -> str:
    return "An authenticator app" if isinstance(factor, AuthenticatorApp) else "A passkey"


def _mail(user: User, what: str, cause: str, address: str | None) -> None:
    outbox.send(
        MailKind.FACTOR_CHANGED,
        owner_id=user.pk,
        to=user.email,
        cause=cause,
        context={"what": what, "client_id": user.client_id, "at": timezone.now(), "address": address},
    )
