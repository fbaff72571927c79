"""What a customer does in a browser: open, type, press, and read the mail."""

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

from tests.exchange_simulator.model import SimulatedKey
from tests.mail_sink import MailSink
from tests.mail_sink.letters import Letter

# Seconds. Long: a slow machine is no fault of the portal.
WAIT = 30.0


@dataclass(frozen=True)
class Customer:
    """One person at one browser window, with a mailbox."""

    page: Page
    portal: str
    sink: MailSink

    def open(self, path: str) -> None:
        self.page.goto(f"{self.portal}{path}")

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).click()

    def read(self) -> str:
        """The words of the page, without what stands at its head and foot, spaces as one."""
        return " ".join(self.page.locator("main").inner_text().split())

    def last_letter(self) -> int:
        letters = self.sink.messages
        return letters[-1].number if letters else 0

    def mailed_code(self, after: int) -> str:
        """The six digits of the next code mail after letter number `after`."""
        letter = self.sink.wait_for(lambda one: one.number > after and _code_in(one) != "", timeout=WAIT)
        return _code_in(letter)

    def give_password(self, email: str, password: str) -> str:
        """Fill and send the sign-in form; gives the code that came by mail."""
        before = self.last_letter()
        self.field("Email address").fill(email)
        self.field("Password").fill(password)
        self.press("Continue")
        self.page.wait_for_url("**/sign-in/code/**")
        return self.mailed_code(before)

    def give_code(self, code: str) -> None:
        self.field("Six-digit code").fill(code)
        self.press("Continue")

    def sign_in(self, email: str, password: str) -> None:
        self.open("/sign-in/")
        self.give_code(self.give_password(email, password))
        self.page.wait_for_url(f"{self.portal}/")

    def bot(self, bot_id: str) -> Locator:
        return self.page.locator(f'[data-bot-id="{bot_id}"]')

    def choose(self, bot_id: str, action: str) -> None:
        """From the list of bots to the page of one: `action` is connect or refresh."""
        self.open("/")
        self.bot(bot_id).locator(f'[data-action="{action}"]').click()
        self.field("API key").wait_for()

    def hand_over(self, key: SimulatedKey) -> None:
        """Fill the form with one of the demo keys and send it; ends on the page of the key."""
        self.field("API key").fill(key.api_key)
        self.field("Secret").fill(key.secret)
        self.page.locator("form:has([name=api_key]) [type=submit]").click()
        self.page.wait_for_url("**/keys/**")

    def wait_for_status(self, status: str) -> None:
        """The page of a key says so by itself; without a script it loads itself again."""
        self.page.wait_for_selector(f'[data-key-status="{status}"]', timeout=WAIT * 1000)


def _code_in(letter: Letter) -> str:
    found = re.search(r"^Your code to .*: (\d{6})$", letter.text, re.MULTILINE)
    return found[1] if found else ""
