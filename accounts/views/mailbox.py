"""What a customer meets whose mailbox Microsoft runs, and how they ask support about it."""

from contextlib import suppress

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import gates
from accounts.access import SignedInRequest, signed_in
from accounts.acts import NotPossibleError
from accounts.addresses import client_address
from accounts.flows import clear_mailbox as flow
from accounts.forms import MailboxForm
from accounts.gates import GateKind


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mailbox(request: SignedInRequest) -> HttpResponse:
    gate = gates.gate_of(request.user)
    if gate is None or gate.kind is not GateKind.MICROSOFT_EMAIL:
        return redirect("accounts:security")
    form = MailboxForm(request.POST if request.method == "POST" else None, initial={"note": gate.note})
    if request.method == "POST" and form.is_valid():
        with suppress(NotPossibleError):  # closed meanwhile: the next page is that of the sign-in
            flow.ask(customer=request.user, note=form.cleaned_data["note"], address=client_address(request))
        return redirect("accounts:mailbox")
    return render(request, gate.template, {"nav": "bots", "gate": gate, "form": form})
