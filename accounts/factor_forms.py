"""Forms about second factors."""

from typing import Any

from django import forms

from accounts.flows.factors import Answer, Asked
from accounts.forms import CodeForm

# What a browser answers for a passkey is some 500 characters; attestations of hardware keys are longer.
_CREDENTIAL_MAX = 20_000


class AppCodeForm(CodeForm):
    """The six digits of an authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = "From your authenticator app. Spaces are fine."
        self.fields["code"].error_messages["required"] = "Type the six digits that the app shows now."

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        return super().clean_code() if code else ""


class FactorForm(AppCodeForm):
    """One of three answers. Each has a form of its own on the page; only what was sent is looked at."""

    recovery_code = forms.CharField(
        label="Recovery code",
        help_text="Such as k7qf-2mxp-9dra. Each works once. Hyphens and letter case do not matter.",
        max_length=60,
        error_messages={"required": "Type one of your recovery codes."},
        widget=forms.TextInput(
            attrs={
                "class": "key notranslate",
                "translate": "no",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    passkey = forms.CharField(
        max_length=_CREDENTIAL_MAX,
        error_messages={"required": "The browser gave no passkey. Try again, or use another way."},
        widget=forms.HiddenInput,
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.sent = next((asked for asked in Asked if asked.value in self.data), Asked.APP)
        for name, field in self.fields.items():
            field.required = name == self.sent.value

    @property
    def answer(self) -> Answer:
        return Answer(self.sent, self.cleaned_data[self.sent.value])


class PasskeyForm(forms.Form):
    """A passkey that the browser has just made. The name is the person's own."""

    name = forms.CharField(
        label="Name of the passkey",
        help_text="One you will know again, such as “Laptop” or “Blue key”.",
        max_length=64,
    )
    passkey = forms.CharField(
        max_length=_CREDENTIAL_MAX,
        error_messages={"required": "The browser made no passkey. Try again, or add an authenticator app."},
        widget=forms.HiddenInput,
    )


class StaffStartForm(forms.Form):
    email = forms.EmailField(
        label="Email address",
        max_length=254,
        error_messages={"invalid": "This is no email address. It looks like name@example.com."},
        widget=forms.EmailInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    code = forms.CharField(
        label="Code from the mail",
        help_text="Four groups of four characters. Hyphens and letter case do not matter.",
        max_length=60,
        widget=forms.TextInput(
            attrs={
                "class": "key notranslate",
                "translate": "no",
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
