"""What a log line looks like, which request or task it names, and what the net under it catches."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import shared_task
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from apikeys.exchanges import client
from apikeys.exchanges.base import Credentials
from apikeys.vault import Sealed
from sequence_portal import settings as product
from sequence_portal.logs import JsonFormatter
from sequence_portal.middleware import RequestFactsMiddleware
from sequence_portal.redaction import RedactionFilter

SECRET = "Canary-Secret-With-Hyphens"
CREDENTIALS = Credentials(SECRET, SECRET, SECRET)

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What the product's own handler writes, line by line."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RedactionFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)


def test_a_line_is_one_json_object(lines: Lines) -> None:
    logging.getLogger("apikeys").warning("one\ntwo %s", "ü")
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "WARNING", "logger": "apikeys", "message": "one\ntwo ü"}


def test_a_line_tells_of_an_exception(lines: Lines) -> None:
    try:
        raise ValueError(f"password={SECRET}")
    except ValueError:
        logging.getLogger("apikeys").exception("it broke")
    (line,) = lines()
    assert "Traceback" in line["exception"]
    assert "ValueError: password=[redacted]" in line["exception"]
    assert SECRET not in str(line)


def test_a_line_names_the_request_in_which_it_was_written(lines: Lines) -> None:
    def page(request: HttpRequest) -> HttpResponse:
        logging.getLogger("apikeys").warning("inside")
        return HttpResponse(status=500)

    request = RequestFactory().get("/")
    RequestFactsMiddleware(page)(request)
    logging.getLogger("apikeys").warning("outside")
    inside, ended, outside = lines()
    assert inside["request"] == ended["request"] == request.META["portal.reference"]
    assert "request" not in outside


def test_an_answer_of_not_ready_is_no_line_and_a_broken_page_is(lines: Lines) -> None:
    def answer(status: int) -> list[str]:
        handler = BaseHandler()
        handler._middleware_chain = RequestFactsMiddleware(lambda _: HttpResponse(status=status))  # type: ignore[attr-defined]
        handler.get_response(RequestFactory().get("/readyz"))
        return [line["logger"] for line in lines()]

    assert answer(503) == []
    assert answer(500) == ["sequence_portal.middleware", "django.request"]


def test_a_line_names_the_task_in_which_it_was_written_on_the_clients_loop_too(
    lines: Lines, settings: Settings
) -> None:
    settings.EXCHANGE_BASE_URLS = {"bybit": "http://127.0.0.1:9"}  # nobody answers there

    @shared_task(name="tests.log")
    def log() -> None:
        logging.getLogger("apikeys").warning("inside")
        client.ask("bybit", CREDENTIALS)

    done = log.apply()
    logging.getLogger("apikeys").warning("outside")
    told = {line["message"]: line.get("task") for line in lines() if line["level"] == "WARNING"}
    assert told.pop("outside") is None
    assert told.pop("inside") == done.id
    assert len(told) == 1
    assert set(told.values()) == {done.id}, told


@pytest.mark.parametrize(
    "secret",
    [
        CREDENTIALS,
        Sealed(SECRET.encode(), "00000000"),
        SECRET.encode(),
        bytearray(SECRET.encode()),
        memoryview(SECRET.encode()),
    ],
    ids=lambda secret: type(secret).__name__,
)
def test_it_redacts_by_type_wherever_it_stands(secret: object, lines: Lines) -> None:
    logger = logging.getLogger("apikeys")
    logger.warning("%s", secret)
    logger.warning("%r of %s", [secret, {"a": (secret,)}], "a bot")
    logger.warning("%(key)s", {"key": secret})
    logger.warning("%s", {"rows": {1: secret}})
    found = lines()
    assert len(found) == 4
    for line in found:
        assert "[redacted]" in line["message"]
        assert "Canary" not in line["message"]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("%s", ({"api_key": SECRET, "Passphrase": SECRET},)),
        ("%s", ([{"token": [SECRET]}],)),
        ("secret=%s", (SECRET,)),
        ("%s", (f"{{'password': '{SECRET}'}}",)),
        ("%s", ("Canary" + "0a" * 16,)),
    ],
)
def test_it_redacts_by_name_and_by_look(text: str, arguments: tuple[object, ...], lines: Lines) -> None:
    logging.getLogger("apikeys").warning(text, *arguments)
    (line,) = lines()
    assert "[redacted]" in line["message"]
    assert "Canary" not in line["message"]


def test_it_never_fails_for_a_line_that_does_not_fit(lines: Lines) -> None:
    logging.getLogger("apikeys").warning("%s and %s", "one")
    assert lines()[0]["message"] == "%s and %s (its arguments do not fit)"


@pytest.mark.parametrize(
    "name", ["ccxt.base.exchange", "aiohttp.client", "urllib3.connectionpool", "http.client"]
)
def test_libraries_that_see_keys_stay_quiet_whatever_the_level_of_the_rest(name: str) -> None:
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
        assert logging.getLogger(name).isEnabledFor(logging.WARNING)
        assert logging.getLogger("apikeys").isEnabledFor(logging.DEBUG)
    finally:
        root.setLevel(before)


def test_the_product_writes_so() -> None:
    handler = product.LOGGING["handlers"]["stderr"]  # type: ignore[index]
    assert (handler["formatter"], handler["filters"]) == ("json", ["redact"])
