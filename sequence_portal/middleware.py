"""What holds for every request: a reference for support, and plain answers to floods."""

import logging
import math
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.limits import TooManyError

logger = logging.getLogger(__name__)


class RequestFactsMiddleware:
    """Gives each request a short reference, shown on the page for broken requests and in its log line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        digits = secrets.token_hex(4)
        request.META["portal.reference"] = f"{digits[:4]}-{digits[4:]}"
        response = self.get_response(request)
        if response.status_code >= 500:
            logger.error("Request %s ended with %s", request.META["portal.reference"], response.status_code)
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
