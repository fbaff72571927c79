"""What holds for every page: health, headers, error pages, logs, and who may see the desk."""

import logging
import os
import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from accounts.models import User
from accounts.roles import Role
from sequence_portal import views
from sequence_portal.redaction import RedactionFilter, redact
from tests.conftest import make_staff, signed_in


@pytest.mark.django_db
def test_it_refuses_a_form_without_its_token_in_words(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/sign-in/", {"email": "a@example.com", "password": "x"})
    assert answer.status_code == 403
    assert "Sequence Portal" in answer.content.decode()


def test_it_renders_the_page_for_a_broken_request_without_a_database(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.META["portal.reference"] = "7f3a-91c2"
    answer = views.broken(request)
    assert answer.status_code == 500
    assert "7f3a-91c2" in answer.content.decode()


@pytest.mark.django_db
def test_it_opens_the_desk_only_to_verified_staff(client: Client, as_alice: Client, alice: User) -> None:
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert as_alice.get("/admin/").status_code == 302
    staff = make_staff(Role.LEAD)
    password_only = Client()
    password_only.force_login(staff)
    assert password_only.get("/admin/").status_code == 302
    mail_only = signed_in(staff, by_mail_alone=True)
    assert mail_only.get("/admin/").status_code == 302
    assert mail_only.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/security/confirm/")
    desk = signed_in(staff)
    assert desk.get("/admin/").status_code == 200
    for model in (
        "accounts/user",
        "accounts/auditevent",
        "apikeys/bot",
        "apikeys/apikey",
        "notifications/mail",
    ):
        assert desk.get(f"/admin/{model}/").status_code == 200, model
        assert desk.get(f"/admin/{model}/add/").status_code == 403, model


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("api_key=aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z", "api_key="),
        ("GET /x?signature=abcdef&x=1", "x=1"),
        ('{"secret": "s3cr3t-value", "other": 1}', "other"),
        ("key aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zaB3dE5fG7hJ9 refused", "refused"),
    ],
)
def test_it_takes_what_looks_like_a_key_out_of_log_lines(line: str, kept: str) -> None:
    redacted = redact(line)
    assert "[redacted]" in redacted
    assert kept in redacted
    assert "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z" not in redacted
    assert "s3cr3t-value" not in redacted


def test_it_leaves_ids_of_ours_readable() -> None:
    line = "Key 57f3873d-e922-4918-ab3e-25ceca37c3bb: accepted"
    assert redact(line) == line


def test_it_redacts_tracebacks_too() -> None:
    try:
        raise ValueError("secret=aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "broken", (), sys.exc_info())
    RedactionFilter().filter(record)
    assert record.exc_text
    assert "aB3dE5fG" not in record.exc_text


def test_it_keeps_ccxt_out_of_the_web_process() -> None:
    code = (
        "import os, sys; [os.environ.pop(name, None) for name in ('SEAL_PRIVATE_KEYS', 'AUDIT_KEY')];"
        "import sequence_portal.wsgi; from django.urls import get_resolver; get_resolver().url_patterns;"
        "print([name for name in ('ccxt', 'aiohttp') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=settings.BASE_DIR
    )
    assert found.stdout.strip() == "[]"


def test_it_binds_cookies_to_its_host_and_insists_on_https_where_it_is_served_so() -> None:
    """In a process of its own, since names of cookies are settled when the settings are read."""
    code = (
        "import django; django.setup();"
        "from django.conf import settings; from django.test import Client;"
        "from accounts import browsers, tickets;"
        "page = Client(SERVER_NAME='localhost').get('/sign-in/', secure=True);"
        "plain = Client(SERVER_NAME='localhost').get('/sign-in/');"
        "print(page['Strict-Transport-Security']); print(plain['Location']);"
        "print(page.cookies.output()); print(settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE);"
        "print(browsers._COOKIE, tickets._COOKIE)"
    )
    served_so = {"PORTAL_URL": "https://portal.example", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=settings.BASE_DIR,
        env=os.environ | served_so,
    ).stdout
    assert "max-age=31536000; includeSubDomains; preload" in found
    assert "https://localhost/sign-in/" in found
    assert re.search(r"__Host-csrf=.*HttpOnly.*Path=/;.*Secure", found)
    assert "Domain=" not in found
    assert "__Host-session True" in found
    assert "__Host-browser __Host-attempt" in found
