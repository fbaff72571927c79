import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from apikeys.exchanges.adapter import Adapter, CredentialShape
from apikeys.exchanges.base import Credentials
from apikeys.exchanges.registry import EXCHANGES
from apikeys.forms import KeyForm
from apikeys.models import Bot, keys

KEY, SECRET = "Ab1" + "k" * 61, "Cd2" + "s" * 61
BYBIT_KEY, BYBIT_SECRET = "Ab1" + "k" * 15, "Cd2" + "s" * 33


def form(exchange: str = "binance", **pasted: Any) -> KeyForm:
    return KeyForm(Bot(bot_id="0x1A2 / JaneDoe / BTC-1", exchange=exchange, market="spot"), pasted)


def sentence(found: KeyForm, name: str) -> str:
    assert not found.is_valid()
    (error,) = found.errors.as_data()[name]
    assert error.code == "malformed"
    return str(found.errors[name][0])


def test_it_takes_a_good_key() -> None:
    found = form(api_key=KEY, secret=SECRET)
    assert found.is_valid()
    assert found.credentials == Credentials(KEY, SECRET)
    assert found.trimmed is False
    assert found.cleaned_data["replaces"] is None


def test_it_takes_a_bybit_key() -> None:
    found = form("bybit", api_key=BYBIT_KEY, secret=BYBIT_SECRET)
    assert found.is_valid()
    assert found.credentials == Credentials(BYBIT_KEY, BYBIT_SECRET)


@pytest.mark.parametrize(
    "edge",
    [" ", "\t", "\r\n", "\u00a0", "\u200b", "\u200d", "\u2060", "\ufeff", "\u3000", "\u00ad", " \u200b\n "],
)
@pytest.mark.parametrize("name", ["api_key", "secret"])
def test_it_cuts_off_what_clings_to_the_ends(edge: str, name: str) -> None:
    pasted = {"api_key": KEY, "secret": SECRET}
    for value in (edge + pasted[name], pasted[name] + edge, edge + pasted[name] + edge):
        found = form(**pasted | {name: value})
        assert found.is_valid()
        assert found.credentials == Credentials(KEY, SECRET)
        assert found.trimmed is True


@pytest.mark.parametrize(
    ("exchange", "pasted", "name", "words"),
    [
        (
            "binance",
            {"api_key": KEY[:-1]},
            "api_key",
            "This has 63 characters. A Binance API key has 64 letters and digits. "
            "Copy it again with the button at Binance.",
        ),
        (
            "binance",
            {"secret": SECRET + "x"},
            "secret",
            "This has 65 characters. A Binance secret has 64 letters and digits, shown once by Binance. "
            "Copy it again with the button at Binance.",
        ),
        (
            "binance",
            {"api_key": "x"},
            "api_key",
            "This has 1 character. A Binance API key has 64 letters and digits. "
            "Copy it again with the button at Binance.",
        ),
        (
            "binance",
            {"api_key": KEY[:-1] + "+"},
            "api_key",
            "This has 64 characters, not all of them letters and digits. A Binance API key has "
            "64 letters and digits. Copy it again with the button at Binance.",
        ),
        (
            "bybit",
            {"api_key": "x" * 5, "secret": BYBIT_SECRET},
            "api_key",
            "This has 5 characters. A Bybit API key has letters and digits, usually 18. "
            "Copy it again with the button at Bybit.",
        ),
        (
            "binance",
            {"secret": KEY},
            "secret",
            "This is the same as the API key. The secret is the other, second value.",
        ),
        (
            "binance",
            {"api_key": KEY[:30] + " " + KEY[30:]},
            "api_key",
            "There is a space or a line break inside. Copy it again at Binance, in one piece.",
        ),
        (
            "binance",
            {"api_key": KEY[:30] + "\x00" + KEY[31:]},
            "api_key",
            "There is a space or a line break inside. Copy it again at Binance, in one piece.",
        ),
        (
            "binance",
            {"api_key": KEY[:-1] + "\u041a"},
            "api_key",
            "This has characters that no Binance API key has. Your browser's translator may have changed "
            "this: switch translation off for this page, then copy it again at Binance.",
        ),
        (
            "binance",
            {"secret": "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n"},
            "secret",
            "This key file is not complete. Copy it again, from its first line to its last, both of them "
            "included.",
        ),
        (
            "binance",
            {"api_key": "x" * 1_048_576},
            "api_key",
            "This has 1,048,576 characters. Paste only the API key: 64 letters and digits.",
        ),
        ("binance", {"api_key": ""}, "api_key", "Paste the API key here."),
        ("binance", {"secret": " \u200b "}, "secret", "Paste the secret here."),
        (
            "bybit",
            {"api_key": BYBIT_SECRET, "secret": BYBIT_KEY},
            "secret",
            "The API key and the secret seem to be swapped. Paste each into the other box.",
        ),
    ],
)
def test_it_says_what_is_wrong_where_it_is_wrong(
    exchange: str, pasted: Mapping[str, str], name: str, words: str
) -> None:
    found = form(exchange, **{"api_key": KEY, "secret": SECRET} | dict(pasted))
    assert sentence(found, name) == words
    assert list(found.errors) == [name]


def test_it_names_both_problems_of_a_short_key_pasted_twice() -> None:
    found = form(api_key=KEY[:-1], secret=KEY[:-1])
    assert sentence(found, "api_key").startswith("This has 63 characters.")
    assert sentence(found, "secret").startswith("This is the same as the API key.")


def test_it_asks_for_both_where_nothing_was_sent() -> None:
    assert set(form().errors) == {"api_key", "secret"}


@pytest.mark.parametrize(
    "pasted", [{"api_key": KEY[:-1], "secret": SECRET}, {"api_key": KEY, "secret": "wrong"}]
)
def test_it_puts_nothing_that_was_typed_back_on_the_page(pasted: Mapping[str, str]) -> None:
    found = form(**pasted)
    assert not found.is_valid()
    page = found.as_div() + str(found["api_key"]) + str(found["secret"]) + repr(found)
    assert pasted["api_key"] not in page
    assert pasted["secret"] not in page
    assert "value=" not in str(found["api_key"]) + str(found["secret"])


@pytest.mark.parametrize(("name", "kind"), [("api_key", "text"), ("secret", "password")])
def test_it_keeps_browsers_from_changing_a_value(name: str, kind: str) -> None:
    box = str(form()[name])
    for attribute in (
        f'type="{kind}"',
        'class="key notranslate"',
        'translate="no"',
        'autocomplete="off"',
        'autocapitalize="none"',
        'autocorrect="off"',
        'spellcheck="false"',
    ):
        assert attribute in box


def test_it_carries_which_key_is_replaced() -> None:
    old = uuid.uuid4()
    found = form(api_key=KEY, secret=SECRET, replaces=str(old))
    assert found.is_valid()
    assert found.cleaned_data["replaces"] == old


def test_it_refuses_a_page_whose_hidden_part_was_changed() -> None:
    found = form(api_key=KEY, secret=SECRET, replaces="not an id")
    assert found.errors == {"replaces": ["This page is out of date. Open it again from your bots."]}


def test_it_asks_for_no_passphrase_where_the_exchange_has_none() -> None:
    assert "passphrase" not in form().fields


def with_passphrase() -> Mapping[str, Adapter]:
    shape = CredentialShape(r"[a-f0-9]{24}", "24 letters and digits.", r"\S+", "Shown once.", passphrase=True)
    return {"binance": replace(EXCHANGES["binance"], shape=shape)}


@pytest.mark.parametrize(
    ("passphrase", "taken"),
    [("pa$$ Word", "pa$$ Word"), (" edges ", " edges "), ("x" * 101, None), ("a\nb", None)],
)
def test_it_takes_a_passphrase_as_it_is(passphrase: str, taken: str | None) -> None:
    with patch.object(keys, "EXCHANGES", with_passphrase()):
        found = form(api_key="a" * 24, secret=SECRET, passphrase=passphrase)
        assert found.is_valid() is (taken is not None)
        assert passphrase not in str(found["passphrase"])
        if taken:
            assert found.credentials == Credentials("a" * 24, SECRET, taken)
        else:
            assert sentence(found, "passphrase")
