"""Takes the pictures of docs/screenshots while `make run` runs, as its customer, then as its lead."""

import base64
import json
import os
import re
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping

from django_otp.oath import TOTP
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, ViewportSize, sync_playwright

from demo import people
from demo.environment import (
    BASE_DIR,
    PASSWORD,
    SECRETS_FILE,
    STAFF_APP,
    Addresses,
    DemoError,
    addresses,
    own_secrets,
)
from tests.exchange_simulator.exchanges import DEMO_KEYS

PICTURES = BASE_DIR / "docs" / "screenshots"
# Narrow and a little sharper than a screen: readable in a README without a click.
SIZE: ViewportSize = {"width": 1040, "height": 780}


def main() -> int:
    at = addresses(os.environ)
    if not SECRETS_FILE.exists():
        raise DemoError("Nobody to sign in as.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        # Chromium refuses its sandbox to root, as which containers and CI run.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        page = browser.new_page(viewport=SIZE, device_scale_factor=1.5, color_scheme="light")
        made = own_secrets()
        take_of_customer(page, at, made[PASSWORD])
        page.context.clear_cookies()
        take_of_desk(page, at, made)
        browser.close()
    return 0


def take_of_customer(page: Page, at: Addresses, password: str) -> None:
    bot_id, exchange, _ = people.BOTS[0]
    page.goto(f"{at.portal}/sign-in/")
    take(page, "sign-in")
    sign_in(page, at, people.EMAIL, password)
    page.wait_for_selector("[data-bot-id]")
    take(page, "bots")

    page.click(f'[data-bot-id="{bot_id}"] [data-action=refresh]')
    page.wait_for_selector("[name=api_key]")
    take(page, "key-form")
    good = DEMO_KEYS[exchange]["good"]
    page.fill("[name=api_key]", good.api_key)
    page.fill("[name=secret]", good.secret)
    page.click("form:has([name=api_key]) [type=submit]")
    page.wait_for_selector("[data-key-status=active]", timeout=30_000)
    take(page, "key-active")

    mail = newest_mail(at, lambda: "API refresh" in mails(at)[-1]["subject"])
    page.goto(f"{at.url(at.mailbox)}/mail/{mail['number']}/html")
    take(page, "mail")


def take_of_desk(page: Page, at: Addresses, made: Mapping[str, str]) -> None:
    """The page of the customer who has just handed over a key."""
    page.goto(f"{at.portal}/admin/")
    sign_in(page, at, people.STAFF_EMAIL, made[PASSWORD])
    page.wait_for_url("**/sign-in/factor/**")
    app = TOTP(base64.b32decode(made[STAFF_APP]))
    app.time = time.time()
    page.fill("[name=code]", f"{app.token():06d}")
    page.click("form:has([name=code]) [type=submit]")
    page.fill("#desk-search input[name=q]", people.CLIENT_ID)
    page.click("#desk-search [type=submit]")
    page.wait_for_selector("#timeline")
    take(page, "desk-customer")


def sign_in(page: Page, at: Addresses, email: str, password: str) -> None:
    """Up to the mailed code, and with it."""
    earlier = len(mails(at))
    page.fill("[name=email]", email)
    page.fill("[name=password]", password)
    page.click("form [type=submit]")
    code = re.search(r"\b\d{6}\b", newest_mail(at, lambda: len(mails(at)) > earlier)["text"])
    if code is None:
        raise DemoError("The newest mail holds no code.")
    page.fill("[name=code]", code.group())
    page.click("form:has([name=code]) [type=submit]")


def take(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def mails(at: Addresses) -> list[dict[str, str]]:
    with urllib.request.urlopen(f"{at.url(at.mailbox)}/_control/messages", timeout=10) as reply:  # noqa: S310 - of this machine # nosec B310
        found: list[dict[str, str]] = json.load(reply)
        return found


def newest_mail(at: Addresses, came: Callable[[], bool]) -> dict[str, str]:
    give_up = time.monotonic() + 30
    while not came():
        if time.monotonic() > give_up:
            raise DemoError("The mail that was waited for did not come.")
        time.sleep(0.2)
    return mails(at)[-1]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BrowserError, DemoError, OSError) as problem:
        sys.exit(f"No pictures: {str(problem).splitlines()[0]} Is `make run` running?")
