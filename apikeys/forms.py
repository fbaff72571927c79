"""The form that takes a new key. Nothing typed into it is ever put back on a page."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from apikeys.exchanges.base import Credentials
from apikeys.findings import FindingCode
from apikeys.models import Bot

# What clings to the ends of a pasted value: spaces of every kind, and characters that nobody sees.
INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\ufeff"
)
EDGES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + INVISIBLE
# Longer than any credential of any exchange, key files included. Counted before anything else looks at it.
PASTED_MAX = 8_000
PASSPHRASE_MAX = 100
KEY_FILE_MARK = "-----BEGIN"

TRANSLATED = (
    "This has characters that no {what} has. Your browser's translator may have changed this: "
    "switch translation off for this page, then copy it again at {exchange}."
)
BROKEN = "There is a space or a line break inside. Copy it again at {exchange}, in one piece."
KEY_FILE = (
    "This is a key file (PEM). Here the two values are needed that {exchange} shows when it makes the key "
    "for you."
)
TOO_LONG = "This has {count:,} characters. Paste only the {label}: {hint}"
WRONG_SHAPE = (
    "This has {count} {unit}{other}. A {what} has {hint} Copy it again with the button at {exchange}."
)
SAME = "This is the same as the API key. The secret is the other, second value."
SWAPPED = "The API key and the secret seem to be swapped. Paste each into the other box."
EMPTY = "Paste the {label} here."
OUT_OF_DATE = "This page is out of date. Open it again from your bots."

_ATTRIBUTES = {
    "class": "key notranslate",
    "translate": "no",
    "autocomplete": "off",
    "autocapitalize": "none",
    "autocorrect": "off",
    "spellcheck": "false",
}


class EmptyTextInput(forms.TextInput):
    """Shows what is typed, and comes back empty."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class PastedField(forms.Field):
    """One pasted value, kept as it came; the form looks at all of them together."""

    def to_python(self, value: Any) -> str:
        return value if isinstance(value, str) else ""

    def validate(self, value: Any) -> None:
        """Done by the form, whose sentences know the exchange."""


class KeyForm(forms.Form):
    """API key, secret and, where the exchange has one, passphrase of a new key for `bot`.

    After `is_valid()`: `credentials`; `trimmed`, whether something was cut off the ends;
    `cleaned_data["replaces"]`, the id of the key that was in use when the page was opened, or None. Every
    error about a value has the code `malformed`.
    """

    api_key = PastedField(label="API key", widget=EmptyTextInput(_ATTRIBUTES))
    secret = PastedField(label="Secret", widget=forms.PasswordInput(_ATTRIBUTES))
    passphrase = PastedField(label="API passphrase", widget=forms.PasswordInput(_ATTRIBUTES))
    replaces = forms.UUIDField(
        required=False, widget=forms.HiddenInput, error_messages={"invalid": OUT_OF_DATE}
    )

    def __init__(self, bot: Bot, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.bot = bot
        self.trimmed = False
        self.exchange = bot.adapter.name
        shape = self.shape = bot.adapter.shape
        self.fields["api_key"].help_text = shape.key_hint
        self.fields["secret"].help_text = shape.secret_hint
        if shape.passphrase:
            self.fields["passphrase"].help_text = "The one you chose for this key, not your login password."
        else:
            del self.fields["passphrase"]

    @property
    def credentials(self) -> Credentials:
        """Only after `is_valid()` said yes."""
        return Credentials(
            self.cleaned_data["api_key"], self.cleaned_data["secret"], self.cleaned_data.get("passphrase", "")
        )

    def clean(self) -> dict[str, Any]:
        values = {name: self._trim(name) for name in self.fields if name != "replaces"}
        for name, value in values.items():
            problem = self._problem(name, value, values)
            if problem:
                self.add_error(name, forms.ValidationError(problem, code=FindingCode.MALFORMED.value))
            else:
                self.cleaned_data[name] = value
        return self.cleaned_data

    def _trim(self, name: str) -> str:
        pasted: str = self.cleaned_data.get(name, "")
        if len(pasted) > PASTED_MAX:
            return pasted
        value = pasted.strip(EDGES)
        self.trimmed = self.trimmed or value != pasted
        return value

    def _problem(self, name: str, value: str, values: Mapping[str, str]) -> str:
        label = "passphrase" if name == "passphrase" else "API key" if name == "api_key" else "secret"
        what = f"{self.exchange} {label}"
        if not value:
            return EMPTY.format(label=label)
        if len(value) > PASTED_MAX:
            return TOO_LONG.format(count=len(value), label=label, hint=self.fields[name].help_text)
        if name == "secret" and value == values["api_key"]:
            return SAME
        if KEY_FILE_MARK in value:
            return KEY_FILE.format(exchange=self.exchange)
        if not value.isascii():
            return TRANSLATED.format(what=what, exchange=self.exchange)
        if name == "passphrase":
            return self._passphrase_problem(value)
        if not value.isprintable() or any(letter.isspace() for letter in value):
            return BROKEN.format(exchange=self.exchange)
        if name == "secret" and self._swapped(values):
            return SWAPPED
        return self._shape_problem(name, value, what)

    def _passphrase_problem(self, value: str) -> str:
        """The customer chose it, so that nothing is known of it but that it is one line of a sane length."""
        if not value.isprintable():
            return BROKEN.format(exchange=self.exchange)
        if len(value) > PASSPHRASE_MAX:
            hint = self.fields["passphrase"].help_text
            return TOO_LONG.format(count=len(value), label="passphrase", hint=hint)
        return ""

    def _swapped(self, values: Mapping[str, str]) -> bool:
        """Both fit the other box and at least one does not fit its own."""
        key, secret = values["api_key"], values["secret"]
        return (
            _fits(self.shape.secret_pattern, key)
            and _fits(self.shape.key_pattern, secret)
            and not (_fits(self.shape.key_pattern, key) and _fits(self.shape.secret_pattern, secret))
        )

    def _shape_problem(self, name: str, value: str, what: str) -> str:
        pattern = self.shape.key_pattern if name == "api_key" else self.shape.secret_pattern
        if _fits(pattern, value):
            return ""
        hint = str(self.fields[name].help_text)
        return WRONG_SHAPE.format(
            count=len(value),
            unit="character" if len(value) == 1 else "characters",
            other="" if value.isalnum() else ", not all of them letters and digits",
            what=what,
            hint=hint[:1].lower() + hint[1:],
            exchange=self.exchange,
        )


def _fits(pattern: str, value: str) -> bool:
    return len(value) <= PASTED_MAX and re.fullmatch(pattern, value) is not None
