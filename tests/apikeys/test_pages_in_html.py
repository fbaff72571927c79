"""The pages of bots and keys as scripts, screen readers and translators meet them."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client

from apikeys.exchanges.base import AllowList, KeyReport
from apikeys.models import Bot
from apikeys.pages import words
from apikeys.status import KeyStatus
from tests.apikeys.rows import HARMLESS, make_key, verdict


@pytest.mark.parametrize("status", KeyStatus.values)
def test_it_shows_every_status_to_its_owner_alone(
    status: str, as_alice: Client, as_bob: Client, client: Client, binance_bot: Bot
) -> None:
    key = make_key(binance_bot, KeyStatus(status), "mB9x", timedelta(minutes=6))
    address = f"/keys/{key.pk}/"
    html = as_alice.get(address).content.decode()
    assert f'data-key-status="{status}"' in html
    waiting = status in ("checking", "ready")
    assert ('<noscript><meta http-equiv="refresh"' in html.split("</head>")[0]) is waiting
    assert ("data-poll=" in html) is waiting
    assert as_bob.get(address).status_code == 404
    assert client.get(address).status_code == 302  # Charlie


def test_it_marks_bots_findings_and_values_for_scripts_and_translators(
    as_alice: Client, binance_bot: Bot
) -> None:
    html = as_alice.get("/").content.decode()
    assert f'data-bot-id="{binance_bot.bot_id}" data-bot-status="none"' in html
    assert f'href="/bots/{binance_bot.pk}/key/" data-action="connect"' in html
    assert f'<span class="id notranslate" translate="no">{binance_bot.bot_id}</span>' in html
    report = KeyReport(rights=HARMLESS, allow_list=AllowList(bound=False))
    key = make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(days=1), **verdict(binance_bot, report))
    assert 'data-finding="ip_open"' in as_alice.get(f"/keys/{key.pk}/").content.decode()


@pytest.mark.parametrize(
    ("bound", "says", "hides"),
    [
        (False, "It works from any address.", "does not say whether it is bound"),
        (None, "Binance does not say whether it is bound to addresses.", "It works from any address."),
    ],
)
def test_it_claims_of_addresses_only_what_the_exchange_said(
    bound: bool | None, says: str, hides: str, as_alice: Client, binance_bot: Bot
) -> None:
    report = KeyReport(rights=HARMLESS, allow_list=AllowList(bound=bound))
    key = make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(days=1), **verdict(binance_bot, report))
    bots, page = (as_alice.get(address).content.decode() for address in ("/", f"/keys/{key.pk}/"))
    assert says in page
    assert hides not in page
    assert ("It works from any address." in bots) is (bound is False)
    assert ("Active, but bound to no address" in bots) is (bound is False)


def test_it_names_each_problem_at_the_top_and_at_its_field_and_empties_the_boxes(
    as_alice: Client, bybit_bot: Bot
) -> None:
    waiting = make_key(bybit_bot, KeyStatus.CHECKING, "mB9x", timedelta(minutes=1))
    html = as_alice.post(
        f"/bots/{bybit_bot.pk}/key/", {"api_key": "short", "secret": "short"}
    ).content.decode()
    assert "<title>Error: Connect ETH-2 | Sequence Portal</title>" in html
    assert "Nothing was sent to Bybit. For your safety both boxes are empty again" in html
    assert 'href="#id_secret"' in html
    assert 'aria-describedby="id_secret_helptext id_secret_error"' in html
    assert f'name="replaces" value="{waiting.pk}"' in html
    assert "Replace it and check" in html
    assert 'value="short"' not in html


def test_it_shows_the_page_for_broken_requests_without_context_or_database() -> None:
    html = render_to_string("500.html", {"reference": "7f3a-91c2"})
    assert "7f3a-91c2" in html
    assert "Something broke on our side" in render_to_string("500.html")


def test_it_escapes_what_others_wrote() -> None:
    assert "<i>" not in words.marked("Switch off <i>…7Q2f at 203.0.113.10", ["<i>"])
    assert words.marked("…7Q2f") == words.ending("7Q2f")
