"""What support writes beside an act."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db import transaction

from accounts.flows.add_customer import add_customer, invite
from accounts.identifiers import CLIENT_ID_MAX, canonical, folded
from accounts.models import User
from accounts.slips import refuse_secrets

_REASON_MAX = 500


_KEPT = "Kept for good with the event: name nobody, and write no address. The customer does not see it."
SECRET_IN_REASON = "This looks like a key or a secret. A reason is kept for good: leave it out."  # noqa: S105


class ReasonField(forms.CharField):
    """A sentence or two. What looks like a secret is refused: nothing can be taken out of an event again."""

    def __init__(self, *, help_text: str = _KEPT, sentence: str = SECRET_IN_REASON, **options: Any) -> None:
        super().__init__(
            max_length=_REASON_MAX,
            help_text=help_text,
            widget=forms.Textarea(attrs={"rows": 3}),
            validators=[refuse_secrets(sentence)],
            **options,
        )


class ReasonForm(forms.Form):
    reason = ReasonField()


class NoteForm(forms.Form):
    """With what the page showed, as in `ActForm`."""

    note = ReasonField(help_text=f"What was found out. {_KEPT}")
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class ActForm(ReasonForm):
    """What every act asks for. `sure` is the sentence to be ticked, where the act cannot be taken back."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    field_order: tuple[str, ...] = ("reason", "sure", "seen")

    def __init__(
        self, data: Mapping[str, Any] | None, *, seen: str = "", sure: str, auto_id: str = "id_%s"
    ) -> None:
        super().__init__(data, initial={"seen": seen}, auto_id=auto_id)
        if sure:
            self.fields["sure"] = forms.BooleanField(
                label=sure, error_messages={"required": "Tick this to go on."}
            )
            self.order_fields(self.field_order)


class StartChangeForm(ReasonForm):
    new_email = forms.EmailField(
        label="New address",
        max_length=254,
        error_messages={"invalid": "This is no email address. It looks like name@example.com."},
    )

    field_order = ("new_email", "reason")


class CloseForm(forms.Form):
    """The User ID is typed by hand: what follows cannot be taken back."""

    reason = ReasonField()
    client_id = forms.CharField(label="User ID", help_text="Type it, to be sure whom you close.")

    def __init__(self, customer: User, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.customer = customer

    def clean_client_id(self) -> str:
        typed = canonical(self.cleaned_data["client_id"])
        if folded(typed) != folded(self.customer.client_id or ""):
            raise forms.ValidationError("This is not the User ID of this customer. Nothing was changed.")
        return typed


class AddCustomerForm(forms.Form):
    client_id = forms.CharField(
        label="User ID",
        max_length=CLIENT_ID_MAX,
        help_text="Such as 0x1A2 / JaneDoe. It begins every BOT ID of this customer, and stays.",
    )
    name = forms.CharField(label="Name", max_length=150, required=False)
    email = forms.EmailField(
        label="Primary address",
        max_length=254,
        help_text="Codes and private mail go there and nowhere else.",
        error_messages={"invalid": "This is no email address. It looks like name@example.com."},
    )
    invite = forms.BooleanField(label="Send the welcome mail", required=False, initial=True)

    def clean_client_id(self) -> str:
        typed = canonical(self.cleaned_data["client_id"])
        if not typed.isprintable():
            raise forms.ValidationError("This holds characters that cannot be shown.")
        return typed

    @transaction.atomic
    def save(self, *, actor: User, address: str) -> User:
        """Raises what `add_customer` raises."""
        made = self.cleaned_data
        customer = add_customer(
            client_id=made["client_id"], name=made["name"], email=made["email"], actor=actor, address=address
        )
        if made["invite"]:
            invite(customer, ())
        return customer
