"""Second factors of the people in tests, and what their apps show."""

import secrets
from datetime import datetime

from django.utils import timezone
from django_otp.oath import TOTP

from accounts import factor_keys
from accounts.devices import AuthenticatorApp, RecoveryCodes
from accounts.models import User


def add_app(user: User) -> AuthenticatorApp:
    """An authenticator app, as `accounts.flows.factors` leaves it, with recovery codes that nobody has."""
    sealed = factor_keys.encrypt(secrets.token_bytes(20), owner=str(user.pk))
    RecoveryCodes.objects.get_or_create(user=user)
    app: AuthenticatorApp = AuthenticatorApp.objects.create(user=user, sealed_secret=sealed)
    return app


def code_of(app: AuthenticatorApp, at: datetime | None = None) -> str:
    """What the app shows, now or at a time."""
    return code_of_secret(app.secret, at)


def code_of_secret(secret: bytes, at: datetime | None = None) -> str:
    shown = TOTP(secret)
    shown.time = (at or timezone.now()).timestamp()
    return f"{shown.token():06d}"
