"""Every page in a browser: narrow and wide, light and dark, by keyboard, with a script and without."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, Response, expect

from accounts.flows import change_address, clear_mailbox
from accounts.models import AddressChange, User
from accounts.roles import Role
from apikeys.exchanges.base import Credentials, KeyReport, Right
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows import recheck
from apikeys.flows.submit import submit
from apikeys.models import ApiKey, Bot
from tests.authenticators import add_app, code_of
from tests.browser.customer import WAIT, Customer
from tests.browser.looking import (
    RULES_OF_COLOURS,
    TOO_WIDE,
    axe_violations,
    complaints_of,
    set_look,
)
from tests.conftest import PASSWORD, make_customer, make_staff, signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.stack import Stack

PHONE, COMPUTER = 390, 1280
# What is left of a computer's window at 400 %, where a page still may not scroll sideways (WCAG 1.4.10).
ZOOMED = 320

Act = Callable[[Page], Response | None]


@dataclass
class Site:
    """A running portal, and browsers' cookies of people in different states of being signed in."""

    browser: Browser
    stack: Stack
    paths: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def page(self, who: str, *, script: bool = True) -> Iterator[Page]:
        """A new browser window of somebody in that state."""
        context = self.browser.new_context(
            base_url=self.stack.url,
            storage_state=self.cookies.get(who),
            java_script_enabled=script,
            viewport={"width": COMPUTER, "height": 800},
        )
        context.set_default_timeout(WAIT * 1000)
        yield context.new_page()
        context.close()

    @contextmanager
    def opened(self, name: str, *, script: bool = True) -> Iterator[Page]:
        """One of `VIEWS`."""
        shown = next(one for one in VIEWS if one.name == name)
        with self.page(shown.who, script=script) as page:
            shown.open(self, page)
            yield page

    def keep(self, who: str, act: Callable[[Customer], None]) -> None:
        """Let somebody do something, and keep the cookies that come of it."""
        with self.page("nobody") as page:
            act(Customer(page, self.stack.url, self.stack.sink))
            self.cookies[who] = page.context.storage_state()

    def let_in(self, who: str, user: User) -> None:
        """As `keep`, for somebody whose way in is looked at with others."""
        session = {"name": "session", "value": signed_in(user).cookies["session"].value}
        where = {"domain": "127.0.0.1", "path": "/", "expires": -1, "sameSite": "Lax"}
        cookie = {**session, **where, "httpOnly": True, "secure": False}
        self.cookies[who] = {"cookies": [cookie], "origins": []}


@pytest.fixture
def site(browser: Browser, stack: Stack, alice: User, bob: User, hashed_password: str) -> Site:
    made = Site(browser, stack)
    fill(made, alice, hashed_password)
    hold(made, hashed_password)
    return made


def fill(site: Site, alice: User, hashed_password: str) -> None:
    """Alice has a bot in every state, Bob has none, and Carol is about to enter in several ways."""
    make_customer("carol@example.org", "0x3C4 / CarolPoe", hashed_password)
    bots = {
        name: Bot.objects.create(
            bot_id=f"{alice.client_id} / {name}", customer=alice, exchange=exchange, market=market
        )
        for name, exchange, market in (
            ("BTC-1", "binance", "spot"),
            ("ETH-2", "bybit", "derivatives"),
            ("ETH-3", "bybit", "derivatives"),
            ("BTC-4", "binance", "spot"),
            ("SOL-5", "coinbase", "spot"),
            ("ADA-6", "binance", "spot"),
        )
    }
    silent = DEMO_KEYS["bybit"]["spare"]
    site.stack.simulator.behave("bybit", "http_status", api_key=silent.api_key)
    hand_over(bots["BTC-1"], alice, "old", "active")
    active = hand_over(bots["BTC-1"], alice, "good", "active")
    hand_over(bots["ETH-2"], alice, "old", "active")
    refused = hand_over(bots["ETH-2"], alice, "can_withdraw", "refused")
    checking = hand_over(bots["ETH-3"], alice, "spare", "checking")
    wanting = hand_over(bots["ADA-6"], alice, "unbound", "active")
    find_wanting(wanting)
    site.paths = {
        "needs attention": f"/keys/{wanting.pk}/",
        "active": f"/keys/{active.pk}/",
        "refused": f"/keys/{refused.pk}/",
        "checking": f"/keys/{checking.pk}/",
        "connect": f"/bots/{bots['BTC-4'].pk}/key/",
        "connect with a key file": f"/bots/{bots['SOL-5'].pk}/key/",
        "refresh": f"/bots/{bots['BTC-1'].pk}/key/",
    }

    def enters(customer: Customer) -> None:
        customer.open("/sign-in/")
        customer.give_password("carol@example.org", PASSWORD)

    def proves_an_address(customer: Customer) -> None:
        before = customer.last_letter()
        customer.open("/sign-in/help/")
        customer.field("User ID").fill("0x3C4 / CarolPoe")
        customer.field("Email address").fill("carol@example.org")
        customer.press("Continue")
        customer.give_code(customer.mailed_code(before))
        customer.page.wait_for_url("**/sign-in/help/password/")

    site.keep("alice", lambda customer: customer.sign_in("alice@example.com", PASSWORD))
    site.keep("bob", lambda customer: customer.sign_in("bob@example.net", PASSWORD))
    site.keep("at the code", enters)
    site.keep("at her last code", enters)
    site.keep("with a proof", proves_an_address)
    let_in_who_has_an_app(site, hashed_password)


def let_in_who_has_an_app(site: Site, hashed_password: str) -> None:
    """Dave has an authenticator app; a second window of his waits for its code."""
    app = add_app(make_customer("dave@example.org", "0x4D5 / DaveMoe", hashed_password))

    def gives_password_and_code(customer: Customer) -> None:
        customer.open("/sign-in/")
        customer.give_code(customer.give_password("dave@example.org", PASSWORD))
        customer.page.wait_for_url("**/sign-in/factor/")

    def enters(customer: Customer) -> None:
        gives_password_and_code(customer)
        customer.give_code(code_of(app))
        customer.page.wait_for_url(f"{site.stack.url}/")

    site.keep("at the factor", gives_password_and_code)
    site.keep("dave", enters)


def hold(site: Site, hashed_password: str) -> None:
    """Dora's mailbox is run by Microsoft, Erin's new address is on hold, and a lead looks at Erin."""
    dora = make_customer("dora@hotmail.com", "0x4D5 / DoraLin", hashed_password)
    erin = make_customer("erin@example.org", "0x5E6 / ErinFox", hashed_password)
    lead = make_staff(Role.LEAD)
    for person, name in ((dora, "of a Microsoft mailbox"), (erin, "on hold")):
        bot = Bot.objects.create(
            bot_id=f"{person.client_id} / BTC-1", customer=person, exchange="binance", market="spot"
        )
        site.paths[name] = f"/bots/{bot.pk}/key/"
    clear_mailbox.ask(customer=dora, note="I have no other.", address="192.0.2.7")
    change = change_address.start(
        customer=erin, new_email="erin@new.example", reason="Moved.", actor=lead, address="192.0.2.1"
    )
    AddressChange.objects.filter(pk=change.pk).update(
        status=AddressChange.Status.CONFIRMED, due_at=timezone.now() + settings.ADDRESS_HOLD
    )
    site.paths["desk, address"] = f"/admin/accounts/user/{erin.pk}/address/"
    site.paths["desk, close"] = f"/admin/accounts/user/{erin.pk}/close/"
    for who, user in (("dora", dora), ("erin", erin), ("a lead", lead)):
        site.let_in(who, user)


def find_wanting(key: ApiKey) -> None:
    """A later check finds a right that it must not have."""
    claim, now = uuid4(), timezone.now()
    ApiKey.objects.filter(pk=key.pk).update(claim=claim)
    claimed = ApiKey.objects.select_related("bot__customer").get(pk=key.pk)
    rights = {right: right in (Right.READ, Right.SPOT, Right.WITHDRAW) for right in Right}
    recheck.conclude(claimed, KeyReport(rights), started_at=now, now=now)


def hand_over(bot: Bot, customer: User, which: str, status: str) -> ApiKey:
    """Submit a demo key as the form does, and wait for what becomes of it."""
    demo = DEMO_KEYS[bot.exchange][which]
    key = submit(
        bot=bot,
        customer=customer,
        credentials=Credentials(demo.api_key, demo.secret),
        trimmed=False,
        replaces=None,
        address="127.0.0.1",
    )
    give_up = time.monotonic() + WAIT
    # A check that got no answer was made too: its page tells when the next one comes.
    while key.status != status or not (key.checked_at or key.failed_checks):
        assert time.monotonic() < give_up, f"{which} is {key.status}"
        time.sleep(0.1)
        key.refresh_from_db()
    return key


# Every page, and how to get there.


def send(page: Page, **values: str) -> Response | None:
    """Fill fields by their names and send the form that holds the first of them."""
    for name, value in values.items():
        page.fill(f"[name={name}]", value)
    with page.expect_navigation() as navigation:
        page.click(f"form:has([name={next(iter(values))}]) [type=submit]")
    return navigation.value


def wrong_password(page: Page) -> Response | None:
    return send(page, email="nobody@example.com", password="not the one")


def wrong_code(page: Page) -> Response | None:
    return send(page, code="12345")


def five_wrong_codes(page: Page) -> Response | None:
    for _ in range(5):
        answer = send(page, code="000000")
    return answer


def strange_keys(page: Page) -> Response | None:
    return send(page, api_key="abc def", secret="ключ")


def short_password(page: Page) -> Response | None:
    return send(page, password="short")


def press(button: str) -> Act:
    def act(page: Page) -> Response | None:
        with page.expect_navigation() as navigation:
            page.get_by_role("button", name=button, exact=True).click()
        return navigation.value

    return act


def no_recovery_code(page: Page) -> Response | None:
    page.get_by_text("Use a recovery code").click()
    return send(page, recovery_code="abcd")


def two_codes_a_minute(page: Page) -> Response | None:
    for _ in range(2):  # the first of them may be due
        with page.expect_navigation() as navigation:
            page.locator("form[action*='/again/']").evaluate("(form) => form.submit()")
        if navigation.value.status == 429:
            break
    return navigation.value


def a_code_for_a_microsoft_mailbox(page: Page) -> Response | None:
    return send(page, client_id="0x4D5 / DoraLin", email="dora@live.com")


def no_such_address(page: Page) -> Response | None:
    return send(page, client_id="0x4D5 / DoraLin", email="dora@example.org", code="123456")


def lost_cookie(page: Page) -> Response | None:
    page.context.clear_cookies(name="csrf")
    return wrong_password(page)


@dataclass(frozen=True)
class View:
    """A page: who opens it, where (a path, or a name in `Site.paths`), and what they do there."""

    name: str
    who: str
    path: str
    act: Act | None = None
    status: int = 200

    def open(self, site: Site, page: Page) -> None:
        answer = page.goto(site.paths.get(self.path, self.path))
        if self.act is not None:
            answer = self.act(page)
        assert answer is not None
        assert answer.status == self.status, f"{self.name}: {answer.status} at {page.url}"


VIEWS = (
    View("sign-in", "nobody", "/sign-in/"),
    View("sign-in with errors", "nobody", "/sign-in/", wrong_password),
    View("code", "at the code", "/sign-in/code/"),
    View("code with errors", "at the code", "/sign-in/code/", wrong_code),
    View("code, no try left", "at her last code", "/sign-in/code/", five_wrong_codes),
    View("help", "nobody", "/sign-in/help/"),
    View("new password", "with a proof", "/sign-in/help/password/"),
    View("new password with errors", "with a proof", "/sign-in/help/password/", short_password),
    View("new address", "nobody", "/address/confirm/", a_code_for_a_microsoft_mailbox),
    View("new address with errors", "nobody", "/address/confirm/", no_such_address),
    View("Microsoft mailbox", "dora", "of a Microsoft mailbox"),
    View("address on hold", "erin", "on hold"),
    View("security, address on hold", "erin", "/security/"),
    View("desk, address", "a lead", "desk, address"),
    View("desk, close", "a lead", "desk, close"),
    View("bots", "alice", "/"),
    View("no bots", "bob", "/"),
    View("connect", "alice", "connect"),
    View("connect with a key file", "alice", "connect with a key file"),
    View("refresh", "alice", "refresh"),
    View("refresh with errors", "alice", "refresh", strange_keys),
    View("checking", "alice", "checking"),
    View("refused", "alice", "refused"),
    View("active", "alice", "active"),
    View("needs attention", "alice", "needs attention"),
    View("security", "alice", "/security/"),
    View("second factor", "at the factor", "/sign-in/factor/"),
    View("second factor with errors", "at the factor", "/sign-in/factor/", no_recovery_code),
    View("no second factors", "bob", "/security/factors/"),
    View("second factors", "dave", "/security/factors/"),
    View("adding an app", "bob", "/security/factors/", press("Add an authenticator app")),
    View("adding an app with errors", "bob", "/security/factors/app/", wrong_code),
    View("recovery codes", "dave", "/security/factors/", press("Make new recovery codes")),
    View("removing an app", "dave", "/security/factors/app/remove/"),
    View("confirming with a code", "bob", "/security/confirm/"),
    View("confirming with a factor", "dave", "/security/confirm/"),
    View("first sign-in of staff", "nobody", "/staff/first-sign-in/"),
    View("exchanges", "alice", "/exchanges/"),
    *(View(f"guide of {name}", "alice", f"/exchanges/{name}/") for name in EXCHANGES),
    View("404", "alice", "/no-such-page/", status=404),
    View("403 of a form", "nobody", "/sign-in/", lost_cookie, status=403),
    View("429", "at the code", "/sign-in/code/", two_codes_a_minute, status=429),
)


def looks_of(site: Site, shown: View) -> list[str]:
    """All that is wrong with one page, in every look of it."""
    with site.page(shown.who) as page:
        complaints = complaints_of(page)
        shown.open(site, page)
        wrong = []
        for width in (COMPUTER, PHONE, ZOOMED):
            set_look(page, width, "light")
            wrong += [f"{width}: {words}" for words in page.evaluate(TOO_WIDE)]
            if width == ZOOMED:
                continue
            wrong += [f"{width} light: {words}" for words in axe_violations(page)]
            set_look(page, width, "dark")
            wrong += [f"{width} dark: {words}" for words in axe_violations(page, RULES_OF_COLOURS)]
        return wrong + [f"policy: {words}" for words in page.evaluate("() => window.violations")] + complaints


# One portal serves all pages of a test: starting it takes longer than looking at a page.


@pytest.mark.timeout(900)
def test_it_is_in_order_on_phones_and_computers_in_light_and_dark(
    site: Site, subtests: pytest.Subtests
) -> None:
    for shown in VIEWS:
        with subtests.test(shown.name):
            wrong = looks_of(site, shown)
            assert not wrong, "\n".join(wrong)


def test_it_can_be_used_by_keyboard(site: Site, subtests: pytest.Subtests) -> None:
    for name, fields in {
        "sign-in": ["email", "password"],
        "code": ["code"],
        "help": ["client_id", "email"],
        "new password": ["password"],
        "refresh": ["api_key", "secret"],
    }.items():
        with subtests.test("past the head to the form", page=name), site.opened(name) as page:
            goes_past_the_head_and_through_the_form(page, fields)
    for name in ("sign-in", "code", "new password", "refresh"):
        with (
            subtests.test("from an error to its field", page=name),
            site.opened(f"{name} with errors") as page,
        ):
            starts_at_what_is_wrong_and_leads_to_the_field(page)


def test_it_is_more_comfortable_with_a_script_and_whole_without(
    site: Site, subtests: pytest.Subtests
) -> None:
    for name in ("sign-in", "new password", "refresh"):
        with subtests.test("show and hide", page=name), site.opened(name) as page:
            shows_a_secret_when_asked_and_hides_it_before_it_is_sent(page)
    for name in ("bots", "refresh", "active"):
        with subtests.test("copy", page=name), site.opened(name) as page:
            copies_what_is_read(page)
    for name in ("sign-in", "bots", "refresh", "active"):
        with subtests.test("nothing dead", page=name), site.opened(name, script=False) as page:
            needing = page.locator("[data-copy], [data-reveal]")
            assert needing.count() > 0
            assert not any(one.is_visible() for one in needing.all())
    with subtests.test("looks again"), site.opened("checking", script=False) as page:
        assert page.locator('meta[http-equiv="refresh"]').count() == 1
        assert page.get_by_role("link", name="Look again").is_visible()
    with subtests.test("code field"), site.opened("code", script=False) as page:
        field = page.locator("[name=code]")
        wanted = {"type": "text", "autocomplete": "one-time-code", "inputmode": "numeric"}
        assert {name: field.get_attribute(name) for name in wanted} == wanted
    for name in ("sign-in with errors", "refresh with errors"):
        with subtests.test("secrets do not come back", page=name), site.opened(name, script=False) as page:
            boxes = page.locator("input[name=password], input[name=api_key], input[name=secret]")
            assert boxes.count() > 0
            assert [box.input_value() for box in boxes.all()] == [""] * boxes.count()


def goes_past_the_head_and_through_the_form(page: Page, fields: list[str]) -> None:
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    place = skip.bounding_box()
    assert place is not None
    assert place["x"] >= 0, "it is seen once it has the focus"
    page.keyboard.press("Enter")
    reached: list[str] = []
    while "submit" not in reached:
        page.keyboard.press("Tab")
        assert page.evaluate("() => Boolean(document.activeElement.closest('main'))"), reached
        reached.append(
            page.evaluate("() => document.activeElement.name || document.activeElement.type || ''")
        )
    assert [name for name in reached if name in {*fields, "submit"}] == [*fields, "submit"]


def starts_at_what_is_wrong_and_leads_to_the_field(page: Page) -> None:
    summary = page.locator(".summary")
    expect(summary).to_be_focused()
    assert page.title().startswith("Error: ")
    link = summary.get_by_role("link").first
    field = link.get_attribute("href")
    assert field is not None
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(field)).to_be_focused()


def shows_a_secret_when_asked_and_hides_it_before_it_is_sent(page: Page) -> None:
    box = page.locator("input[name=secret], input[name=password]")
    button = page.locator("button[data-reveal]")
    expect(box).to_have_attribute("type", "password")
    box.fill("what nobody may see")
    for shown, says in (("text", "Hide"), ("password", "Show"), ("text", "Hide")):
        button.click()
        expect(box).to_have_attribute("type", shown)
        expect(button).to_contain_text(says)
    page.evaluate("""() => addEventListener("submit", (event) => {
      event.preventDefault();
      window.sentAs = event.target.querySelector("[name=secret], [name=password]").type;
    })""")
    form = page.locator("form:has(button[data-reveal])")
    form.evaluate("(form) => { form.noValidate = true; }")
    form.locator("[type=submit]").click()
    assert page.evaluate("() => window.sentAs") == "password"


def copies_what_is_read(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    buttons = page.locator("[data-copy]").all()
    assert buttons
    for button in buttons:
        expect(button).to_be_visible()
        button.click()
        expect(button).to_contain_text("Copied")
        copied = page.evaluate("() => navigator.clipboard.readText()")
        assert copied == button.get_attribute("data-copy")
        assert copied in page.locator("main").inner_text()
