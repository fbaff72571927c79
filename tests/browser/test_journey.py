"""The whole way of a customer, in a browser, through every process of the portal."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from apikeys.models import ApiKey, Bot
from tests.browser.customer import WAIT, Customer
from tests.conftest import PASSWORD
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.stack import Stack

expect.set_options(timeout=WAIT * 1000)


@pytest.fixture(params=[True, False], ids=["with-script", "without-script"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def customer(browser: Browser, script: bool, stack: Stack) -> Iterator[Customer]:
    context = browser.new_context(java_script_enabled=script)
    context.set_default_timeout(WAIT * 1000)
    yield Customer(context.new_page(), stack.url, stack.sink)
    context.close()


def connect_the_old_key(customer: Customer, bot: Bot) -> str:
    """The first key of a bot; gives its last four characters."""
    old = DEMO_KEYS[bot.exchange]["old"]
    customer.choose(bot.bot_id, "connect")
    customer.hand_over(old)
    customer.wait_for_status("active")
    customer.sink.wait_for(lambda letter: letter.subject == f"API connected: {bot.bot_id}", timeout=WAIT)
    return old.api_key[-4:]


def test_it_replaces_a_key_and_says_when_the_old_one_may_go(
    customer: Customer, script: bool, alice: User, binance_bot: Bot, stack: Stack
) -> None:
    page, new = customer.page, DEMO_KEYS["binance"]["good"]
    customer.sign_in(alice.email, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your bots")
    old_four = connect_the_old_key(customer, binance_bot)
    new_four = new.api_key[-4:]

    customer.choose(binance_bot.bot_id, "refresh")
    for words in (
        "Keep your old key until we say it may go.",
        f"Your bot trades with …{old_four} all the while.",
        f"User ID {alice.client_id}",
        f"BOT ID {binance_bot.bot_id}",
        "203.0.113.10",
    ):
        assert words in customer.read()

    # The answer of the exchange is held back, so that the page in between is there to be read.
    stack.simulator.behave("binance", "hold")
    customer.hand_over(new)
    customer.wait_for_status("checking")
    assert "You can close this page." in customer.read()
    assert "Keep the old key: your bot goes on trading with it." in customer.read()
    assert "You can now delete" not in customer.read()
    same_page = page.locator("h1").evaluate_handle("() => document")
    stack.simulator.release()
    if script:
        customer.wait_for_status("active")
        assert same_page.evaluate("(before) => before === document"), "the page changed without being loaded"
    else:
        page.get_by_role("link", name="Look again").click()
        customer.wait_for_status("active")

    sentence = f"You can now delete the old key ending …{old_four} at Binance, or let it expire."
    assert sentence in customer.read()
    assert "cannot withdraw or transfer, and it is bound to addresses." in customer.read()
    letter = customer.sink.wait_for(
        lambda letter: letter.subject == f"API refresh: {binance_bot.bot_id}", timeout=WAIT
    )
    assert letter.recipients == (alice.email,)
    for said in (letter.text, letter.html):
        for words in (str(alice.client_id), binance_bot.bot_id, f"…{old_four}", f"…{new_four}"):
            assert words in said
    assert sentence in letter.text
    assert new.secret not in letter.text + letter.html
    assert new.api_key not in letter.text + letter.html

    customer.open("/")
    assert customer.bot(binance_bot.bot_id).get_attribute("data-bot-status") == "active"
    assert f"…{new_four}" in customer.bot(binance_bot.bot_id).inner_text()
    customer.open("/security/")
    assert f"API refresh: {binance_bot.bot_id}" in customer.read()
    customer.press("Sign out")
    assert "You are signed out." in customer.read()
    customer.open("/")
    page.wait_for_url("**/sign-in/**")


def test_it_refuses_a_key_that_can_withdraw_and_keeps_the_old_one(
    customer: Customer, script: bool, alice: User, bybit_bot: Bot, stack: Stack
) -> None:
    page, bad = customer.page, DEMO_KEYS["bybit"]["can_withdraw"]
    customer.sign_in(alice.email, PASSWORD)
    old_four = connect_the_old_key(customer, bybit_bot)

    customer.choose(bybit_bot.bot_id, "refresh")
    stack.simulator.behave("bybit", "hold")
    customer.hand_over(bad)
    customer.wait_for_status("checking")
    stack.simulator.release()
    customer.wait_for_status("refused")  # by itself, with a script and without

    found = page.locator('[data-finding="forbidden_permission"]', has_text="Withdrawals")
    expect(found).to_have_count(1)
    expect(found).to_be_visible()
    assert f"Your bot goes on trading with the key ending …{old_four}. Keep it." in customer.read()
    assert "You can now delete" not in customer.read()
    letter = customer.sink.wait_for(
        lambda letter: letter.subject == f"API key refused: {bybit_bot.bot_id}", timeout=WAIT
    )
    words = " ".join(letter.text.split())
    assert f"Your bot goes on trading with the key ending …{old_four}. Keep it." in words
    assert f"Refused key …{bad.api_key[-4:]}" in words
    assert "Withdraw" in words
    assert bad.secret not in letter.text + letter.html

    page.get_by_role("link", name="Try again").click()
    assert f"Your bot trades with …{old_four} all the while." in customer.read()
    customer.open("/")
    card = customer.bot(bybit_bot.bot_id)
    assert card.get_attribute("data-bot-status") == "active"
    assert f"…{old_four}" in card.inner_text()
    assert ApiKey.objects.get(status="active").last_four == old_four


def test_it_sets_a_first_password(customer: Customer, alice: User, binance_bot: Bot) -> None:
    page, chosen = customer.page, "four words of my own"
    alice.set_unusable_password()
    alice.save()
    customer.open("/sign-in/")
    customer.follow("Forgotten or first password")
    before = customer.last_letter()
    customer.field("User ID").fill(" 0x1a2/alicedoe")
    customer.field("Email address").fill(alice.email)
    customer.press("Continue")
    page.wait_for_url("**/sign-in/help/code/")
    customer.give_code(customer.mailed_code(before))
    page.wait_for_url("**/sign-in/help/password/")

    customer.field("New password").fill("short")
    customer.press("Set this password")
    assert "There is a problem" in customer.read()
    assert page.title().startswith("Error: ")
    customer.field("New password").fill(chosen)
    customer.press("Set this password")
    assert "Your password is set" in customer.read()
    letter = customer.sink.wait_for(
        lambda letter: letter.subject == "Your password was changed", timeout=WAIT
    )
    assert chosen not in letter.text + letter.html

    customer.sign_in(alice.email, chosen)
    assert customer.bot(binance_bot.bot_id).get_attribute("data-bot-status") == "none"
