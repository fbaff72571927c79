"""What leaves for Sentry, read at the other end: a web process that breaks, with secrets all around."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli  # type: ignore[import-untyped]
import pytest

from tests.stack import ROOT

SECRET = "Canary7secretOfThirtySixCharacters00"
BREAKS = f"""
import sequence_portal.wsgi
import logging
from django.test import Client
from django.urls import path
from sequence_portal import urls

def page(request):
    local = request.POST["secret"]
    logging.getLogger("apikeys").error("a line with %s", local)
    raise RuntimeError("quoting " + local)

urls.urlpatterns.append(path("broken/", page))
client = Client(raise_request_exception=False, headers={{"authorization": {SECRET!r}}})
client.cookies["another"] = {SECRET!r}
assert client.post("/broken/?secret={SECRET}", {{"secret": {SECRET!r}}}).status_code == 500
import sentry_sdk
sentry_sdk.flush()
"""


class Sentry(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []


class _Handler(BaseHTTPRequestHandler):
    server: Sentry

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Encoding"] == "br"
        self.server.bodies.append(brotli.decompress(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    server = Sentry()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def break_a_page(**more: str) -> None:
    not_of_the_web = ("SEAL_PRIVATE", "AUDIT_KEY", "PYTEST")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(not_of_the_web)}
    environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": "sqlite://:memory:"}
    environ |= {"ALLOWED_HOSTS": "testserver", **more}
    ended = subprocess.run(
        [sys.executable, "-c", BREAKS], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_it_reports_type_and_place_of_an_exception_and_nothing_else(sentry: Sentry) -> None:
    break_a_page(SENTRY_DSN=f"http://public@127.0.0.1:{sentry.server_port}/1")
    sent = b"\n".join(sentry.bodies)
    assert SECRET.encode() not in sent
    assert b"quoting" not in sent
    events = [json.loads(line) for line in sent.splitlines() if b'"exception"' in line]
    (event,) = events
    (exception,) = event["exception"]["values"]
    assert (exception["type"], exception["stacktrace"]["frames"][-1]["function"]) == ("RuntimeError", "page")
    assert set(exception) == {"type", "module", "stacktrace"}
    assert len(event["tags"]["request"]) == 9
    assert not event.keys() & {"request", "user", "breadcrumbs", "extra", "modules", "server_name"}
