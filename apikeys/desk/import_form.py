"""The file of an import, as it is uploaded, and as it comes back from the page that showed what it does."""

from typing import Any

from django import forms

# The desk answers while somebody waits. A larger file is for the command, which has all the time it needs.
ROWS_MAX = 2_000
_BYTES_MAX = 1_000_000


class ImportForm(forms.Form):
    """`cleaned_data["text"]` is the file, from the upload or from the page before."""

    file = forms.FileField(
        label="CSV file",
        required=False,
        help_text=f"UTF-8, at most {ROWS_MAX:,} rows.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    invite = forms.BooleanField(label="Send each new customer the welcome mail", required=False, initial=True)
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        file = values.get("file")
        if file is not None:
            values["text"] = self._read(file)
        elif not values.get("text"):
            raise forms.ValidationError("Choose a file.")
        if values["text"].count("\n") > ROWS_MAX + 1:
            raise forms.ValidationError(
                f"This file has more than {ROWS_MAX:,} rows. Cut it into several, or have operations run the"
                " command import_customers."
            )
        return values

    def _read(self, file: Any) -> str:
        if file.size > _BYTES_MAX:
            raise forms.ValidationError("This file has more than a megabyte. Cut it into several.")
        try:
            # utf-8-sig also reads a file without a byte-order mark.
            text: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise forms.ValidationError("This file is not UTF-8. Save it as CSV in UTF-8.") from None
        return text
