"""Passkeys in a real browser, with an authenticator that Chromium plays.

The portal is served by a thread of the test, at the name `localhost`: browsers give passkeys to names only.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.devices import Passkey
from accounts.models import AuditEvent, User
from accounts.roles import Role
from tests.accounts.test_sign_in import latest_code
from tests.authenticators import add_app, code_of
from tests.browser.looking import AXE_RULES
from tests.conftest import PASSWORD, make_staff
from tests.mail_sink import MailSink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings) -> str:
    # This server finds files by their own names, not by those that whitenoise serves.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    url = f"http://localhost:{live_server.thread.port}"
    settings.PORTAL_URL = url
    return url


@pytest.fixture
def page(browser: Browser, portal: str) -> Iterator[Page]:
    """A window whose machine has an authenticator that always says yes."""
    context = browser.new_context(base_url=portal)
    context.set_default_timeout(30_000)
    opened = context.new_page()
    devtools = context.new_cdp_session(opened)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(f"{message.text} {message.location['url']}"))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    # The desk names no icon, so the browser looks for one by itself.
    assert not [one for one in complaints if not one.endswith("/favicon.ico")]


def give_password_and_code(page: Page, user: User, mail_sink: MailSink) -> None:
    page.goto("/sign-in/")
    page.get_by_label("Email address", exact=True).fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.wait_for_url("**/sign-in/code/**")
    page.get_by_label("Six-digit code", exact=True).fill(latest_code(mail_sink))
    page.get_by_role("button", name="Continue", exact=True).click()


def looks_right(page: Page) -> None:
    found = Axe().run(page, options={"runOnly": AXE_RULES})
    assert not found.response["violations"], found.generate_report()


def add_passkey(page: Page, name: str) -> None:
    page.goto("/security/factors/")
    looks_right(page)
    page.get_by_label("Name of the passkey", exact=True).fill(name)
    page.get_by_role("button", name="Add a passkey", exact=True).click()


def test_it_adds_a_passkey_signs_in_with_it_and_removes_it(
    page: Page, portal: str, alice: User, mail_sink: MailSink
) -> None:
    give_password_and_code(page, alice, mail_sink)
    page.wait_for_url(f"{portal}/")
    add_passkey(page, "Laptop")
    page.get_by_role("heading", name="Your passkey is added").wait_for()
    looks_right(page)
    assert Passkey.objects.get().name == "Laptop"
    page.get_by_role("button", name="Sign out").click()

    give_password_and_code(page, alice, mail_sink)
    page.wait_for_url("**/sign-in/factor/")
    looks_right(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{portal}/")
    assert Passkey.objects.get().used_at is not None
    signed_in = AuditEvent.objects.filter(customer=alice, verb="signed_in").latest("pk")
    assert signed_in.detail["then"] == ", then passkey"

    page.goto("/security/factors/")
    page.get_by_role("link", name="Remove Laptop").click()
    looks_right(page)
    page.get_by_role("button", name="Remove it").click()
    page.get_by_text("The passkey was removed").wait_for()
    assert not Passkey.objects.exists()


def test_it_takes_an_answer_once_and_for_its_own_challenge_only(
    page: Page, portal: str, hashed_password: str, mail_sink: MailSink
) -> None:
    """Staff, who sign in with an app here, add a passkey to it; what it signed is worth nothing again."""
    staff = make_staff(Role.SUPPORT)
    User.objects.filter(pk=staff.pk).update(password=hashed_password)
    app = staff.authenticatorapp_set.get()
    give_password_and_code(page, staff, mail_sink)
    page.wait_for_url("**/sign-in/factor/")
    page.get_by_label("Six-digit code", exact=True).fill(code_of(app))
    page.get_by_role("button", name="Continue", exact=True).click()
    page.wait_for_url("**/admin/")
    add_passkey(page, "Blue key")
    page.get_by_text("The passkey was added").wait_for()

    page.goto("/security/confirm/")
    looks_right(page)
    with page.expect_request(lambda asked: asked.method == "POST") as sent:
        page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/admin/")
    answer = sent.value.post_data or ""
    assert "passkey=" in answer
    # A form token lives as long as its cookie, so the very same body can be sent again.
    replayed = page.request.post(
        "/security/confirm/",
        data=answer,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Referer": portal, "Origin": portal},
        max_redirects=0,
    )
    assert replayed.status == 200
    assert "The passkey was not accepted" in replayed.text()


def test_it_works_without_a_script(browser: Browser, portal: str, alice: User, mail_sink: MailSink) -> None:
    app = add_app(alice)
    context = browser.new_context(base_url=portal, java_script_enabled=False)
    page = context.new_page()
    give_password_and_code(page, alice, mail_sink)
    page.wait_for_url("**/sign-in/factor/")
    page.get_by_label("Six-digit code", exact=True).fill(code_of(app))
    page.get_by_role("button", name="Continue", exact=True).click()
    page.wait_for_url(f"{portal}/")
    page.goto("/security/factors/")
    assert "needs JavaScript" in page.locator("main").inner_text()
    assert not page.get_by_role("button", name="Add a passkey").is_visible()
    context.close()
