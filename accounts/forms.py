"""Forms of the entrance. They parse and say in words what is wrong; who may enter is decided by the flows."""

import re
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from accounts.identifiers import CLIENT_ID_MAX
from accounts.models import User
from accounts.slips import refuse_secrets

# To customers, in what they write to support.
SECRET_IN_NOTE = "This looks like a key. Never send one."  # noqa: S105
_BETWEEN_DIGITS = re.compile(r"[\s\-\u2010-\u2015\u2212]+")


class SignInForm(forms.Form):
    email = forms.EmailField(
        label="Email address",
        max_length=254,
        error_messages={"invalid": "This is no email address. It looks like name@example.com."},
        widget=forms.EmailInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Six-digit code",
        help_text="Paste or type it. Spaces and hyphens are fine.",
        max_length=40,
        error_messages={"max_length": "A code has six digits. This is much longer."},
        widget=forms.TextInput(
            attrs={
                "class": "code notranslate",
                "translate": "no",
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "spellcheck": "false",
            }
        ),
    )

    def clean_code(self) -> str:
        code = _BETWEEN_DIGITS.sub("", self.cleaned_data["code"])
        if not (code.isascii() and code.isdigit()):
            raise forms.ValidationError("A code is made of digits only. Look at the mail again.")
        if len(code) != 6:
            raise forms.ValidationError(f"A code has six digits. This has {len(code)}.")
        return code


class HelpForm(forms.Form):
    client_id = forms.CharField(
        label="User ID",
        help_text="It looks like 0x1A2 / JaneDoe. Spaces and letter case do not matter.",
        max_length=CLIENT_ID_MAX,
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
    email = forms.EmailField(
        label="Email address",
        help_text="The primary address of your account.",
        max_length=254,
        error_messages={"invalid": "This is no email address. It looks like name@example.com."},
        widget=forms.EmailInput(
            attrs={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


class AddressConfirmForm(CodeForm, HelpForm):
    """With a code it confirms; without one it asks for a code."""

    field_order = ("client_id", "email", "code")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "New email address"
        self.fields["email"].help_text = "The one that is to become your primary address."
        self.fields["code"].required = False
        self.fields["code"].help_text = "From the mail to the new address. None, or too old? Leave it empty."

    def clean_code(self) -> str:
        return super().clean_code() if self.cleaned_data["code"] else ""


class MailboxForm(forms.Form):
    note = forms.CharField(
        label="Anything they should know (optional)",
        help_text="For example the address you would like to use. Never a key, a password or a code.",
        max_length=500,
        required=False,
        error_messages={"max_length": "This is longer than 500 characters. Support will ask for the rest."},
        validators=[refuse_secrets(SECRET_IN_NOTE)],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        label="New password",
        help_text="Ten characters or more, and no common one. A password manager makes good ones.",
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User())
        return password
