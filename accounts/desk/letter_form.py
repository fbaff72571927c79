"""The form of a letter. What looks like a key or a code in it is told before it goes out."""

import re
import uuid
from hashlib import sha256
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from accounts.slips import slips_in
from notifications.outbox import Pdf

_MEGABYTES = settings.LETTER_PDF_MAX // (1024 * 1024)
TOO_LARGE = f"This file has more than {_MEGABYTES} megabytes. Nothing was sent."
NO_PDF = "This is no PDF. Save it as one, and choose it again."
_UNPLAIN = re.compile(r"[^A-Za-z0-9._ -]+")


class LetterForm(forms.Form):
    """`cleaned_data["pdf"]` is a Pdf or None. `slips`: what the writer has to look at and tick off.

    A tick counts for what was named beside it, which `named` stands for: not one that came before anything
    was named, nor one for what has been changed since.
    """

    subject = forms.CharField(max_length=150)
    text = forms.CharField(
        max_length=10_000,
        help_text="To the primary address, with the User ID below it. Never ask for a key or a code.",
        widget=forms.Textarea(attrs={"rows": 12}),
    )
    pdf = forms.FileField(
        label="PDF",
        required=False,
        help_text=f"Such as an invoice. At most {_MEGABYTES} megabytes.",
        widget=forms.FileInput(attrs={"accept": ".pdf,application/pdf"}),
    )
    draft = forms.UUIDField(widget=forms.HiddenInput)
    named = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"draft": uuid.uuid4()})
        self.slips: list[str] = []
        if self.data.get("draft"):
            typed = f"{self.data.get('subject', '')}\n{self.data.get('text', '')}"
            self.slips = slips_in(typed)
        if self.slips:
            named = sha256("\n".join(self.slips).encode()).hexdigest()
            if self.data.get("named") != named:
                self.data = {name: self.data.get(name) for name in self.data if name != "sure"} | {
                    "named": named
                }
            self.fields["sure"] = forms.BooleanField(
                label="I have looked: none of this is a key, a secret or a code",
                error_messages={
                    "required": "Look at what is named above, then tick this, or change the text."
                },
            )

    def clean_subject(self) -> str:
        subject: str = self.cleaned_data["subject"]
        if not subject.isprintable():
            raise forms.ValidationError("This holds characters that cannot be shown.")
        return subject

    def clean_pdf(self) -> Pdf | None:
        file: UploadedFile[Any] | None = self.cleaned_data["pdf"]
        if file is None:
            return None
        if (file.size or 0) > settings.LETTER_PDF_MAX:
            raise forms.ValidationError(TOO_LARGE)
        content = file.read()
        if not (content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]):
            raise forms.ValidationError(NO_PDF)
        stem = _UNPLAIN.sub("-", (file.name or "").removesuffix(".pdf")).strip(" .-")[:80]
        return Pdf(f"{stem or 'document'}.pdf", content)
