"""Where a customer asks for one more bot."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import limits
from accounts.access import SignedInRequest, limited, signed_in
from accounts.addresses import client_address
from apikeys.bot_forms import BotRequestForm
from apikeys.flows import request_bot as flow
from apikeys.flows.add_bot import CustomerLeftError
from apikeys.models import BotRequest


@require_http_methods(["GET", "HEAD", "POST"])
@limited(POST=limits.BOTS_ASKED)
@signed_in
def new_bot(request: SignedInRequest) -> HttpResponse:
    form = BotRequestForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and request.user.is_customer and form.is_valid():
        exchange, market = form.cleaned_data["where"]
        try:
            flow.ask(
                customer=request.user,
                exchange=exchange,
                market=market,
                note=form.cleaned_data["note"],
                address=client_address(request),
            )
        except flow.AskedAlreadyError:
            form.add_error("where", "You have asked for this already. Support answers by mail.")
        except flow.TooManyOpenError:
            form.add_error(
                None, f"Support has {flow.OPEN_AT_MOST} requests of yours to answer. Take one back first."
            )
        except CustomerLeftError:
            return redirect("apikeys:bots")  # which leads to the sign-in
        else:
            messages.success(request, "Support has your request, and answers by mail.")
            return redirect("apikeys:bots")
    return render(request, "apikeys/new_bot.html", {"nav": "bots", "form": form})


@require_POST
@limited(POST=limits.BOTS_ASKED)
@signed_in
def take_request_back(request: SignedInRequest, request_pk: UUID) -> HttpResponse:
    found = get_object_or_404(BotRequest, pk=request_pk, customer=request.user)
    try:
        flow.take_back(request_id=found.pk, customer=request.user, address=client_address(request))
    except flow.DecidedAlreadyError:
        messages.info(request, "Support has answered this request meanwhile. See your mail.")
    return redirect("apikeys:bots")
