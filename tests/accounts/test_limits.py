"""Limits: who is held up, who is not, and that many processes count as one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import limits
from accounts.limits import Limit, TooManyError
from accounts.models import CodeAttempt, KnownBrowser, LimitCount, MailedCode, Session, User
from accounts.tasks import forget_what_is_over
from apikeys.models import ApiKey, Bot
from tests.accounts.test_set_password import ask
from tests.accounts.test_sign_in import enter_password, latest_code
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.mail_sink import MailSink

TOO_MANY = "There were too many tries from where you are."

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(alice: User, mail_sink: MailSink) -> Client:
    """A browser that Alice has signed in with and out again."""
    browser = Client()
    enter_password(browser)
    browser.post("/sign-in/code/", {"code": latest_code(mail_sink)})
    browser.post("/sign-out/")
    MailedCode.objects.all().delete()
    return browser


def use_up_but_one(limit: Limit, person: User | None = None, *, already: int = 0) -> None:
    for _ in range(limit.count - already - 1):
        limits.take(limits.of_address(limit, "127.0.0.1", person.pk if person else None))


def at(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def test_it_counts_tries_of_the_owners_browser_apart_even_behind_one_address(known: Client) -> None:
    for _ in range(limits.PASSWORDS.count):
        enter_password(Client(), password="a wrong guess")
    assert enter_password(Client()).status_code == 429
    assert enter_password(known)["Location"] == "/sign-in/code/"


def test_it_keeps_a_code_for_the_owner_whoever_uses_up_those_of_strangers(known: Client) -> None:
    for purpose in (enter_password, ask):
        for turn in range(limits.CODES_PER_ACCOUNT):
            assert purpose(at(f"198.51.100.{turn // limits.CODES_PER_ORIGIN}")).status_code == 302
        answer = purpose(at("203.0.113.200"))
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 800
        assert "a code can still be mailed" in answer.content.decode()
        assert purpose(known).status_code == 302, "the owner is not held up"


def test_it_gives_no_room_to_a_browser_that_another_customer_is_known_by(
    known: Client, bob: User, alice: User
) -> None:
    KnownBrowser.objects.update(user=bob)
    for _ in range(limits.PASSWORDS.count):
        enter_password(Client(), password="a wrong guess")
    assert enter_password(known).status_code == 429


def test_it_counts_one_customer_of_ipv6_as_one_however_many_addresses_they_have(alice: User) -> None:
    for turn in range(limits.PASSWORDS.count):
        enter_password(at(f"2001:db8:1:2::{turn + 1:x}"), password="a wrong guess")
    assert enter_password(at("2001:db8:1:2:ffff::1")).status_code == 429
    assert enter_password(at("2001:db8:1:3::1")).status_code == 302


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/sign-in/", {"email": "nobody@example.com", "password": "x"}),
        ("/sign-in/help/", {"client_id": "0x9 / Nobody", "email": "nobody@example.com"}),
        ("/sign-in/code/", {"code": "123456"}),
        ("/sign-in/code/again/", {}),
        ("/sign-in/help/code/", {"code": "123456"}),
        ("/sign-in/help/code/again/", {}),
    ],
)
def test_it_stops_a_flood_of_forms_from_one_address(path: str, form: dict[str, str], alice: User) -> None:
    here = Client()
    ask(here) if "help" in path else enter_password(here)
    use_up_but_one(limits.ENTRANCE_FORMS, already=1)
    assert TOO_MANY not in here.post(path, form).content.decode()
    answer = here.post(path, form)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900
    page = answer.content.decode()
    assert TOO_MANY in page
    assert "Your account is not locked" in page
    assert here.get("/sign-in/").status_code == 200, "reading is not counted"
    here.defaults["REMOTE_ADDR"] = "198.51.100.9"
    assert TOO_MANY not in here.post(path, form).content.decode()


def test_it_stops_a_flood_of_keys_and_of_guides(as_alice: Client, alice: User, binance_bot: Bot) -> None:
    for limit in (limits.KEYS_SENT, limits.GUIDES):
        use_up_but_one(limit, alice)
    form, good = f"/bots/{binance_bot.pk}/key/", DEMO_KEYS["binance"]["good"]
    pasted = {"api_key": good.api_key, "secret": good.secret}
    assert as_alice.get(form).status_code == 200
    assert as_alice.post(form, {"api_key": "x", "secret": "y"}).status_code == 200
    for answer in (as_alice.get(form), as_alice.post(form, pasted)):
        assert answer.status_code == 429
        assert answer["Retry-After"]
        assert good.secret not in answer.content.decode()
    assert not ApiKey.objects.exists()
    assert as_alice.get("/").status_code == 200
    as_alice.defaults["REMOTE_ADDR"] = "198.51.100.9"
    assert as_alice.post(form, pasted).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_it_counts_many_at_once_as_many() -> None:
    """In threads with database connections of their own, as processes have them."""
    tries, allowed = 40, Limit("at-once", 10, limits.CODES_WINDOW)

    def is_allowed(_: int) -> bool:
        try:
            limits.take((allowed, "somebody"))
        except TooManyError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(is_allowed, range(tries))) == allowed.count


def test_it_keeps_no_address_or_email_in_a_counter(alice: User) -> None:
    enter_password(at("198.51.100.9"), password="a wrong guess")
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM accounts_limitcount")
        rows = repr(cursor.fetchall())
    assert "alice" not in rows.lower()
    assert "198.51" not in rows


def test_it_forgets_what_is_over(alice: User, as_alice: Client, mail_sink: MailSink) -> None:
    ask(Client())
    begun = timezone.now()
    rows = (Session, KnownBrowser, CodeAttempt, MailedCode)
    for later, kept in (
        (timedelta(0), rows),
        (timedelta(hours=14), (KnownBrowser, CodeAttempt, MailedCode)),
        (timedelta(days=3), (KnownBrowser,)),
        (timedelta(days=401), ()),
    ):
        with time_machine.travel(begun + later):
            forget_what_is_over()
        assert tuple(model for model in rows if model._default_manager.exists()) == kept
    assert not LimitCount.objects.exists()
