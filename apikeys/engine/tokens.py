"""Tokens for the engine's door: drawn here, shown once, kept as a digest."""

import hashlib
import ipaddress
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.utils import timezone

from apikeys.models import EngineToken, Scope

PREFIX = "seqe_"
# Use times are written at most this often, so that a client that polls costs no write a poll.
_USED_STEP = timedelta(minutes=1)


class DeniedError(Exception):
    """`status` is 401 for no valid token, 403 for one that may not do this, or not from there."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def make(
    token: EngineToken | None = None,
    *,
    name: str,
    scopes: Sequence[Scope],
    addresses: Sequence[str],
    life: timedelta,
) -> str:
    """Save a token and give its text, for the only time. Raises ValueError for what is no network address."""
    token = token or EngineToken()
    text = PREFIX + secrets.token_urlsafe(32)
    token.name, token.digest = name, _digest(text)
    token.scopes = [Scope(scope).value for scope in scopes]
    token.addresses = networks(addresses)
    token.created_at = timezone.now()
    token.expires_at = token.created_at + life
    token.save(force_insert=True)
    return text


def networks(addresses: Iterable[str]) -> list[str]:
    """Raises ValueError for what is no network address."""
    return [str(ipaddress.ip_network(address, strict=False)) for address in addresses]


def revoke(name: str) -> int:
    """Revoke every live token of this name; gives how many."""
    return EngineToken.objects.filter(name=name, revoked_at=None).update(revoked_at=timezone.now())


def admit(authorization: str, *, scope: Scope | None, address: str) -> None:
    """Raise DeniedError unless the header carries a live token, used from where it may be.

    scope: what the token must be good for, where anything.
    """
    scheme, _, presented = authorization.partition(" ")
    token = None
    if scheme.lower() == "bearer" and presented.startswith(PREFIX) and presented.isascii():
        token = EngineToken.objects.filter(digest=_digest(presented)).first()
    now = timezone.now()
    if token is None or token.revoked_at is not None or token.expires_at <= now:
        raise DeniedError(401, "unauthorized", "A live token is needed: Authorization: Bearer …")
    if token.addresses and not _is_inside(address, token.addresses):
        raise DeniedError(403, "address_not_allowed", "This token may not be used from this address.")
    if scope is not None and scope.value not in token.scopes:
        raise DeniedError(403, "scope_missing", f"This token lacks the scope {scope.value}.")
    if token.used_at is None or token.used_at <= now - _USED_STEP:
        EngineToken.objects.filter(pk=token.pk).update(used_at=now)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _is_inside(address: str, allowed: Sequence[str]) -> bool:
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped  # as a server that listens on [::] sees an IPv4 peer
    return any(found in ipaddress.ip_network(network) for network in allowed)
