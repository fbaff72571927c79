"""A customer asks for a bot, and support launches or declines it."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from accounts.roles import Role
from apikeys.exchanges.base import Credentials
from apikeys.flows import close_customer, request_bot, submit
from apikeys.models import Bot, BotRequest
from apikeys.status import KeyStatus
from notifications.models import Mail
from notifications.render import render_stored
from tests.apikeys.rows import make_key
from tests.conftest import make_staff, signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS

pytestmark = pytest.mark.django_db
HERE = "192.0.2.1"
Status = BotRequest.Status


def asked(customer: User, exchange: str = "kraken", market: str = "spot") -> BotRequest:
    return request_bot.ask(customer=customer, exchange=exchange, market=market, note="", address=HERE)


def verbs(customer: User) -> list[str]:
    return list(AuditEvent.objects.filter(customer=customer).order_by("pk").values_list("verb", flat=True))


def test_it_takes_a_request_once_and_shows_it_until_it_is_answered(alice: User, as_alice: Client) -> None:
    fields = {"where": "kraken:spot", "note": "Grid, please"}
    assert as_alice.post("/bots/new/", fields)["Location"] == "/"
    assert "Kraken, spot" in as_alice.get("/").content.decode()
    again = as_alice.post("/bots/new/", fields).content.decode()
    assert "You have asked for this already" in again
    assert 'value="Grid, please"' in again  # what was typed is not lost
    request = BotRequest.objects.get()
    as_alice.post(f"/bots/new/{request.pk}/take-back/")
    assert "Take back" not in as_alice.get("/").content.decode()
    assert verbs(alice) == ["bot_asked", "bot_request_taken_back"]


def test_it_offers_no_market_that_an_exchange_does_not_have(alice: User, as_alice: Client) -> None:
    page = as_alice.post("/bots/new/", {"where": "kraken:derivatives"}).content.decode()
    assert "There is a problem" in page
    assert not BotRequest.objects.exists()


def test_it_lets_nobody_heap_up_requests(alice: User) -> None:
    for market in ("binance", "bybit", "kraken", "okx", "gate"):
        asked(alice, market)
    with pytest.raises(request_bot.TooManyOpenError):
        asked(alice, "htx")


def test_it_launches_under_a_bot_id_of_the_customer_and_mails_both_ids(alice: User) -> None:
    request, desk = asked(alice), signed_in(make_staff(Role.SUPPORT))
    address = f"/admin/apikeys/botrequest/{request.pk}/decide/"
    for wrong in ("0x2B3 / BobRoe / BTC-1", "0x1A2 / AliceDoe", "0x1A2 / AliceDoe / "):
        desk.post(address, {"act": "launch", "bot_id": wrong})
    assert not Bot.objects.exists()
    desk.post(address, {"act": "launch", "bot_id": "0x1a2/alicedoe/  GRID-1"})
    bot = Bot.objects.get()
    assert (bot.bot_id, bot.exchange, bot.customer) == ("0x1A2 / AliceDoe / GRID-1", "kraken", alice)
    text = render_stored(Mail.objects.get(owner_id=alice.pk)).text
    assert "0x1A2 / AliceDoe" in text
    assert bot.bot_id in text
    desk.post(address, {"act": "decline", "answer": "Too late"})
    request.refresh_from_db()
    assert (request.status, request.bot) == (Status.LAUNCHED, bot)
    assert verbs(alice) == ["bot_asked", "bot_launched"]


def test_it_launches_nothing_under_a_bot_id_that_is_taken(alice: User, binance_bot: Bot) -> None:
    request, desk = asked(alice), signed_in(make_staff(Role.LEAD))
    fields = {"act": "launch", "bot_id": binance_bot.bot_id.lower()}
    page = desk.post(f"/admin/apikeys/botrequest/{request.pk}/decide/", fields).content.decode()
    assert "There is a bot of this BOT ID" in page
    request.refresh_from_db()
    assert request.status == Status.ASKED
    assert verbs(alice) == ["bot_asked"]


def test_it_declines_with_the_words_of_support(alice: User) -> None:
    request, desk = asked(alice), signed_in(make_staff(Role.SUPPORT))
    listed = desk.get("/admin/apikeys/botrequest/").content.decode()
    (row,) = re.findall(rf'href="([^"?]*{request.pk}[^"?]*)[?"]', listed)
    decide = desk.get(row)["Location"]
    assert desk.get("/admin/apikeys/botrequest/x/change/").status_code == 404
    desk.post(decide, {"act": "decline", "answer": "Two at most."})
    assert "Two at most." in render_stored(Mail.objects.get(owner_id=alice.pk)).text
    assert verbs(alice) == ["bot_asked", "bot_request_declined"]


def test_it_takes_no_key_in_what_is_written_to_support_and_back(alice: User, as_alice: Client) -> None:
    key = DEMO_KEYS["binance"]["good"].api_key
    page = as_alice.post("/bots/new/", {"where": "kraken:spot", "note": f"My key: {key}."}).content.decode()
    assert "This looks like a key. Never send one." in page
    assert f"My key: {key}." in page, "what was typed stays in the form"
    assert not BotRequest.objects.exists()
    request, desk = asked(alice), signed_in(make_staff(Role.SUPPORT))
    sent = {"act": "decline", "answer": f"Not with {key}."}
    page = desk.post(f"/admin/apikeys/botrequest/{request.pk}/decide/", sent).content.decode()
    assert "This looks like a key or a secret" in page
    assert f"Not with {key}." in page
    assert not Mail.objects.exists()


def test_it_gives_a_bot_without_keys_to_its_real_owner(alice: User, bob: User, binance_bot: Bot) -> None:
    lead = signed_in(make_staff(Role.LEAD))
    address = f"/admin/apikeys/bot/{binance_bot.pk}/move/"
    assert f'href="{address}"' in lead.get(f"/admin/apikeys/bot/{binance_bot.pk}/change/").content.decode()
    lead.post(address, {"client_id": "0x2b3/bobroe", "reason": "Mixed up in the import"})
    binance_bot.refresh_from_db()
    assert binance_bot.customer == bob
    assert verbs(alice) == ["bot_moved"]


def test_it_never_moves_a_bot_that_had_a_key(alice: User, bob: User, binance_bot: Bot) -> None:
    make_key(binance_bot, KeyStatus.REFUSED, "mB9x", timedelta(0))
    lead = signed_in(make_staff(Role.LEAD))
    address = f"/admin/apikeys/bot/{binance_bot.pk}/move/"
    assert "had a key" in lead.get(address).content.decode()
    lead.post(address, {"client_id": bob.client_id, "reason": "Forced"})
    binance_bot.refresh_from_db()
    assert (binance_bot.customer, verbs(alice)) == (alice, [])


def test_it_stores_no_key_on_a_bot_that_went_to_somebody_else_meanwhile(
    alice: User, bob: User, binance_bot: Bot
) -> None:
    """As the form found it; support has given it away before its lock was free."""
    Bot.objects.filter(pk=binance_bot.pk).update(customer=bob)
    with pytest.raises(submit.BotChangedError):
        submit.submit(
            bot=binance_bot,
            customer=alice,
            credentials=Credentials("k" * 64, "s" * 64),
            trimmed=False,
            replaces=None,
            address=HERE,
        )
    assert not binance_bot.keys.exists()


def test_it_forgets_requests_with_the_customer_and_launches_nothing_for_one_who_left(alice: User) -> None:
    lead = make_staff(Role.LEAD)
    asked(alice)
    close_customer.close(customer=alice, reason="Asked", actor=lead, address=HERE)
    assert not BotRequest.objects.exists()
    fields = {"bot_id": f"closed-{alice.pk} / BTC-1", "where": "kraken:spot"}
    signed_in(lead).post(f"/admin/accounts/user/{alice.pk}/bot/", fields)
    assert not Bot.objects.exists()
