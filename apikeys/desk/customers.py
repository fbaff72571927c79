"""Customers and their bots come in at the desk: one by a form, many by a file that is looked at first."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.addresses import client_address
from accounts.desk.forms import AddCustomerForm
from accounts.desk.page import agent, customer_or_404, require, require_look, show
from accounts.flows import add_customer as adding
from accounts.models import User
from accounts.roles import Act, may
from apikeys.bot_forms import AddBotForm
from apikeys.desk.import_form import ImportForm
from apikeys.flows import import_customers as importing
from apikeys.flows.add_bot import TAKEN, BotIdTakenError, CustomerLeftError, add_bot


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def add_customer(request: HttpRequest) -> HttpResponse:
    require_look(request)
    require(request, Act.ADD_CUSTOMERS)
    form = AddCustomerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        made = form.cleaned_data
        try:
            customer = form.save(actor=agent(request), address=client_address(request))
        except adding.IdTakenError:
            form.add_error("client_id", "Another customer has this User ID.")
        except adding.AddressTakenError:
            form.add_error("email", "This is the address of another person.")
        else:
            told = "The welcome mail is on its way." if made["invite"] else "No mail was sent."
            messages.success(request, f"{customer} is a customer now. {told}")
            return redirect("admin:accounts_user_change", customer.pk)
    return _show(request, "admin/accounts/user/add.html", title="Add a customer", form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def import_customers(request: HttpRequest) -> HttpResponse:
    """A file is looked at first, and done with a second click. What is done then is all of it or nothing."""
    require_look(request)
    require(request, Act.ADD_CUSTOMERS)
    is_sent = request.method == "POST"
    form = ImportForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    result: importing.Result | None = None
    problems: tuple[str, ...] = ()
    if is_sent and form.is_valid():
        text = form.cleaned_data["text"]
        try:
            if request.POST.get("act") == "import":
                done = importing.import_customers(
                    text,
                    invite=form.cleaned_data["invite"],
                    actor=agent(request),
                    address=client_address(request),
                )
                counts = f"{done.new_customers} new customers, {done.new_bots} new bots"
                messages.success(request, f"Imported: {counts}, {done.rows} rows read.")
                return redirect("admin:accounts_user_changelist")
            result = importing.preview(text)
        except importing.RowError as error:
            problems = error.problems
    return _show(
        request,
        "admin/accounts/user/import.html",
        title="Import customers",
        form=form,
        columns=importing.COLUMNS,
        result=result,
        problems=problems,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def launch_bot(request: HttpRequest, customer_pk: int) -> HttpResponse:
    """A bot that nobody had to ask for."""
    customer = customer_or_404(request, customer_pk)
    form = AddBotForm(customer, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        require(request, Act.LAUNCH_BOT)
        if form.is_valid():
            exchange, market = form.cleaned_data["where"]
            try:
                bot = add_bot(
                    customer=customer,
                    bot_id=form.cleaned_data["bot_id"],
                    exchange=exchange,
                    market=market,
                    actor=agent(request),
                    address=client_address(request),
                )
            except BotIdTakenError:
                form.add_error("bot_id", TAKEN)
            except CustomerLeftError:
                messages.warning(request, "This account is closed. Nothing was changed.")
                return redirect("admin:accounts_user_change", customer_pk)
            else:
                messages.success(request, f"{bot} is launched, and the customer is told by mail.")
                return redirect("admin:accounts_user_change", customer_pk)
    return show(
        request,
        "admin/apikeys/bot/launch.html",
        customer,
        title=f"Launch a bot for {customer}",
        form=form if customer.is_active and may(request.user, Act.LAUNCH_BOT) else None,
    )


def _show(request: HttpRequest, template: str, **context: object) -> HttpResponse:
    shared = {**admin.site.each_context(request), "opts": User._meta}
    return TemplateResponse(request, template, shared | context)
