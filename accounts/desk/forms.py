"""What support writes beside an act."""

from django import forms

from accounts.identifiers import canonical, folded
from accounts.models import User

_REASON_MAX = 500


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=_REASON_MAX,
        help_text="For those who look at this later. The customer does not see it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class NoteForm(forms.Form):
    note = forms.CharField(
        max_length=_REASON_MAX,
        help_text="What was found out. The customer does not see it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


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
        help_text="Kept for good in the audit trail: write nothing personal, such as a name or an address.",
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
