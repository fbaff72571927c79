"""The two ceremonies of WebAuthn: options for the browser as JSON, answers of the browser verified.

A passkey belongs to the host of PORTAL_URL. Browsers give none to a numeric address; there it is not offered.
"""

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import webauthn
from django.conf import settings
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)


@dataclass(frozen=True, slots=True)
class NewCredential:
    credential_id: str  # base64url
    public_key: bytes  # COSE
    sign_count: int
    transports: list[str]


@dataclass(frozen=True, slots=True)
class KnownCredential:
    credential_id: str
    transports: list[str]


def host() -> str:
    return urlsplit(settings.PORTAL_URL).hostname or ""


def are_possible() -> bool:
    """Whether browsers give passkeys to this portal: to names only, never to numeric addresses."""
    try:
        ipaddress.ip_address(host())
    except ValueError:
        return True
    return False


def creation_options(*, challenge: bytes, person: bytes, name: str, known: Iterable[KnownCredential]) -> str:
    """For `navigator.credentials.create`. `person` is an id that tells nothing about them."""
    options = webauthn.generate_registration_options(
        rp_id=host(),
        rp_name="Sequence Portal",
        user_id=person,
        user_name=name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[_descriptor(one) for one in known],
    )
    return webauthn.options_to_json(options)


def verify_created(credential: str, *, challenge: bytes) -> NewCredential:
    """Raises WebAuthnException, ValueError or TypeError for what a browser would not answer."""
    made = webauthn.verify_registration_response(
        credential=credential,
        expected_challenge=challenge,
        expected_rp_id=host(),
        expected_origin=_origin(),
    )
    named = json.loads(credential).get("response", {}).get("transports")
    known = {transport.value for transport in AuthenticatorTransport}
    return NewCredential(
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=sorted(known.intersection(named if isinstance(named, list) else ())),
    )


def request_options(*, challenge: bytes, known: Iterable[KnownCredential]) -> str:
    """For `navigator.credentials.get`."""
    options = webauthn.generate_authentication_options(
        rp_id=host(),
        challenge=challenge,
        allow_credentials=[_descriptor(one) for one in known],
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return webauthn.options_to_json(options)


def credential_id_of(credential: str) -> str:
    """Which credential an answer claims to be of; empty for what is no answer."""
    try:
        found = json.loads(credential).get("id", "")
    except (ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""


def verify_answer(credential: str, *, challenge: bytes, public_key: bytes, sign_count: int) -> int:
    """The new counter of uses. Raises as `verify_created`, also for a counter that did not go up."""
    answered = webauthn.verify_authentication_response(
        credential=credential,
        expected_challenge=challenge,
        expected_rp_id=host(),
        expected_origin=_origin(),
        credential_public_key=public_key,
        credential_current_sign_count=sign_count,
    )
    return answered.new_sign_count


def _origin() -> str:
    parts = urlsplit(settings.PORTAL_URL)
    return f"{parts.scheme}://{parts.netloc}"


def _descriptor(known: KnownCredential) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        id=base64url_to_bytes(known.credential_id),
        transports=[AuthenticatorTransport(name) for name in known.transports] or None,
    )
