"""The page on which a lead closes the account of a customer, after reading what that does."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.addresses import client_address
from accounts.desk.forms import CloseForm
from accounts.desk.page import agent, customer_or_404, require, show
from accounts.roles import Act, may
from apikeys.flows import close_customer as flow
from apikeys.models import ApiKey
from notifications.models import Mail


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def close(request: HttpRequest, customer_pk: int) -> HttpResponse:
    customer = customer_or_404(request, customer_pk)
    form = CloseForm(customer, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        require(request, Act.CLOSE_CUSTOMER)
        if form.is_valid():
            try:
                flow.close(
                    customer=customer,
                    reason=form.cleaned_data["reason"],
                    actor=agent(request),
                    address=client_address(request),
                )
            except flow.ClosedAlreadyError:
                messages.warning(request, "This account was closed before. Nothing was changed.")
            else:
                messages.success(request, "Closed. Keys are wiped, and the person is removed.")
            return redirect("admin:accounts_user_change", customer_pk)
    live = ApiKey.objects.of(customer).live()
    return show(
        request,
        "admin/accounts/user/close.html",
        customer,
        title=f"Close {customer}",
        live_keys=live.count(),
        bots=live.values("bot").distinct().count(),
        mails=Mail.objects.of(customer.pk).count(),
        closed_name=flow.closed_name(customer),
        form=form if may(request.user, Act.CLOSE_CUSTOMER) else None,
    )
