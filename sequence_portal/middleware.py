"""What holds for every request: a reference for support, headers of a page, and plain answers to floods."""

import logging
import math
import secrets
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from accounts.limits import TooManyError
from sequence_portal.logs import request_reference

logger = logging.getLogger(__name__)

# Names that browsers know; one that they do not know is a complaint on the console of every page.
_NEVER_USED = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen"),
    *("geolocation", "gyroscope", "magnetometer", "microphone", "midi", "payment", "picture-in-picture"),
    *("screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
PERMISSIONS_POLICY = ", ".join(f"{name}=()" for name in _NEVER_USED)


class RequestFactsMiddleware:
    """Gives each request a short reference, shown on the page for broken requests and in its log lines."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        digits = secrets.token_hex(4)
        reference = request.META["portal.reference"] = f"{digits[:4]}-{digits[4:]}"
        bound = request_reference.set(reference)
        try:
            response = self.get_response(request)
            # Of a 503 no line is written, as `logs.NotReadyFilter` says.
            if response.status_code >= 500 and response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                logger.error("Request %s ended with %s", reference, response.status_code)
        finally:
            request_reference.reset(bound)
        return response


class PageHeadersMiddleware:
    """Keeps every page out of every cache, and off what a browser could do for it and never needs to.

    Not files of ours that all visitors share: WhiteNoise answers those further out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        add_never_cache_headers(response)
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        return response


class TooManyMiddleware:
    """Turns a reached limit into 429 with Retry-After and a page that says when to come back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooManyError):
            return None
        response = render(
            request,
            "429.html",
            {"again_at": exception.again_at, "sentence": exception.sentence},
            status=429,
        )
        seconds = (exception.again_at - timezone.now()).total_seconds()
        response["Retry-After"] = str(max(1, math.ceil(seconds)))
        return response
