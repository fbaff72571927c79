"""What the parts are measured on: a fresh database, and the portal's processes over it, with a customer."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from django.core.management import call_command
from django.test.utils import setup_databases, teardown_databases

from accounts.models import User
from apikeys.models import Bot
from bench.browser import Browser
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import Stack, empty_broker, free_port

CLIENT_ID = "0x1A2 / JaneDoe"
EMAIL = "jane.doe@example.com"
PASSWORD = "correct horse battery"  # noqa: S105 - of a customer who lives as long as the run


@contextlib.contextmanager
def fresh_database() -> Iterator[None]:
    """Beside the one that DATABASE_URL names, as for tests, and gone afterwards."""
    collect_static()
    made = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        teardown_databases(made, verbosity=0)


def collect_static() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)


@contextlib.contextmanager
def portal(simulator: Simulator, sink: MailSink, *names: str, **environ: str) -> Iterator[Stack]:
    """The named processes, on the settings of the product."""
    empty_broker()
    of_the_product = {"DJANGO_SETTINGS_MODULE": "bench.settings", **environ}
    directory = Path(os.environ["PORTAL_TEST_DIR"])
    stack = Stack(directory, simulator, sink, port=free_port(), extra=of_the_product)
    try:
        stack.start(*names)
        yield stack
    finally:
        stack.stop()
        empty_broker()


def make_customer() -> User:
    return User.objects.create_user(EMAIL, PASSWORD, client_id=CLIENT_ID, name="Jane Doe")


def make_bot(customer: User, name: str, exchange: str = "binance", market: str = "spot") -> Bot:
    bot_id = f"{customer.client_id} / {name}"
    return Bot.objects.create(bot_id=bot_id, customer=customer, exchange=exchange, market=market)


def sign_in(browser: Browser, sink: MailSink) -> None:
    """As a customer does, with the code from the mail."""
    seen = len(sink.messages)
    browser.get("/sign-in/")
    browser.post("/sign-in/", email=EMAIL, password=PASSWORD)
    letter = sink.wait_for(lambda letter: letter.number > seen, 30)
    browser.get("/sign-in/code/")
    answer = browser.post("/sign-in/code/", code=code_in(letter.text))
    if answer.headers["Location"] != "/":
        raise RuntimeError(f"Could not sign in: {answer.status}")


def code_in(text: str) -> str:
    found = re.search(r"\b(\d{3})\s?(\d{3})\b", text)
    if found is None:
        raise RuntimeError("The mail holds no code.")
    return found[1] + found[2]
