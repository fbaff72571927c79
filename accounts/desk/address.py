"""The primary address of a customer: support starts and cancels a change, a second lead shortens its hold."""

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.addresses import client_address
from accounts.desk.forms import ReasonForm, StartChangeForm
from accounts.desk.page import agent, customer_or_404, require, show
from accounts.flows import change_address as flow
from accounts.models import AddressChange, MailDomain, User
from accounts.roles import Act, may


@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest, customer_pk: int) -> HttpResponse:
    customer = customer_or_404(request, customer_pk)
    act = request.POST.get("act", "")
    change = customer.address_changes.open().first()
    start = StartChangeForm(request.POST if act == "start" else None)
    shorten = ReasonForm(request.POST if act == "shorten" else None, auto_id="shorten_%s")
    if request.method == "POST":
        form: Form = shorten if act == "shorten" else start
        require(request, Act.SHORTEN_HOLD if act == "shorten" else Act.CHANGE_ADDRESS)
        try:
            if _done(request, act, customer, change, start, shorten):
                return redirect("admin:customer_address", customer_pk)
        except flow.NotPossibleError as reason:
            form.add_error(None, str(reason))
    may_change = may(request.user, Act.CHANGE_ADDRESS)
    changes = customer.address_changes.select_related("started_by", "shortened_by").order_by("-started_at")
    return show(
        request,
        "admin/accounts/user/address.html",
        customer,
        title=f"Primary address of {customer}",
        change=change,
        past=changes.exclude(status__in=AddressChange.OPEN)[:20],
        start=start if may_change and customer.is_active and (start.errors or not change) else None,
        may_cancel=may_change,
        shorten=shorten if change and change.due_at and may(request.user, Act.SHORTEN_HOLD) else None,
        run_by_microsoft=MailDomain.objects.run_by_microsoft(customer.email),
    )


def _done(
    request: HttpRequest,
    act: str,
    customer: User,
    change: AddressChange | None,
    start: StartChangeForm,
    shorten: ReasonForm,
) -> bool:
    """False: a form has errors. Raises flow.NotPossibleError."""
    actor, place = agent(request), client_address(request)
    if act == "start":
        if not start.is_valid():
            return False
        flow.start(customer=customer, **start.cleaned_data, actor=actor, address=place)
        messages.success(request, "Started. A notice went to the old address, a code to the new one.")
    elif change is None:
        messages.warning(request, "No change is under way any more.")
    elif act == "shorten":
        if not shorten.is_valid():
            return False
        flow.shorten(change=change, **shorten.cleaned_data, actor=actor, address=place)
        messages.success(request, "The new address counts within seconds, and every session ends.")
    elif act == "cancel" and flow.cancel(change=change, actor=actor, address=place):
        messages.success(request, "Cancelled. The primary address stays as it is.")
    return True
