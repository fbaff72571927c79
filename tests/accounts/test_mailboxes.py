"""Mailboxes that Microsoft runs: known by name or by mail exchanger, gated until support has decided."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import exchangers
from accounts.flows import change_address, clear_mailbox
from accounts.gates import gate_of
from accounts.mail_domains import Provider, domain_of, is_known_by_name, provider_of
from accounts.models import AuditEvent, MailboxHold, MailDomain, User
from accounts.roles import Role
from accounts.tasks import apply_address_changes, look_up_mail_domains
from apikeys.flows.import_customers import import_customers
from apikeys.models import ApiKey, Bot
from sequence_portal import env
from tests.accounts.dns_server import NameServer
from tests.conftest import PASSWORD, make_staff, signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS

pytestmark = pytest.mark.django_db

NOTE = 'data-note="microsoft"'


@pytest.fixture
def dns(settings: Settings) -> Iterator[NameServer]:
    zones = {
        "consumer.example": ["consumer-example.olc.protection.outlook.com."],
        "company.example": ["mx.filter.example.", "Company-Example.Mail.Protection.Outlook.COM."],
        "newer.example": ["newer-example.a-v1.mx.microsoft."],
        "plain.example": ["mx1.plain.example.", "mx2.plain.example."],
        "none.example": [],
        "null.example": ["."],
        "evil.example": ["evil-mail.protection.outlook.com.attacker.net."],
        "xn--mnchen-3ya.example": ["x.olc.protection.outlook.com."],
    }
    with NameServer(zones) as server:
        settings.DNS_SERVERS = (server.address,)
        settings.DNS_PATIENCE = timedelta(seconds=0.3)
        yield server


@pytest.fixture
def microsoft(alice: User) -> User:
    """Alice, with her mailbox at Microsoft."""
    alice.email = "alice@outlook.com"
    alice.save()
    return alice


def provider(domain: str) -> str:
    return MailDomain.objects.get(name=domain).provider


def moved_to(customer: User, email: str) -> User:
    customer.email = email
    customer.save()
    MailDomain.objects.watch(email)
    return customer


@pytest.mark.parametrize(
    ("email", "known"),
    [
        ("a@outlook.com", True),
        ("a@Hotmail.COM.", True),
        ("a@live.co.uk", True),
        ("a@notoutlook.com", False),
        ("a@outlook.com.attacker.net", False),
        ("a@mail.outlook.com", False),
        ("hotmail.com@example.com", False),
        ("a@hotmail.nl", False),  # tier B: exchangers decide
        ("outlook.com", True),
        ("", False),
    ],
)
def test_it_knows_consumer_domains_by_name(email: str, known: bool) -> None:
    assert is_known_by_name(email) is known


def test_it_reads_every_line_of_the_list() -> None:
    from_file = [line.split("\t") for line in _lines()]
    assert len(from_file) == 187
    assert all(len(row) == 3 and row[1] in "AB" and domain_of(row[0]) == row[0] for row in from_file)
    assert sum(is_known_by_name(f"a@{row[0]}") for row in from_file) == 168


def _lines() -> list[str]:
    with open("accounts/data/microsoft_domains.txt", encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if not line.startswith("#")]


@pytest.mark.parametrize(
    ("exchanger", "found"),
    [
        ("outlook-com.olc.protection.outlook.com.", Provider.CONSUMER),
        ("X.MAIL.PROTECTION.OUTLOOK.COM", Provider.MICROSOFT_365),
        ("x-com.k-v1.mx.microsoft", Provider.MICROSOFT_365),
        ("evil-mail.protection.outlook.com.attacker.net.", Provider.OTHER),
        ("evil-mail.protection.outlook.com", Provider.OTHER),
        ("notmx.microsoft", Provider.OTHER),
        ("mx.microsoft.example", Provider.OTHER),
    ],
)
def test_it_matches_whole_labels_of_exchangers(exchanger: str, found: Provider) -> None:
    assert provider_of([exchanger])[0] is found


def test_it_looks_domains_up_in_the_background_and_again_after_a_week(dns: NameServer) -> None:
    for email in dns.zones:
        MailDomain.objects.watch(f"a@{email}")
    MailDomain.objects.watch("a@MÜNCHEN.example")
    MailDomain.objects.watch("a@gone.example")
    MailDomain.objects.watch("a@outlook.com")
    look_up_mail_domains()
    assert dict(MailDomain.objects.values_list("name", "provider")) == {
        "consumer.example": "consumer",
        "company.example": "microsoft_365",
        "newer.example": "microsoft_365",
        "plain.example": "other",
        "none.example": "other",
        "null.example": "other",
        "evil.example": "other",
        "gone.example": "other",
        "xn--mnchen-3ya.example": "consumer",
    }
    asked = len(dns.asked)
    look_up_mail_domains()
    assert len(dns.asked) == asked
    dns.zones["plain.example"] = ["plain-example.mail.protection.outlook.com."]
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        look_up_mail_domains()
    assert provider("plain.example") == "microsoft_365"
    assert "plain-example" in MailDomain.objects.get(name="plain.example").exchanger


@pytest.mark.parametrize("trouble", ["mute", "failing"])
def test_it_blocks_nobody_while_the_dns_is_away(dns: NameServer, alice: User, trouble: str) -> None:
    moved_to(alice, "alice@consumer.example")
    setattr(dns, trouble, True)
    look_up_mail_domains()
    assert provider("consumer.example") == "unknown"
    assert gate_of(alice) is None
    setattr(dns, trouble, False)
    look_up_mail_domains()
    assert provider("consumer.example") == "unknown", "a failed look-up waits for its turn"
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
        look_up_mail_domains()
        assert gate_of(alice) is not None
    # What was known stays known through a failure.
    setattr(dns, trouble, True)
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        look_up_mail_domains()
    assert provider("consumer.example") == "consumer"


def test_it_keeps_the_worker_free_while_nobody_answers(dns: NameServer) -> None:
    for name in ("consumer.example", "plain.example", "none.example"):
        MailDomain.objects.watch(f"a@{name}")
    dns.mute = True
    look_up_mail_domains()
    look_up_mail_domains()
    assert len(set(dns.asked)) == 1
    dns.mute = False
    with time_machine.travel(timezone.now() + timedelta(minutes=1, seconds=1)):
        look_up_mail_domains()
    assert MailDomain.objects.filter(provider=Provider.UNKNOWN).count() == 1


def test_it_asks_the_servers_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNS_SERVERS", "127.0.0.1:5353, [::1]:54,192.0.2.53")
    assert env.name_servers("DNS_SERVERS") == (("127.0.0.1", 5353), ("::1", 54), ("192.0.2.53", 53))


def test_it_takes_a_name_that_is_none_for_not_known(dns: NameServer) -> None:
    with pytest.raises(exchangers.NoAnswerError):
        exchangers.exchangers_of(f"{'a' * 64}.example")
    assert not dns.asked


def test_it_looks_up_who_is_imported_and_who_has_moved(dns: NameServer, alice: User) -> None:
    head, row = "client_id,name,email,bot_id,exchange,market\n", "0x9 / Z,Z,{},0x9 / Z / B-1,binance,spot\n"
    import_customers(head + row.format("z@company.example"), invite=False)
    look_up_mail_domains()
    assert gate_of(User.objects.get(email="z@company.example"))
    # Whether the move itself watches the new domain is shown beside the moves.
    moved_to(alice, "alice@newer.example")
    look_up_mail_domains()
    assert gate_of(alice)


def test_it_shows_a_gate_in_place_of_the_form_and_hides_nothing_else(
    microsoft: User, as_alice: Client, binance_bot: Bot
) -> None:
    path, good = f"/bots/{binance_bot.pk}/key/", DEMO_KEYS["binance"]["good"]
    browser = signed_in(microsoft)
    page = browser.get(path).content.decode()
    assert 'data-gate="microsoft-email"' in page
    assert 'name="api_key"' not in page
    answer = browser.post(path, {"api_key": good.api_key, "secret": good.secret})
    assert answer.status_code == 403
    assert good.secret not in answer.content.decode()
    assert not ApiKey.objects.exists()
    assert "BTC-1" in browser.get("/").content.decode()
    assert browser.get("/security/").status_code == 200


def test_it_puts_a_request_before_support_who_clears_that_address_only(
    microsoft: User, binance_bot: Bot
) -> None:
    browser, path = signed_in(microsoft), f"/bots/{binance_bot.pk}/key/"
    desk = signed_in(make_staff(Role.SUPPORT))
    assert (
        browser.post("/security/mailbox/", {"note": "I have no other."})["Location"] == "/security/mailbox/"
    )
    assert "with our support" in browser.get(path).content.decode()
    leaky = f"My key is {DEMO_KEYS['okx']['good'].api_key}"
    page = browser.post("/security/mailbox/", {"note": leaky}).content.decode()
    assert "This looks like a key. Never send one." in page
    assert leaky in page, "what was typed stays in the form"
    browser.post("/security/mailbox/", {"note": "Really none."})
    assert AuditEvent.objects.filter(verb="mailbox_asked").count() == 1

    front = desk.get("/admin/").content.decode()
    assert "Microsoft mailboxes to clear or change" in front
    listed = desk.get("/admin/accounts/mailboxhold/?status__exact=asked").content.decode()
    mailbox = f"/admin/accounts/user/{microsoft.pk}/mailbox/"
    assert "Really none." in listed
    assert mailbox in listed
    assert "Really none." in desk.get(mailbox).content.decode()

    def decide(**sent: str) -> str:
        return desk.post(mailbox, {"seen": seen_at(desk, mailbox), **sent}).content.decode()

    decide(keep="1", note="Bounced.")
    assert "has not cleared" in browser.get(path).content.decode()
    browser.post("/security/mailbox/")
    assert "required" in decide(clear="1", note="")
    page = decide(clear="1", note=leaky)
    assert "This looks like a key or a secret. A reason is kept for good" in page
    assert leaky in page
    decide(clear="1", note="Answered our mail.")
    assert 'name="api_key"' in browser.get(path).content.decode()
    assert browser.get("/security/mailbox/")["Location"] == "/security/"
    assert [event.verb for event in AuditEvent.objects.order_by("pk")] == [
        "mailbox_asked",
        "mailbox_kept",
        "mailbox_asked",
        "mailbox_cleared",
    ]
    # Another address is another case, and coming back the old word holds.
    assert gate_of(moved_to(microsoft, "alice@hotmail.com"))
    assert gate_of(moved_to(microsoft, "Alice@Outlook.com")) is None


def seen_at(desk: Client, mailbox: str) -> str:
    """What the page carries of what it shows."""
    found = re.search(r'name="seen" value="(\w+)"', desk.get(mailbox).content.decode())
    assert found
    return found[1]


def test_it_decides_only_about_what_the_page_showed(microsoft: User) -> None:
    desk, mailbox = (
        signed_in(make_staff(Role.SUPPORT)),
        f"/admin/accounts/user/{microsoft.pk}/mailbox/",
    )

    def told(seen: str) -> str:
        sent = {"clear": "1", "note": "Answered our mail.", "seen": seen}
        return desk.post(mailbox, sent, follow=True).content.decode()

    unasked = seen_at(desk, mailbox)
    clear_mailbox.ask(customer=microsoft, note="I have no other.", address="192.0.2.1")
    asked = seen_at(desk, mailbox)
    clear_mailbox.ask(customer=microsoft, note="Wait, I will have one.", address="192.0.2.1")
    now = seen_at(desk, mailbox)
    for seen in (unasked, asked, ""):
        assert "has changed meanwhile: look again. Nothing was changed." in told(seen)
    moved_to(microsoft, "alice@hotmail.com")
    assert "has changed meanwhile" in told(now)
    moved_to(microsoft, "alice@plain.example")
    assert "Microsoft does not run this address" in told(clear_mailbox.shown(microsoft.email, None))
    moved_to(microsoft, "alice@outlook.com")
    User.objects.filter(pk=microsoft.pk).update(is_active=False)
    assert "This account is closed." in told(now)
    assert MailboxHold.objects.get().status == MailboxHold.Status.ASKED
    assert not AuditEvent.objects.exclude(verb="mailbox_asked").exists()


def test_it_is_free_once_support_has_moved_the_address(
    microsoft: User, dns: NameServer, binance_bot: Bot
) -> None:
    change = change_address.start(
        customer=microsoft,
        new_email="alice@plain.example",
        reason="x",
        actor=make_staff(Role.LEAD),
        address="::1",
    )
    now = timezone.now()
    type(change).objects.update(status="confirmed", confirmed_at=now, due_at=now)
    apply_address_changes()
    look_up_mail_domains()
    assert provider("plain.example") == "other"
    assert gate_of(microsoft) is None


def test_it_lets_no_auditor_decide_and_no_stranger_ask(
    microsoft: User, client: Client, as_bob: Client
) -> None:
    mailbox = f"/admin/accounts/user/{microsoft.pk}/mailbox/"
    auditor = signed_in(make_staff(Role.AUDITOR))
    assert auditor.get(mailbox).status_code == 200
    assert auditor.post(mailbox, {"clear": "1", "note": "x"}).status_code == 403
    assert client.post("/security/mailbox/")["Location"].startswith("/sign-in/")
    assert as_bob.post("/security/mailbox/")["Location"] == "/security/"
    assert not MailboxHold.objects.exists()


def test_it_says_that_a_code_may_not_arrive_by_the_typed_address_alone(microsoft: User) -> None:
    def code_page(start: str, **fields: str) -> str:
        browser = Client()
        return browser.post(start, fields, follow=True).content.decode()

    # The same words whether or not there is such a customer.
    assert NOTE in code_page("/sign-in/", email=microsoft.email, password=PASSWORD)
    assert NOTE in code_page("/sign-in/", email=microsoft.email, password="something else")
    assert NOTE in code_page("/sign-in/", email="nobody@hotmail.com", password="something else")
    for start, code in (
        ("/sign-in/help/", {}),
        ("/address/confirm/", {}),
        ("/address/confirm/", {"code": "1"}),
    ):
        for client_id, email in (("0x1A2 / AliceDoe", microsoft.email), ("0x9 / No", "nobody@outlook.com")):
            assert NOTE in code_page(start, client_id=client_id, email=email, **code), start
        assert NOTE not in code_page(start, client_id="0x1A2 / AliceDoe", email="a@gmail.com", **code), start
    assert NOTE not in Client().get("/sign-in/").content.decode()
