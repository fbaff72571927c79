"""The primary address of a customer: support starts and cancels a change, a second lead shortens its hold."""

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.acts import NotPossibleError
from accounts.addresses import client_address
from accounts.desk.forms import ActForm, StartChangeForm
from accounts.desk.page import agent, customer_or_404, require, show
from accounts.flows import change_address as flow
from accounts.models import AddressChange, MailDomain, User
from accounts.roles import Act, may


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def address(request: HttpRequest, customer_pk: int) -> HttpResponse:
    customer = customer_or_404(request, customer_pk)
    act = request.POST.get("act", "")
    change = customer.address_changes.open().first()
    start = StartChangeForm(request.POST if act == "start" else None)
    shorten, cancel = (_about(request, change, name) for name in ("shorten", "cancel"))
    if request.method == "POST":
        form: Form = {"shorten": shorten, "cancel": cancel}.get(act, start)
        require(request, Act.SHORTEN_HOLD if act == "shorten" else Act.CHANGE_ADDRESS)
        try:
            if _done(request, act, customer, change, form):
                return redirect("admin:customer_address", customer_pk)
        except NotPossibleError as reason:
            if act == "start":
                form.add_error(None, str(reason))
            else:
                # Where the change is gone, so is the form that could tell.
                messages.warning(request, f"{reason} Nothing was changed.")
                return redirect("admin:customer_address", customer_pk)
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
        cancel=cancel if may_change else None,
        shorten=shorten if change and change.due_at and may(request.user, Act.SHORTEN_HOLD) else None,
        run_by_microsoft=MailDomain.objects.run_by_microsoft(customer.email),
    )


def _about(request: HttpRequest, change: AddressChange | None, act: str) -> ActForm:
    """For what is done to one change and to no other: the page can be older than a new one."""
    sure = f"Let {change.new_email} count now" if change and act == "shorten" else ""
    sent = request.POST if request.POST.get("act") == act else None
    return ActForm(sent, seen=str(change.pk) if change else "", sure=sure, auto_id=f"{act}_%s")


def _done(
    request: HttpRequest,
    act: str,
    customer: User,
    change: AddressChange | None,
    form: Form,
) -> bool:
    """False: the form has errors. Raises NotPossibleError."""
    actor, place = agent(request), client_address(request)
    if not form.is_valid():
        return False
    if act == "start":
        flow.start(customer=customer, **form.cleaned_data, actor=actor, address=place)
        messages.success(request, "Started. A notice went to the old address, a code to the new one.")
        return True
    reason, seen = form.cleaned_data["reason"], form.cleaned_data["seen"]
    if change is None or seen != str(change.pk):
        raise NotPossibleError("The change that you saw is not under way any more: look at what is now.")
    if act == "shorten":
        flow.shorten(change=change, reason=reason, actor=actor, address=place)
        messages.success(request, f"{change.new_email} counts within seconds, and every session ends.")
    elif flow.cancel(change=change, actor=actor, address=place, reason=reason):
        messages.success(request, f"Cancelled. {change.new_email} does not count.")
    else:
        raise NotPossibleError("This change is over already.")
    return True
