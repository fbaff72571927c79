"""Somebody who is signed in is asked anew who they are, by their second factor or else by a mailed code."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import code_page, codes, destination, factor_keys, factor_page, limits, sessions, tickets
from accounts.access import SignedInRequest, limited, signed_in_to_enrol
from accounts.addresses import client_address
from accounts.codes import Verdict
from accounts.devices import has_factor
from accounts.factor_forms import FactorForm
from accounts.flows import confirm as flow
from accounts.forms import CodeForm
from accounts.models import Purpose


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@limited(POST=limits.ENTRANCE_FORMS)
@signed_in_to_enrol
def confirm(request: SignedInRequest) -> HttpResponse:
    if not has_factor(request.user):
        if request.method == "POST":
            return _mail_a_code(request)
        return render(request, "accounts/confirm.html", {"mails": True})
    form = FactorForm(request.POST or None)
    challenge = factor_keys.passkey_bytes("confirm", sessions.last_proof(request.session))
    if request.method == "POST" and form.is_valid():
        if flow.by_factor(
            request=request, answer=form.answer, challenge=challenge, address=client_address(request)
        ):
            return redirect(destination.wanted(request))
        form.add_error(form.sent.value, factor_page.WRONG[form.sent.value])
    return render(request, "accounts/confirm.html", factor_page.context(form, request.user, challenge))


@require_http_methods(["GET", "HEAD", "POST"])
@limited(POST=limits.ENTRANCE_FORMS)
@signed_in_to_enrol
def code(request: SignedInRequest) -> HttpResponse:
    ticket = tickets.held(request)
    attempt = codes.find(ticket, Purpose.CONFIRM) if ticket else None
    if ticket is None or attempt is None or attempt.user_id != request.user.pk:
        return _start_again(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        judgement = flow.by_code(
            request=request, ticket=ticket, code=form.cleaned_data["code"], address=client_address(request)
        )
        if judgement.verdict is Verdict.RIGHT:
            response = redirect(destination.wanted(request))
            tickets.drop(response)
            return response
        if judgement.verdict is Verdict.ENDED:
            return _start_again(request)
        form.add_error("code", code_page.wrong_code(judgement.tries_left))
        attempt = codes.find(ticket, Purpose.CONFIRM)
    return render(request, "accounts/code.html", code_page.context(form, attempt, Purpose.CONFIRM))


@require_POST
@limited(POST=limits.ENTRANCE_FORMS)
@signed_in_to_enrol
def code_again(request: SignedInRequest) -> HttpResponse:
    ticket = tickets.held(request)
    if ticket is None or not codes.again(ticket, Purpose.CONFIRM):
        return _start_again(request)
    return redirect(reverse("accounts:confirm_code", query=destination.kept(request)))


def _mail_a_code(request: SignedInRequest) -> HttpResponse:
    response = redirect(reverse("accounts:confirm_code", query=destination.kept(request)))
    tickets.keep(response, flow.ask_code(request=request))
    return response


def _start_again(request: SignedInRequest) -> HttpResponse:
    response = redirect(reverse("accounts:confirm", query=destination.kept(request)))
    tickets.drop(response)
    return response
