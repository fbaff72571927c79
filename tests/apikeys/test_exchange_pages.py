"""The list of exchanges and their guides, and the way from a refusal to the step that mends it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apikeys.desk import report
from apikeys.exchanges.base import AllowList, KeyReport, Right
from apikeys.exchanges.registry import EXCHANGES, NOT_OFFERED
from apikeys.models import Bot, ExchangeState
from apikeys.status import KeyStatus
from tests.apikeys.rows import HARMLESS, make_key, verdict

pytestmark = pytest.mark.django_db


def test_it_lists_every_exchange_and_says_why_one_is_not_offered(as_alice: Client) -> None:
    html = as_alice.get("/exchanges/").content.decode()
    for adapter in EXCHANGES.values():
        assert f'href="/exchanges/{adapter.id}/"' in html
    assert {"Crypto.com", "Kraken Futures", "Hyperliquid", "BitMEX", "Deribit"} <= {
        exchange.name for exchange in NOT_OFFERED
    }
    for exchange in NOT_OFFERED:
        assert exchange.name in html
        assert exchange.reason.split(",")[0].split("'")[0] in html


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_it_shows_each_guide_with_the_words_of_the_exchange(exchange: str, as_alice: Client) -> None:
    adapter = EXCHANGES[exchange]
    for market in adapter.markets:
        html = as_alice.get(f"/exchanges/{exchange}/?market={market.value}").content.decode()
        for step in adapter.guide.for_market(market):
            assert f'id="step-{step.id.value}"' in html
        assert adapter.site in html
        assert "203.0.113.10" in html
        assert "[" not in re.sub(r"<[^>]*>", "", html.split("<main")[1]), "a label that was not set"
        assert "{site}" not in html


def test_it_knows_no_guide_of_an_exchange_that_is_not_there(as_alice: Client) -> None:
    assert as_alice.get("/exchanges/deribit/").status_code == 404
    assert as_alice.get("/exchanges/binance/?market=moon").status_code == 200


@pytest.mark.parametrize("page", ["/exchanges/", "/exchanges/bybiteu/"])
def test_it_says_where_keys_are_for_apps_and_none_is_ours(
    page: str, as_alice: Client, settings: Settings
) -> None:
    warning = "Sequence is not on its list yet"
    assert as_alice.get(page).content.decode().count(warning) == 1
    assert warning not in as_alice.get("/exchanges/bybit/").content.decode()
    settings.PARTNER_APPS = {"bybiteu": "Sequence"}
    assert warning not in as_alice.get(page).content.decode()


def test_it_leads_from_a_refusal_to_the_step_that_mends_it(as_alice: Client, binance_bot: Bot) -> None:
    rights = HARMLESS | {Right.WITHDRAW: True}
    refused = verdict(binance_bot, KeyReport(rights=rights, allow_list=AllowList(bound=False)))
    key = make_key(binance_bot, KeyStatus.REFUSED, "mB9x", timedelta(minutes=6), **refused)
    html = as_alice.get(f"/keys/{key.pk}/").content.decode()
    form = as_alice.get(f"/bots/{binance_bot.pk}/key/").content.decode()
    for step, place in re.findall(r'href="/bots/\d+/key/#(step-[\w-]+)">Step (\d+) of the guide', html):
        items = re.findall(r'<li id="(step-[\w-]+)"', form)
        assert items[int(place) - 1] == step
    assert "#step-rights" in html
    assert "#step-addresses" in html


def test_it_says_when_an_exchange_answers_nobody(as_alice: Client, binance_bot: Bot) -> None:
    key = make_key(binance_bot, KeyStatus.CHECKING, "mB9x", timedelta(minutes=1))
    soon = timezone.now() + timedelta(minutes=1)
    ExchangeState.objects.create(exchange="binance", failures=7, open_until=soon)
    assert (
        "Binance is not answering at the moment, and we keep trying."
        in as_alice.get(f"/keys/{key.pk}/").content.decode()
    )
    assert (
        "Binance is not answering at the moment."
        in as_alice.get(f"/bots/{binance_bot.pk}/key/").content.decode()
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"permanent": True}, "says that this key does not end by itself"),
        ({}, "does not state how long this key lives"),
        ({"expires_at": timezone.now() + timedelta(days=90)}, "This key stops working at Binance on"),
    ],
)
def test_it_says_how_long_a_key_lives(
    told: dict[str, object], words: str, as_alice: Client, binance_bot: Bot
) -> None:
    key = make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(days=1), **told)
    assert words in as_alice.get(f"/keys/{key.pk}/").content.decode()


def test_it_shows_a_key_of_our_app_as_bound_to_it(as_alice: Client, bybit_bot: Bot) -> None:
    report = KeyReport(
        rights=HARMLESS | {Right.DERIVATIVES: True},
        allow_list=AllowList(bound=False, addresses=()),
        third_party_app="Sequence",
        permanent=True,
    )
    found = verdict(bybit_bot, report)
    found["findings_json"] = []
    key = make_key(bybit_bot, KeyStatus.ACTIVE, "mB9x", timedelta(days=1), permanent=True, **found)
    html = as_alice.get(f"/keys/{key.pk}/").content.decode()
    assert "it is bound to our app" in html
    assert "works from any address" not in html


@pytest.mark.parametrize(
    ("apps", "tone"), [({"bybit": "Sequence"}, ""), ({}, "bad"), ({"bybit": "Other"}, "bad")]
)
def test_the_desk_s_table_knows_a_key_of_our_app_as_the_check_does(
    apps: dict[str, str], tone: str, bybit_bot: Bot, settings: Settings
) -> None:
    settings.PARTNER_APPS = apps
    told = KeyReport(rights=HARMLESS, third_party_app="Sequence ETH-2 2026-11")
    key = make_key(bybit_bot, KeyStatus.ACTIVE, "mB9x", timedelta(days=1), **verdict(bybit_bot, told))
    line = next(line for line in report.lines(key) if line.looked_at == "Made for an app")
    assert (line.found, line.tone) == ("Sequence ETH-2 2026-11", tone)
