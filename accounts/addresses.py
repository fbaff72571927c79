"""The network address of the one who asks."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104 - a value to write down, nothing is bound to it # nosec B104


def neighbourhood(address: str) -> str:
    """What limits count by: one IPv4 address, or the /64 that one IPv6 customer has all to himself."""
    found = ipaddress.ip_address(address)
    return str(ipaddress.ip_network(f"{found}/{32 if found.version == 4 else 64}", strict=False))


def client_address(request: HttpRequest) -> str:
    """The address that the outermost trusted proxy saw, or the peer where no proxy is trusted.

    Each proxy appends the peer it saw to X-Forwarded-For, so with n trusted proxies the n-th entry from the
    right is true and everything left of it is the client's own invention.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    if settings.TRUSTED_PROXIES and len(hops) >= settings.TRUSTED_PROXIES:
        peer = hops[-settings.TRUSTED_PROXIES]
    try:
        return str(ipaddress.ip_address(peer))
    except ValueError:
        return UNKNOWN
