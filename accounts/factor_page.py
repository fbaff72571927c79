"""What a page needs that asks for a second factor, at sign-in and later alike."""

from collections.abc import Iterable
from typing import Any

from accounts import factor_keys, webauthn_calls
from accounts.devices import AuthenticatorApp, Passkey, RecoveryCodes
from accounts.factor_forms import FactorForm
from accounts.flows.factors import PASSKEYS_AT_MOST
from accounts.models import User
from accounts.webauthn_calls import KnownCredential

WRONG = {
    "code": "This code is not right. An app shows a new one every 30 seconds, and each counts once.",
    "recovery_code": "This is none of your recovery codes, or it was used before.",
    "passkey": "The passkey was not accepted. Try again, or use another way.",
}


def context(form: FactorForm, user: User, challenge: bytes) -> dict[str, Any]:
    passkeys = list(Passkey.objects.filter(user=user))
    return {
        "form": form,
        "asks_app": AuthenticatorApp.objects.filter(user=user, confirmed=True).exists(),
        "passkey_options": webauthn_calls.request_options(challenge=challenge, known=known(passkeys))
        if passkeys and webauthn_calls.are_possible()
        else "",
    }


def known(passkeys: Iterable[Passkey]) -> list[KnownCredential]:
    return [KnownCredential(passkey.credential_id, passkey.transports) for passkey in passkeys]


def person_id(user: User) -> bytes:
    """What authenticators know a person by: the same for every passkey, and telling nothing."""
    return factor_keys.passkey_bytes("person", str(user.pk))


def overview(user: User, challenge: bytes) -> dict[str, Any]:
    """What the page about a person's own second factors shows."""
    passkeys = list(Passkey.objects.filter(user=user).order_by("pk"))
    made = RecoveryCodes.objects.filter(user=user).first()
    return {
        "app": AuthenticatorApp.objects.filter(user=user, confirmed=True).first(),
        "passkeys": passkeys,
        "has_factor": made is not None,
        "codes_left": made.codes.filter(used_at=None).count() if made else 0,
        "passkeys_possible": webauthn_calls.are_possible(),
        "host": webauthn_calls.host(),
        "creation_options": webauthn_calls.creation_options(
            challenge=challenge, person=person_id(user), name=user.email, known=known(passkeys)
        )
        if webauthn_calls.are_possible() and len(passkeys) < PASSKEYS_AT_MOST
        else "",
    }
