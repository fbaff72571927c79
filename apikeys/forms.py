"""The form that takes a new key. Nothing typed into it is ever put back on a page."""

from collections.abc import Mapping
from typing import Any

from django import forms

from apikeys import pasted
from apikeys.exchanges.base import Credentials
from apikeys.findings import FindingCode
from apikeys.models import Bot

OUT_OF_DATE = "This page is out of date. Open it again from your bots."
NOT_THE_FILE = (
    "This is not the file that {exchange} lets you download, which holds the key's name and its private key."
    " Choose that file, or paste both values."
)

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


class EmptyTextarea(forms.Textarea):
    """The same for what has several lines."""

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

    key_file = forms.FileField(required=False, label="Key file", allow_empty_file=True)
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
        shape = bot.adapter.shape
        self.fields["api_key"].help_text = shape.key_hint
        self.fields["secret"].help_text = shape.secret_hint
        if not shape.secret_pattern:
            # A box of one line would take the line ends out of a key file that is pasted into it.
            self.fields["secret"].widget = EmptyTextarea(_ATTRIBUTES | {"rows": "6"})
        if shape.passphrase:
            self.fields["passphrase"].help_text = shape.passphrase_hint
        else:
            del self.fields["passphrase"]
        if shape.json_file:
            # The file stands for both boxes, and a browser would not send a form with an empty required one.
            self.use_required_attribute = False
            self.fields[
                "key_file"
            ].help_text = f"The JSON file from {bot.adapter.name}, in place of both boxes."
        else:
            del self.fields["key_file"]

    @property
    def credentials(self) -> Credentials:
        """Only after `is_valid()` said yes."""
        return Credentials(
            self.cleaned_data["api_key"], self.cleaned_data["secret"], self.cleaned_data.get("passphrase", "")
        )

    def clean(self) -> dict[str, Any]:
        values = {name: self._trim(name) for name in self.fields if name in pasted.LABELS}
        if self._take_file(values):
            if problem := pasted.unpacked(values, self.bot.adapter):
                self._refuse("secret", problem)
            else:
                self._judge(values)
        return self.cleaned_data

    def _judge(self, values: dict[str, str]) -> None:
        for name in values:
            hint = str(self.fields[name].help_text)
            if problem := pasted.problem(name, values, self.bot.adapter, hint):
                self._refuse(name, problem)
            else:
                self.cleaned_data[name] = values[name]

    def _refuse(self, name: str, problem: str) -> None:
        self.add_error(name, forms.ValidationError(problem, code=FindingCode.MALFORMED.value))

    def _trim(self, name: str) -> str:
        typed: str = self.cleaned_data.get(name, "")
        value = pasted.trimmed(name, typed)
        self.trimmed = self.trimmed or value != typed
        return value

    def _take_file(self, values: dict[str, str]) -> bool:
        """Put an uploaded file in the place of the boxes. False: it is not the exchange's file."""
        file = self.cleaned_data.pop("key_file", None)
        if file is None:
            return True
        content = file.read(pasted.PASTED_MAX + 1)
        found = content.decode("utf-8-sig", errors="replace")
        before = dict(values)
        values["secret"], values["api_key"] = found, ""
        if pasted.unpacked(values, self.bot.adapter) or values["secret"] == found:
            values.update(before)
            self._refuse("key_file", NOT_THE_FILE.format(exchange=self.bot.adapter.name))
            return False
        return True
