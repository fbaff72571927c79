"""A customer's Microsoft mailbox: support clears it, or keeps it, each with a note."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.acts import By, NotPossibleError
from accounts.addresses import client_address
from accounts.desk.forms import NoteForm
from accounts.desk.page import agent, customer_or_404, require, show
from accounts.flows import clear_mailbox as flow
from accounts.mail_domains import domain_of, is_known_by_name
from accounts.models import MailDomain
from accounts.roles import Act, may


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def mailbox(request: HttpRequest, customer_pk: int) -> HttpResponse:
    customer = customer_or_404(request, customer_pk)
    holds = customer.mailbox_holds.select_related("decided_by").order_by("-decided_at")
    hold = holds.filter(email__iexact=customer.email).first()
    shown = {"seen": flow.shown(customer.email, hold)}
    form = NoteForm(request.POST if request.method == "POST" else None, initial=shown)
    if request.method == "POST":
        require(request, Act.CLEAR_MAILBOX)
        if form.is_valid():
            clear = "clear" in request.POST
            by = By(
                agent(request), client_address(request), form.cleaned_data["note"], form.cleaned_data["seen"]
            )
            try:
                flow.decide(customer=customer, clear=clear, by=by)
            except NotPossibleError as reason:
                messages.warning(request, f"{reason} Nothing was changed.")
            else:
                done = "Cleared: keys can be handed over." if clear else "Kept: keys go on waiting."
                messages.success(request, done)
            return redirect("admin:customer_mailbox", customer_pk)
    domain = MailDomain.objects.filter(name=domain_of(customer.email)).first()
    return show(
        request,
        "admin/accounts/user/mailbox.html",
        customer,
        title=f"Mailbox of {customer}",
        run_by_microsoft=MailDomain.objects.run_by_microsoft(customer.email),
        known_by_name=is_known_by_name(customer.email),
        domain=domain,
        hold=hold,
        past=holds.exclude(email__iexact=customer.email),
        form=form if customer.is_active and may(request.user, Act.CLEAR_MAILBOX) else None,
    )
