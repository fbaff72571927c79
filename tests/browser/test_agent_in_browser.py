"""The day of a support agent, in a browser, through every process of the portal: one portal, five cases."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.flows import clear_mailbox
from accounts.models import AddressChange, AuditEvent, User
from accounts.roles import Role
from apikeys.exchanges.base import Credentials
from apikeys.flows.submit import submit
from apikeys.models import ApiKey, Bot, Job
from tests.browser.customer import WAIT, Customer
from tests.browser.looking import AXE_RULES
from tests.conftest import make_customer, make_staff, signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.stack import Stack

expect.set_options(timeout=WAIT * 1000)

REASON = "Ticket 4711: spoke to the customer"


@dataclass(frozen=True)
class Desk:
    """A member of staff at a browser window of their own."""

    page: Page
    person: User

    def front(self) -> None:
        self.page.goto("/admin/")

    def follow(self, where: str) -> None:
        """A link by its address, since words change; of several, the first."""
        self.page.locator(f"#content a[href*='{where}']").first.click()

    def act(self, button: str, *, tick: str = "", **fields: str) -> None:
        """Fill the form that has this button, look at the page, and send it."""
        form = self.page.locator(f"form:has(:is(button, input[type=submit]):text-is('{button}'))")
        form = form if form.count() else self.page.locator(f"form:has([type=submit][value='{button}'])")
        for name, value in fields.items():
            form.locator(f"[name={name}]").fill(value)
        if tick:
            form.get_by_label(tick).check()
        self.looks_right()
        form.get_by_role("button", name=button, exact=True).click()

    def looks_right(self) -> None:
        rules = {"runOnly": {"type": "tag", "values": AXE_RULES}}
        found = Axe().run(self.page, options=rules).response["violations"]
        assert not found, [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]

    def is_told(self, sentence: str) -> None:
        expect(self.page.locator(".messagelist")).to_contain_text(sentence)


@dataclass(frozen=True)
class Portal:
    browser: Browser
    stack: Stack

    @contextmanager
    def desk_of(self, person: User) -> Iterator[Desk]:
        with self._window() as page:
            session = signed_in(person).cookies["session"].value
            page.context.add_cookies([{"name": "session", "value": session, "url": self.stack.url}])
            yield Desk(page, person)

    @contextmanager
    def customer(self) -> Iterator[Customer]:
        with self._window() as page:
            yield Customer(page, self.stack.url, self.stack.sink)

    @contextmanager
    def _window(self) -> Iterator[Page]:
        context = self.browser.new_context(base_url=self.stack.url)
        context.set_default_timeout(WAIT * 1000)
        yield context.new_page()
        context.close()


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + WAIT
    while not is_so():
        assert time.monotonic() < give_up, what
        time.sleep(0.1)


def is_(key: ApiKey, **fields: Any) -> Callable[[], bool]:
    return lambda: ApiKey.objects.filter(pk=key.pk, **fields).exists()


def make_bot(customer: User, name: str, exchange: str = "binance", market: str = "spot") -> Bot:
    return Bot.objects.create(
        bot_id=f"{customer.client_id} / {name}", customer=customer, exchange=exchange, market=market
    )


def hand_over(bot: Bot, which: str, **fields: Any) -> ApiKey:
    demo = DEMO_KEYS[bot.exchange][which]
    key = submit(
        bot=bot,
        customer=bot.customer,
        credentials=Credentials(demo.api_key, demo.secret),
        trimmed=False,
        replaces=None,
        address="127.0.0.1",
    )
    wait_until(is_(key, **fields), f"{which} is not {fields}")
    return key


def test_an_agent_helps_five_customers(
    browser: Browser, stack: Stack, alice: User, bob: User, hashed_password: str
) -> None:
    portal = Portal(browser, stack)
    agent, ann, ben = (
        make_staff(Role.SUPPORT),
        make_staff(Role.LEAD),
        make_staff(Role.LEAD, "ben@sequence.example"),
    )
    dora = make_customer("dora@hotmail.com", "0x4D5 / DoraLin", hashed_password)
    with portal.desk_of(agent) as desk:
        clear_a_mailbox(desk, portal, dora)
        check_a_silent_key(desk, stack, make_bot(bob, "ETH-2", "bybit", "derivatives"))
        accept_an_account(desk, stack, make_bot(alice, "BTC-1"))
        change_an_address(desk, portal, bob)
    end_an_exchange(portal, ann, ben)


def clear_a_mailbox(desk: Desk, portal: Portal, dora: User) -> None:
    """From half the id on an invoice to a customer who can hand a key over."""
    make_bot(dora, "BTC-1")
    clear_mailbox.ask(customer=dora, note="I have no other address.", address="192.0.2.7")
    desk.front()
    desk.page.locator("#desk-search [name=q]").fill("doralin")
    desk.page.locator("#desk-search [name=q]").press("Enter")
    expect(desk.page.get_by_role("table", name="Customers")).to_be_visible()
    desk.follow(f"/user/{dora.pk}/change/")
    desk.follow("/mailbox/")
    expect(desk.page.locator("#content")).to_contain_text("I have no other address.")
    desk.act("Clear it", note=REASON)
    desk.is_told("Cleared: keys can be handed over.")
    with portal.customer() as customer:
        session = signed_in(dora).cookies["session"].value
        customer.page.context.add_cookies([{"name": "session", "value": session, "url": portal.stack.url}])
        customer.choose(f"{dora.client_id} / BTC-1", "connect")


def check_a_silent_key(desk: Desk, stack: Stack, bot: Bot) -> None:
    """From the queue of keys that were retried for too long to one that is active."""
    silent = DEMO_KEYS["bybit"]["spare"].api_key
    stack.simulator.behave("bybit", "http_status", api_key=silent)
    key = hand_over(bot, "spare", failed_checks__gte=1, claim=None)
    long_ago, later = timezone.now() - timedelta(hours=3), timezone.now() + timedelta(hours=1)
    ApiKey.objects.filter(pk=key.pk).update(failing_since=long_ago, check_due_at=later)
    stack.simulator.behave("bybit", "ok", api_key=silent)
    desk.front()
    desk.follow("needs=retried")
    desk.follow(f"/apikey/{key.pk}/")
    desk.follow("/check/")
    desk.act("Check it again now", reason=REASON)
    desk.is_told("Asked for.")
    wait_until(is_(key, status="active"), "the key is not active")


def accept_an_account(desk: Desk, stack: Stack, bot: Bot) -> None:
    hand_over(bot, "old", status="active")
    good = DEMO_KEYS["binance"]["good"]
    stack.simulator.know(replace(good, more={"/api/v3/account": {"uid": 77}}))
    key = hand_over(bot, "good", held=True)
    desk.front()
    desk.follow("needs=account")
    desk.follow(f"/apikey/{key.pk}/")
    desk.follow("/account/")
    expect(desk.page.locator("#content")).to_contain_text("77")
    desk.act("Confirm the other account", reason=REASON)
    desk.is_told("Done.")
    wait_until(is_(key, status="active"), "the key is not active")


def change_an_address(desk: Desk, portal: Portal, bob: User) -> None:
    """Started by the agent, confirmed by the customer, held for a day, counting."""
    desk.page.goto(f"/admin/accounts/user/{bob.pk}/change/")
    desk.follow("/address/")
    with portal.customer() as customer:
        before = customer.last_letter()
        desk.act("Start the change", new_email="bob@new.example", reason=REASON)
        desk.is_told("Started.")
        code = customer.mailed_code(before)
        customer.open("/address/confirm/")
        customer.page.locator("[name=client_id]").fill(bob.client_id or "")
        customer.page.locator("[name=email]").fill("bob@new.example")
        customer.page.locator("[name=code]").fill(code)
        customer.press("Continue")
        expect(customer.page.get_by_role("heading", level=1)).to_have_text("The new address is confirmed")
    desk.page.reload()
    expect(desk.page.locator("#content")).to_contain_text("On hold")
    AddressChange.objects.filter(user=bob).update(due_at=timezone.now())
    wait_until(lambda: User.objects.get(pk=bob.pk).email == "bob@new.example", "the address does not count")
    desk.page.reload()
    expect(desk.page.locator("#content")).to_contain_text("bob@new.example")


def end_an_exchange(portal: Portal, ann: User, ben: User) -> None:
    """One lead asks, a second one approves, and a worker does it while the page looks on."""
    assert ApiKey.objects.live().count() == 2
    with portal.desk_of(ann) as asking, portal.desk_of(ben) as approving:
        asking.page.goto("/admin/apikeys/job/")
        asking.follow("/exchange/revoke/")
        asking.page.get_by_label("Exchange").select_option("binance")
        asking.act("Ask a second lead", tick="Ask a second lead to revoke every key there", reason=REASON)
        asking.is_told("Tell another lead")
        expect(asking.page.get_by_role("button", name="Approve, and start")).to_have_count(0)
        approving.front()
        approving.follow("status__exact=asked")
        approving.page.locator("#result_list tbody a").first.click()
        approving.act(
            "Approve, and start",
            tick="Revoke every live key at Binance, 1 when this was asked for",
            reason="Seen it too",
        )
        # No script and no press: the page looks again by itself.
        expect(approving.page.get_by_role("heading", name="Done", exact=True)).to_be_visible()
        approving.looks_right()
        expect(approving.page.locator("progress")).to_have_js_property("value", 1)
    (left,) = ApiKey.objects.live()
    assert left.bot.exchange == "bybit"
    assert Job.objects.get().live_after == 0
    assert AuditEvent.objects.get(verb="key_revoked").actor == ann
    subject = "API key disconnected: 0x1A2 / AliceDoe / BTC-1"
    portal.stack.sink.wait_for(lambda letter: letter.subject == subject, timeout=WAIT)
