"""What every test can ask for: the three people, their bots, and real parts in place of doubles."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from pytest_django import Settings

from accounts import sessions
from accounts.devices import AuthenticatorApp
from accounts.models import KnownBrowser, PrimaryMailDevice, User
from accounts.roles import Role
from apikeys.models import Bot
from tests.authenticators import add_app
from tests.exchange_simulator.exchanges import all_demo_keys
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import Stack, running_stack

pytest_plugins = ["tests.fixtures_mail"]

PASSWORD = "correct horse battery"
# What takes longest begins first, or one worker would be left with it at the end while the others wait.
LONG_FILES = (
    "tests/browser/test_pages_in_browser.py",
    "tests/whole/test_chaos.py",
    "tests/whole/test_crash.py",
    "tests/engine/test_make_run.py",
    "tests/test_make_run.py",
    "tests/apikeys/exchanges/test_every_exchange.py",
    "tests/whole/",
    "tests/browser/",
    "tests/engine/",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in any order, as they come, but the long ones before all others."""
    items.sort(key=lambda item: _place(item.nodeid))


def _place(node: str) -> int:
    return next((place for place, name in enumerate(LONG_FILES) if node.startswith(name)), len(LONG_FILES))


@pytest.fixture(scope="session", autouse=True)
def static_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Pages name their files by content, from a manifest that collectstatic writes.

    Packing the files takes seconds, so the first of several workers does it for all.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        call_command("collectstatic", interactive=False, verbosity=0)
        return
    of_this_run = tmp_path_factory.getbasetemp().parent
    own, shared = Path(settings.STATIC_ROOT), of_this_run / "static"
    with (of_this_run / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go of as the file is closed
        if not shared.exists():
            call_command("collectstatic", interactive=False, verbosity=0)
            shared.symlink_to(own)
            return
    own.symlink_to(shared.resolve())


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Limits of one test must not reach the next."""
    cache.clear()


@pytest.fixture(scope="session")
def hashed_password() -> str:
    """Argon2 is slow on purpose; once is enough."""
    return make_password(PASSWORD)


def make_customer(email: str, client_id: str, password: str) -> User:
    user = User.objects.create(
        email=email, client_id=client_id, name=client_id.split(" / ")[-1], password=password
    )
    PrimaryMailDevice.objects.create(user=user, name="primary address")
    return user


@pytest.fixture
def alice(db: None, hashed_password: str) -> User:
    """A customer, who owns the bots."""
    return make_customer("alice@example.com", "0x1A2 / AliceDoe", hashed_password)


@pytest.fixture
def bob(db: None, hashed_password: str) -> User:
    """Another customer."""
    return make_customer("bob@example.net", "0x2B3 / BobRoe", hashed_password)


def make_staff(role: Role, email: str = "") -> User:
    """A member of staff with an authenticator app and no password; `signed_in` opens the desk for them."""
    person = User.objects.create(email=email or f"{role.value}@sequence.example", is_staff=True)
    PrimaryMailDevice.objects.create(user=person, name="primary address")
    add_app(person)
    person.groups.set(Group.objects.filter(name=role.value))
    return person


@pytest.fixture
def binance_bot(alice: User) -> Bot:
    return Bot.objects.create(
        bot_id="0x1A2 / AliceDoe / BTC-1", customer=alice, exchange="binance", market="spot"
    )


@pytest.fixture
def bybit_bot(alice: User) -> Bot:
    return Bot.objects.create(
        bot_id="0x1A2 / AliceDoe / ETH-2", customer=alice, exchange="bybit", market="derivatives"
    )


@pytest.fixture
def simulator(settings: Settings) -> Iterator[Simulator]:
    """Both exchanges, over real HTTP."""
    with Simulator(keys=all_demo_keys()) as running:
        settings.EXCHANGE_BASE_URLS = running.base_urls()
        yield running


def signed_in(user: User, *, by_mail_alone: bool = False) -> Client:
    """A browser of somebody who has signed in, as `accounts.flows.sign_in` leaves it.

    by_mail_alone: as a session is that began before the person added a second factor.
    """
    client = Client()
    client.force_login(user)
    session = client.session
    app = None if by_mail_alone else AuthenticatorApp.objects.filter(user=user).first()
    session[DEVICE_ID_SESSION_KEY] = (app or PrimaryMailDevice.objects.get(user=user)).persistent_id
    now = timezone.now()
    browser = KnownBrowser.objects.create(user=user, digest=token_hex(32), created_at=now, seen_at=now)
    sessions.begin(session, browser=browser, device="Firefox on Windows", address="192.0.2.44")
    session.save()
    return client


@pytest.fixture
def as_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    return signed_in(bob)


@pytest.fixture
def stack(
    tmp_path: Path, simulator: Simulator, mail_sink: MailSink, transactional_db: None
) -> Iterator[Stack]:
    """Web, check worker, and mail worker with the schedule, as processes."""
    with running_stack(tmp_path, simulator, mail_sink) as running:
        yield running
