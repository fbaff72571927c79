"""The search of the desk: what is found for what is typed, by whom, and what is never looked for."""

import html
import itertools
import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import MailboxHold, User
from accounts.roles import Role
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from notifications import outbox
from notifications.desk.indexes import has_trigrams
from notifications.kinds import MailKind
from notifications.models import Mail
from tests.apikeys.rows import make_key
from tests.conftest import make_customer, make_staff, signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.notifications.samples import CONTEXTS

pytestmark = pytest.mark.django_db

SEARCH = "/admin/search/"
ALICE, BOB, BTC, ETH, KEY, OTHER_KEY, MAIL = "alice", "bob", "btc", "eth", "…mB9x", "…MB9X", "mail"
HEADINGS = {"Customers", "Bots", "Keys", "Mails"}


@pytest.fixture
def rows(alice: User, bob: User, binance_bot: Bot, bybit_bot: Bot) -> dict[str, str]:
    """What there is to be found, by the address of its page."""
    key = make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(0), account_id="448811223")
    other = make_key(bybit_bot, KeyStatus.REFUSED, "MB9X", timedelta(1))
    kind = MailKind.API_CONNECTED
    with transaction.atomic():
        context = CONTEXTS[kind] | {"bot_id": "0x9F9 / Nobody / SOL-7"}
        outbox.send(kind, owner_id=bob.pk, to=bob.email, cause="x", context=context)
    mail = Mail.objects.get()
    return {
        f"/admin/accounts/user/{alice.pk}/change/": ALICE,
        f"/admin/accounts/user/{bob.pk}/change/": BOB,
        f"/admin/apikeys/bot/{binance_bot.pk}/change/": BTC,
        f"/admin/apikeys/bot/{bybit_bot.pk}/change/": ETH,
        f"/admin/apikeys/apikey/{key.pk}/change/": KEY,
        f"/admin/apikeys/apikey/{other.pk}/change/": OTHER_KEY,
        f"/admin/notifications/mail/{mail.pk}/change/": MAIL,
    }


def find(client: Client, rows: dict[str, str], term: str) -> tuple[list[str], bool]:
    """What is found, in the order shown, and whether the search led straight to it."""
    answer = client.post(SEARCH, {"q": term})
    if answer.status_code == 302:
        answer = client.get(answer["Location"])
    if answer.status_code == 302:
        return [rows[answer["Location"]]], True
    content = answer.content.decode().split('id="content-main"')[1]
    return [rows[url] for url in re.findall(r'<th scope="row"><a href="([^"]+)"', content)], False


def test_it_finds_what_is_meant(rows: dict[str, str]) -> None:
    lead = signed_in(make_staff(Role.LEAD))
    wanted: dict[str, tuple[list[str], bool]] = {
        # A User ID, whole, in another form, and half of it.
        "0x1A2 / AliceDoe": ([ALICE], True),
        " 0x1a2/ALICEDOE ": ([ALICE], True),
        "0x1A2": ([ALICE, BTC, ETH], False),
        "AliceD": ([ALICE, BTC, ETH], False),
        "alice doe": ([ALICE, BTC, ETH], False),
        # A BOT ID, and half of it.
        "0x1A2/AliceDoe/ BTC-1": ([BTC], True),
        "AliceDoe/btc": ([BTC], False),
        "eth-2": ([ETH], False),
        # An address, and the beginning of one.
        "Bob@Example.NET": ([BOB], True),
        "bob@": ([BOB], False),
        # The end of an API key: letter case tells two apart.
        "mB9x": ([KEY], True),
        "…MB9X": ([OTHER_KEY], True),
        "mb9x": ([KEY, OTHER_KEY], False),
        # An account at the exchange.
        "448811223": ([KEY], True),
        "4488": ([KEY], False),
        # A piece of a subject.
        "connected: 0x9f9": ([MAIL], False),
        "SOL-7": ([MAIL], False),
        # Nothing of these. Signs of a pattern stand for themselves.
        "zz": ([], False),
        "0x%AliceDoe": ([], False),
        "____": ([], False),
        "nothing like it": ([], False),
        "": ([], False),
    }
    assert {term: find(lead, rows, term) for term in wanted} == wanted
    key = ApiKey.objects.get(last_four="mB9x")
    assert find(lead, rows, str(key.pk)) == ([KEY], True)


@pytest.mark.parametrize("looked_at_first", [1, 2, 3, 4])
def test_a_list_finds_the_best_match_among_very_many_people(
    looked_at_first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.desk.search._OWNERS", looked_at_first)
    by_address = [_person(f"ann{number}@example.com", "Zoe") for number in range(3)]
    by_name = [_person(f"zoe{number}@example.com", "Ann") for number in range(3)]
    lead = signed_in(make_staff(Role.LEAD))

    def found(*people: User) -> list[User]:
        MailboxHold.objects.all().delete()
        for person in people:
            MailboxHold.objects.create(user=person, email="x@example.org")
        listed = lead.get("/admin/accounts/mailboxhold/", {"q": "ann"}).context["cl"]
        return [hold.user for hold in listed.result_list]

    for person in (*by_address, *by_name):
        assert found(person) == [person]
    for better, weaker in itertools.product(by_address, by_name):  # an address that begins so comes first
        assert found(better, weaker) == [better]
    assert found() == []
    # Hand-overs are searched for by their key and by their bot, whose numbers are of two types.
    assert not lead.get("/admin/apikeys/handover/", {"q": "ann"}).context["cl"].result_list


def _person(email: str, name: str) -> User:
    client_id = f"0x{User.objects.count()} / Nobody"
    return User.objects.create_user(email, None, client_id=client_id, name=name)


def test_it_says_why_and_leads_on_to_the_list(rows: dict[str, str]) -> None:
    lead = signed_in(make_staff(Role.LEAD))
    page = lead.get(SEARCH, {"q": "AliceDoe"}).content.decode()
    assert "User ID has it inside" in page or "Name" in page
    listed = lead.get("/admin/apikeys/bot/", {"q": "AliceDoe"})
    assert {bot.bot_id[-5:] for bot in listed.context["cl"].result_list} == {"BTC-1", "ETH-2"}
    # A whole id in a list's own box shows that row only; filters stay.
    sent = {"q": "mB9x", "list": "apikeys.apikey", "status__exact": "active"}
    answer = lead.post(SEARCH, sent)
    assert answer["Location"] == "/admin/apikeys/apikey/?status__exact=active&q=mB9x"
    assert [key.last_four for key in lead.get(answer["Location"]).context["cl"].result_list] == ["mB9x"]
    assert lead.post(SEARCH, sent | {"list": "auth.permission"})["Location"] == f"{SEARCH}?q=mB9x"


def test_it_shows_each_role_what_it_may_see(rows: dict[str, str]) -> None:
    for role in Role:
        desk = signed_in(make_staff(role))
        found, _ = find(desk, rows, "0x1A2")
        assert (ALICE in found) is (role is not Role.OPERATIONS)
        assert BTC in found
    operations = signed_in(User.objects.get(email="operations@sequence.example"))
    assert find(operations, rows, "bob@example.net") == ([], False)
    assert find(operations, rows, "0x1A2 / AliceDoe") == ([BTC, ETH], False)
    # A bot is not found by the address of a person whom the role may not see.
    assert not operations.get("/admin/apikeys/bot/", {"q": "alice@example.com"}).context["cl"].result_list


PASTED = [value for keys in DEMO_KEYS.values() for value in (keys["good"].api_key, keys["good"].secret)]
NEARLY_DIGITS = "f41b34b1-f935-4833-8776-754142369010"
KEY_OF_BYBIT = "TqXWbNeKdLrsUaYHpQ"  # one in twenty of its eighteen characters has no digit
AS_PASTED = (
    *(
        "{}",
        "key: {} please",
        "{},",
        "{}.",
        "({})",
        '"{}"',
        "key:{}",
        "apiKey={}",
        "https://x.example/?k={}&l=1",
    ),
    *("{0},{0}", "0x{}", "{}@example.com", "0x1A2/AliceDoe/{}", "\u2067{}\u200d", "“{}”", "{};"),
)


def broken(key: str) -> list[str]:
    """With a character in the midst that nobody sees."""
    return [f"{key[:9]}{unseen}{key[9:]}" for unseen in "\u200b\u00ad\ufeff\u034f\u3164\x07"]


def in_wide_letters(key: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in key)


@pytest.mark.parametrize("role", [Role.LEAD, Role.OPERATIONS])
def test_it_never_looks_for_a_whole_api_key_or_secret(rows: dict[str, str], role: Role) -> None:
    desk = signed_in(make_staff(role))
    key = PASTED[0]
    terms = [*PASTED, KEY_OF_BYBIT, "-----BEGIN PRIVATE KEY-----", '{"privateKey": 1}', in_wide_letters(key)]
    terms += [*broken(key), *(form.format(value) for form in AS_PASTED for value in (key, NEARLY_DIGITS))]
    for term in terms:
        for fields in ({}, {"list": "apikeys.apikey"}):
            with CaptureQueriesContext(connection) as statements:
                answer = desk.post(SEARCH, {"q": term} | fields)
            page = answer.content.decode()
            assert answer.status_code == 200, term
            assert "looks like a whole API key" in page
            assert html.escape(term) not in page
            said = " ".join(statement["sql"] for statement in statements).upper()
            assert not any(piece[:12].upper() in said for piece in re.findall(r"[\w-]{16,}", term)), term


def test_an_address_made_by_hand_with_a_key_in_it_is_led_away_from_unread(rows: dict[str, str]) -> None:
    lead, key = signed_in(make_staff(Role.LEAD)), PASTED[0]
    for path in (SEARCH, "/admin/apikeys/apikey/", "/admin/accounts/user/", "/admin/apikeys/bot/export/"):
        for query in ({"q": f"key={key}"}, {"_changelist_filters": f"market__exact=spot&q={key}"}):
            with CaptureQueriesContext(connection) as statements:
                answer = lead.get(path, query)
            assert answer["Location"] == f"{SEARCH}?refused=yes", path
            assert not any(key[:12].upper() in statement["sql"].upper() for statement in statements)
    assert "looks like a whole API key" in lead.get(f"{SEARCH}?refused=yes").content.decode()
    assert Client().get("/admin/apikeys/apikey/", {"q": key})["Location"].startswith("/admin/login/")


def test_what_only_looks_like_a_key_is_found_where_it_is_an_id_or_an_address(
    alice: User, hashed_password: str
) -> None:
    jane = make_customer("christophermiller85@example.com", "0x1A3 / JaneDoeTrading2024", hashed_password)
    name = f"{jane.client_id} / GridBot2024Binance7"
    bot = Bot.objects.create(bot_id=name, customer=jane, exchange="binance", market="spot")
    account = "9F31C0DE55AA77EE1B2C"
    key = make_key(bot, KeyStatus.ACTIVE, "mB9x", timedelta(0), account_id=account)
    lead = signed_in(make_staff(Role.LEAD))
    pages = {
        f"/admin/accounts/user/{jane.pk}/change/": "jane",
        f"/admin/apikeys/bot/{bot.pk}/change/": "bot",
        f"/admin/apikeys/apikey/{key.pk}/change/": "key",
    }
    assert find(lead, pages, "JaneDoeTrading2024") == (["jane", "bot"], False)
    assert find(lead, pages, "0x1a3/janedoetrading2024") == (["jane"], True)
    assert find(lead, pages, "gridbot2024binance7")[0] == (["bot"] if has_trigrams() else [])
    assert find(lead, pages, "christophermiller85@example.com") == (["jane"], True)
    assert find(lead, pages, account.lower()) == (["key"], True)
    assert find(lead, pages, str(key.pk)) == (["key"], True)
    # Neither a piece of one in the midst, nor what the role may not see.
    assert lead.post(SEARCH, {"q": "aneDoeTrading2024"}).status_code == 200
    operations = signed_in(make_staff(Role.OPERATIONS))
    assert operations.post(SEARCH, {"q": "JaneDoeTrading2024"}).status_code == 302
    assert operations.post(SEARCH, {"q": "christophermiller85@example.com"}).status_code == 200


def test_it_asks_the_database_at_most_fifteen_times(rows: dict[str, str]) -> None:
    lead = signed_in(make_staff(Role.LEAD))
    lead.get(SEARCH)
    for term in ("AliceDoe", "0x1A2", "bob@", "mb9x", "nothing like it", "448811"):
        with CaptureQueriesContext(connection) as statements:
            assert lead.get(SEARCH, {"q": term}).status_code == 200
        assert len(statements) <= 15, (term, len(statements))
