"""What support writes beside an act."""

from collections.abc import Mapping
from typing import Any

from django import forms

from accounts.identifiers import canonical, folded
from accounts.models import User

_REASON_MAX = 500


_KEPT = "Kept for good with the event: name nobody, and write no address. The customer does not see it."


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=_REASON_MAX, help_text=_KEPT, widget=forms.Textarea(attrs={"rows": 3})
    )


class NoteForm(forms.Form):
    note = forms.CharField(
        max_length=_REASON_MAX,
        help_text=f"What was found out. {_KEPT}",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ActForm(ReasonForm):
    """What every act asks for. `sure` is the sentence to be ticked, where the act cannot be taken back."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    field_order: tuple[str, ...] = ("reason", "sure", "seen")

    def __init__(
        self, data: Mapping[str, Any] | None, *, seen: str = "", sure: str, auto_id: str = "id_%s"
    ) -> None:
        super().__init__(data, initial={"seen": seen}, auto_id=auto_id)
        if sure:
            self.fields["sure"] = forms.BooleanField(label=sure)
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

    reason = forms.CharField(
        max_length=_REASON_MAX,
        help_text=_KEPT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    client_id = forms.CharField(label="User ID", help_text="Type it, to be sure whom you close.")

    def __init__(self, customer: User, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.customer = customer

    def clean_client_id(self) -> str:
        typed = canonical(self.cleaned_data["client_id"])
        if folded(typed) != folded(self.customer.client_id or ""):
            raise forms.ValidationError("This is not the User ID of this customer. Nothing was changed.")
        return typed
