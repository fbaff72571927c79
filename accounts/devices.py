"""What proves a person beside password and mailed code: an authenticator app, passkeys, recovery codes.

They are devices of django-otp, which remembers by which one a session was verified. Answers are judged
through `django_otp.verify_token` only, which holds the row's lock: `verify_token` of a device, called without
it, would let one code in several times.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django_otp.models import Device
from django_otp.oath import TOTP
from webauthn.helpers.exceptions import WebAuthnException

from accounts import factor_keys, long_codes, webauthn_calls

logger = logging.getLogger(__name__)

# Two of the limits that `accounts.limits` lists.
WRONG_TRIES = 10
WRONG_TRIES_WINDOW = timedelta(hours=1)


class Factor(Device):  # type: ignore[misc]  # django-otp has no types
    """Counts for what a mailed code does not: the desk, and accounts that have added a factor."""

    words: ClassVar[str]  # as in the sentence "Factor added: …"
    added_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def verify_token(self, token: Any) -> bool:
        raise NotImplementedError


class TypedFactor(Factor):
    """A factor whose answer is typed, so that it could be guessed: wrong tries are counted."""

    wrong_tries = models.PositiveSmallIntegerField(default=0)
    wrong_since = models.DateTimeField(null=True)  # when the first of them was made

    class Meta:
        abstract = True

    def again_at(self, now: datetime) -> datetime | None:
        """When the next try is taken, where the wrong ones have used up this hour's."""
        if self.wrong_since is None or self.wrong_tries < WRONG_TRIES:
            return None
        until = self.wrong_since + WRONG_TRIES_WINDOW
        return until if until > now else None

    def verify_token(self, token: Any) -> bool:
        """Under the lock that `django_otp.verify_token` takes. A wrong try is kept, a right one resets."""
        now = timezone.now()
        if self.again_at(now):
            return False
        if self.accepts(str(token), now):
            self.used_at, self.wrong_tries, self.wrong_since = now, 0, None
            self.save()
            return True
        if self.wrong_since is None or self.wrong_since + WRONG_TRIES_WINDOW <= now:
            self.wrong_tries, self.wrong_since = 0, now
        self.wrong_tries += 1
        self.save(update_fields=["wrong_tries", "wrong_since"])
        return False

    def accepts(self, token: str, now: datetime) -> bool:
        """Whether the answer is right. What makes it right only once is set on the row; the caller saves."""
        raise NotImplementedError


class AuthenticatorApp(TypedFactor):
    """Time-based codes (RFC 6238): SHA-1, six digits, 30 seconds, one step of drift either way.

    Unconfirmed until a first right code shows that the app has the secret.
    """

    words = "authenticator app"
    sealed_secret = models.BinaryField()  # 20 bytes, encrypted under a key that is not in the database
    last_step = models.BigIntegerField(default=-1)  # of the last code accepted: no code counts twice

    class Meta:
        constraints = [models.UniqueConstraint("user", name="one_authenticator_app_per_user")]

    @property
    def secret(self) -> bytes:
        """Raises factor_keys.WrongKeyError."""
        return factor_keys.decrypt(bytes(self.sealed_secret), owner=str(self.user_id))

    def accepts(self, token: str, now: datetime) -> bool:
        try:
            app = TOTP(self.secret)
        except factor_keys.WrongKeyError:
            logger.error("The authenticator app %s was kept under another CODE_KEY", self.pk)
            return False
        app.time = now.timestamp()
        right = token.isascii() and token.isdigit() and app.verify(int(token), 1, self.last_step + 1)
        if right:
            self.last_step = app.t()
        return bool(right)


class RecoveryCodes(TypedFactor):
    """Ten codes for the day on which every other factor is lost.

    Made with the first factor, gone with the last. So a person has second factors if and only if this row is
    there, and sign-in asks this one question.
    """

    words = "recovery code"

    class Meta:
        constraints = [models.UniqueConstraint("user", name="one_set_of_recovery_codes_per_user")]

    def accepts(self, token: str, now: datetime) -> bool:
        digest = factor_keys.digest(long_codes.folded(token), owner=str(self.user_id))
        return bool(self.codes.filter(digest=digest, used_at=None).update(used_at=now))


class RecoveryCode(models.Model):
    of = models.ForeignKey(RecoveryCodes, models.CASCADE, related_name="codes")
    digest = models.CharField(max_length=64)  # keyed; the code itself is shown once and kept nowhere
    used_at = models.DateTimeField(null=True)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a browser answers for a passkey: the credential as JSON, and the challenge that it was given."""

    credential: str
    challenge: bytes


class Passkey(Factor):
    """A public key whose private half is in somebody's device or password manager (WebAuthn)."""

    words = "passkey"
    credential_id = models.CharField(max_length=1400, unique=True)  # base64url; at most 1023 bytes
    public_key = models.BinaryField()  # COSE
    sign_count = models.BigIntegerField(default=0)
    transports = models.JSONField(default=list)

    def verify_token(self, token: Any) -> bool:
        if not isinstance(token, Signature):
            return False
        try:
            self.sign_count = webauthn_calls.verify_answer(
                token.credential,
                challenge=token.challenge,
                public_key=bytes(self.public_key),
                sign_count=self.sign_count,
            )
        except (WebAuthnException, ValueError, TypeError) as error:
            logger.warning("The passkey %s did not answer rightly: %s", self.pk, type(error).__name__)
            return False
        self.used_at = timezone.now()
        self.save(update_fields=["sign_count", "used_at"])
        return True


def has_factor(user: Any) -> bool:
    return bool(RecoveryCodes.objects.filter(user=user).exists())
