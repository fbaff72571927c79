"""What was sent from the desk without a proof of the last hour is shown again, to be sent once more."""

from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

_OWN = "csrfmiddlewaretoken"


@dataclass(frozen=True, slots=True)
class Typed:
    name: str
    value: str

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").capitalize()

    @property
    def is_text(self) -> bool:
        """Written by somebody, who may want to read it again. The rest are ticks, buttons and numbers."""
        return any(character.isspace() for character in self.value)


def show_again(request: HttpRequest) -> HttpResponse:
    """Nothing is done. Files are to be chosen again, since a page cannot give one back."""
    sent = request.POST.lists()
    typed = [Typed(name, value) for name, values in sent if name != _OWN for value in values]
    context = {
        "title": "Prove that it is you, then send this again",
        "typed": typed,
        "files": list(request.FILES),
    }
    return TemplateResponse(
        request, "admin/send_again.html", admin.site.each_context(request) | context, status=403
    )
