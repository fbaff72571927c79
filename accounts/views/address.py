"""A new primary address is confirmed by its owner, or cancelled by the owner of the old one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import limits, tickets
from accounts.access import SignedInRequest, signed_in
from accounts.addresses import client_address
from accounts.flows import change_address as flow
from accounts.flows.change_address import Outcome
from accounts.forms import AddressConfirmForm
from accounts.mail_domains import is_known_by_name

_LIVE_MINUTES = int(limits.CODE_LIFE.total_seconds()) // 60
_WRONG = (
    "User ID, address and code do not belong together, or the code has been tried too often or is older than"
    f" {_LIVE_MINUTES} minutes. Check all three, or have a new code mailed."
)
_TAKEN = (
    "This address belongs to another account by now, so it cannot become yours. Your old primary address"
    " stays as it is. Write to support if both accounts are yours."
)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Without a code one is mailed; with a right one the hold begins."""
    data = request.POST.copy() if request.method == "POST" else None
    if data is not None and "again" in data:
        data["code"] = ""
    form = AddressConfirmForm(data)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form)
    pair = {"client_id": form.cleaned_data["client_id"], "email": form.cleaned_data["email"]}
    if not form.cleaned_data["code"]:
        ticket = flow.ask(request=request, **pair, address=client_address(request))
        response = _page(request, form, asked=True)
        tickets.keep(response, ticket)
        return response
    outcome = flow.confirm(
        **pair,
        code=form.cleaned_data["code"],
        ticket=tickets.held(request),
        address=client_address(request),
    )
    if outcome is Outcome.CONFIRMED:
        response = redirect(reverse("accounts:address_confirm", query={"confirmed": 1}))
        tickets.drop(response)
        return response
    form.add_error(None, _TAKEN if outcome is Outcome.TAKEN else _WRONG)
    return _page(request, form)


@require_POST
@signed_in
def cancel(request: SignedInRequest) -> HttpResponse:
    change = request.user.address_changes.open().first()
    if change and flow.cancel(change=change, actor=request.user, address=client_address(request)):
        messages.info(request, "The change is cancelled. Your primary address stays as it is.")
    else:
        messages.info(request, "No change of your primary address is under way.")
    return redirect("accounts:security")


def _page(request: HttpRequest, form: AddressConfirmForm, *, asked: bool = False) -> HttpResponse:
    context = {
        "form": form,
        "asked": asked,
        "confirmed": request.method != "POST" and "confirmed" in request.GET,
        "live_minutes": _LIVE_MINUTES,
        "to_microsoft": is_known_by_name(form.data.get("email", "")),
    }
    return render(request, "accounts/address_confirm.html", context)
