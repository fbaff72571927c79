import re
from html.parser import HTMLParser

import pytest
from pytest_django import Settings

from notifications.kinds import MailKind
from notifications.render import render
from tests.notifications.samples import BOT_ID, CONTEXTS, USER_ID

ABOUT_A_KEY = [kind for kind in MailKind if kind.value.startswith("api_")]
EVERY_KIND = pytest.mark.parametrize("kind", MailKind, ids=lambda kind: kind.value)


class Shape(HTMLParser):
    """What a mail client would act on: tags with their attributes, and the text a person reads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside not in {"style", "title"}:
            self.words += data

    @property
    def read(self) -> str:
        return " ".join(self.words.split())


def flat(text: str) -> str:
    return " ".join(text.split())


@EVERY_KIND
def test_it_renders_every_kind_as_text_and_html(kind: MailKind) -> None:
    mail = render(kind, CONTEXTS[kind])

    assert mail.subject
    assert "\n" not in mail.subject
    assert mail.text.endswith("\n")
    assert "\n\n\n" not in mail.text
    assert mail.html.lower().startswith("<!doctype html>")
    assert not re.search(r"\{[{%#]", mail.subject + mail.text + mail.html)


@EVERY_KIND
def test_it_names_the_user_in_every_mail_but_codes(kind: MailKind) -> None:
    mail = render(kind, CONTEXTS[kind] | {"client_id": USER_ID})

    # Whoever gets the code of a mistyped address must not learn the User ID with it.
    codes = (MailKind.SIGN_IN_CODE, MailKind.STAFF_START, MailKind.ADDRESS_CONFIRM_CODE)
    expected = kind not in codes
    assert (USER_ID in mail.text.replace(BOT_ID, "")) is expected
    assert (USER_ID in Shape(mail.html).read.replace(BOT_ID, "")) is expected


@pytest.mark.parametrize("kind", ABOUT_A_KEY, ids=lambda kind: kind.value)
def test_it_names_the_bot_in_every_mail_about_a_key(kind: MailKind) -> None:
    mail = render(kind, CONTEXTS[kind])

    assert BOT_ID in mail.subject
    assert BOT_ID in mail.text
    assert BOT_ID in Shape(mail.html).read


@EVERY_KIND
def test_it_links_nowhere_and_fetches_nothing(kind: MailKind) -> None:
    context = CONTEXTS[kind] | {"bot_id": "<a href='https://evil.example'>x</a><img src=//evil.example>"}
    mail = render(kind, context)

    tags = Shape(mail.html).tags
    assert len(tags) > 20
    assert not {tag for tag, _ in tags} & {"a", "link", "script", "img", "iframe", "form", "object"}
    assert not {name for _, attributes in tags for name in attributes} & {
        "href",
        "src",
        "background",
        "action",
    }
    assert "url(" not in mail.html
    assert "@import" not in mail.html


@EVERY_KIND
def test_it_keeps_styles_inline_and_at_rules_in_one_block(kind: MailKind) -> None:
    mail = render(kind, CONTEXTS[kind])

    styles = re.findall(r"<style>(.*?)</style>", mail.html, re.DOTALL)
    assert len(styles) == 1
    assert "prefers-color-scheme" in styles[0]
    assert "max-width: 640px" in styles[0]
    assert "font-size: 26px" not in styles[0]
    assert re.search(r'style="[^"]*font-size: 26px', mail.html)


@EVERY_KIND
def test_it_says_the_same_in_text_and_html(kind: MailKind) -> None:
    mail = render(kind, CONTEXTS[kind])

    read = Shape(mail.html).read
    parts = [part for part in re.split(r"\n\s*\n", mail.text) if "  " not in part and part[0] != "@"]
    sentences = [words for part in parts for words in re.findall(r"[A-Z][^.:?]{20,}(?=[.?])", flat(part))]
    assert len(sentences) >= 3
    assert not [words for words in sentences if words.replace('"', "") not in read]


def test_it_says_that_the_old_key_may_go() -> None:
    mail = render(MailKind.API_REFRESH, CONTEXTS[MailKind.API_REFRESH])

    assert mail.subject == f"API refresh: {BOT_ID}"
    sentence = "You can now delete the old key ending …7Q2f at Binance, or let it expire."
    assert sentence in mail.text
    assert sentence in Shape(mail.html).read
    assert "…mB9x" in mail.text
    assert "22 November 2026, 17:46:31 UTC" in mail.text
    assert "Worth knowing" not in mail.text + mail.html


def test_it_lists_warnings() -> None:
    warning = "This key is bound to no address, so Binance may end it after 90 days."
    mail = render(MailKind.API_REFRESH, CONTEXTS[MailKind.API_REFRESH] | {"warnings": [warning]})

    assert warning in mail.text
    assert warning in mail.html


def test_it_says_what_has_to_change_and_what_goes_on_working() -> None:
    mail = render(MailKind.API_REFUSED, CONTEXTS[MailKind.API_REFUSED])

    for words in ("Withdrawals", "Untick Enable Withdrawals.", "Addresses"):
        assert words in mail.text
        assert words in mail.html
    assert "Your bot goes on trading with the key ending …7Q2f. Keep it." in mail.text
    assert "not your doing" not in mail.text + mail.html


def test_it_says_so_where_it_was_not_the_customers_doing() -> None:
    context = CONTEXTS[MailKind.API_REFUSED] | {"not_your_doing": True, "keeps_last_four": ""}
    mail = render(MailKind.API_REFUSED, context)

    assert mail.subject == f"API key not checked: {BOT_ID}"
    for words in (flat(mail.text), Shape(mail.html).read):
        assert "Binance did not answer us for 24 hours" in words
        assert "This was not your doing." in words
        assert "This bot has no active key" in words
        assert "Untick" not in words


def test_it_keeps_a_code_mail_to_the_code(settings: Settings) -> None:
    settings.PORTAL_URL = "https://portal.sequence.example:8443"
    mail = render(MailKind.SIGN_IN_CODE, CONTEXTS[MailKind.SIGN_IN_CODE])

    assert mail.subject == "Your code for Sequence Portal"
    assert mail.text.splitlines()[-1] == "@portal.sequence.example #493021"
    assert "10 minutes" in mail.text
    assert "works once" in mail.text
    assert "Nobody at Sequence asks you for this code" in mail.text
    assert "http" not in mail.text + Shape(mail.html).words
    # A mailbox that offers "copy code" finds one candidate only.
    assert set(re.findall(r"\d{6}", mail.text + mail.html)) == {"493021"}


def test_it_tells_a_new_customer_where_to_go_without_a_link(settings: Settings) -> None:
    settings.PORTAL_URL = "https://portal.sequence.example"
    mail = render(MailKind.WELCOME, CONTEXTS[MailKind.WELCOME])

    for words in (mail.text, Shape(mail.html).read):
        assert "https://portal.sequence.example" in words
        assert "Forgotten or first password" in words
        assert "ETH-2" in words


@EVERY_KIND
def test_it_lets_no_value_add_a_line(kind: MailKind) -> None:
    evil = "0x1A2 / Jane\r\nBcc: evil@evil.example\u2028\u202eDoe"
    context = CONTEXTS[kind] | {"client_id": evil, "bot_id": evil, "bots": [evil]}
    mail = render(kind, context)

    assert len(mail.subject.splitlines()) == 1
    assert not any(line.strip().startswith("Bcc") for line in mail.text.splitlines())
    assert "\u202e" not in mail.subject + mail.text + mail.html


def test_it_escapes_in_html_and_not_in_text() -> None:
    context = CONTEXTS[MailKind.API_REFRESH] | {"client_id": "0x1A2 / <b>J&J</b>"}
    mail = render(MailKind.API_REFRESH, context)

    assert "0x1A2 / <b>J&J</b>" in mail.text
    assert "0x1A2 / &lt;b&gt;J&amp;J&lt;/b&gt;" in mail.html
