"""A real browser, a module at a time."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from playwright.sync_api import Error as BrowserError

COMMANDS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright's event loop counts as running in this thread for as long as it is open.

    Therefore Django takes the plain functions of the tests for asynchronous ones and refuses them the
    database. It is told otherwise until the loop is closed, and not outside this folder, where the refusal
    would be right; `tests.stack` does not hand it on to the portal's own processes either.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as running:
            yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    opened = _open(playwright)
    yield opened
    opened.close()


def _open(playwright: Playwright) -> Browser:
    """The machine's Chromium, else Playwright's own. A command may be there and still not start."""
    found = [path for path in map(shutil.which, COMMANDS) if path]
    # Chromium refuses its sandbox to root, as which containers and CI run.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    said = []
    for path in (*found, None):
        try:
            return playwright.chromium.launch(executable_path=path, args=flags)
        except BrowserError as error:
            said.append(f"{path or 'its own'}: {error.message.splitlines()[0]}")
    reason = f"No browser starts. {'; '.join(said)}"
    if os.environ.get("PORTAL_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
