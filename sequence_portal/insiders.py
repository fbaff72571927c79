"""Who may read figures without a session: whoever has the token; without one set, private addresses."""

import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest

from accounts.addresses import client_address


def may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        return has_token(request.headers.get("Authorization", ""))
    if not settings.TRUSTED_PROXIES and "X-Forwarded-For" in request.headers:
        # A proxy that we were not told of is the peer then, and private for strangers too.
        return False
    address = ipaddress.ip_address(client_address(request))
    return address.is_private and not address.is_unspecified


def has_token(authorization: str) -> bool:
    """Whether this header holds the token. False where none is set."""
    presented = authorization.removeprefix("Bearer ")
    token = settings.METRICS_TOKEN
    return bool(token) and hmac.compare_digest(presented.encode(), token.encode())
