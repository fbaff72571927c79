"""A first or forgotten password."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import code_page, codes, limits, tickets
from accounts.access import limited
from accounts.addresses import client_address
from accounts.codes import Verdict
from accounts.flows import set_password as flow
from accounts.forms import CodeForm, HelpForm, NewPasswordForm
from accounts.mail_domains import is_known_by_name
from accounts.models import Purpose


@require_http_methods(["GET", "HEAD", "POST"])
def help_(request: HttpRequest) -> HttpResponse:
    form = HelpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        ticket = flow.ask(
            request=request,
            client_id=form.cleaned_data["client_id"],
            email=form.cleaned_data["email"],
            address=client_address(request),
        )
        response = redirect("accounts:help_code")
        tickets.keep(response, ticket)
        return response
    notice = "That attempt has ended. Start again here." if "again" in request.GET else ""
    to_microsoft = is_known_by_name(form.data.get("email", ""))
    return render(
        request, "accounts/help.html", {"form": form, "notice": notice, "to_microsoft": to_microsoft}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@limited(POST=limits.ENTRANCE_FORMS)
def code(request: HttpRequest) -> HttpResponse:
    ticket = tickets.held(request)
    attempt = codes.find(ticket, Purpose.SET_PASSWORD) if ticket else None
    if ticket is None or attempt is None:
        return _start_again()
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        judgement = flow.enter_code(
            ticket=ticket, code=form.cleaned_data["code"], address=client_address(request)
        )
        if judgement.verdict is Verdict.RIGHT:
            return redirect("accounts:new_password")
        if judgement.verdict is Verdict.ENDED:
            return _start_again()
        form.add_error("code", code_page.wrong_code(judgement.tries_left))
        attempt = codes.find(ticket, Purpose.SET_PASSWORD)
    return render(request, "accounts/code.html", code_page.context(form, attempt, Purpose.SET_PASSWORD))


@require_POST
@limited(POST=limits.ENTRANCE_FORMS)
def code_again(request: HttpRequest) -> HttpResponse:
    ticket = tickets.held(request)
    if ticket is None or not codes.again(ticket, Purpose.SET_PASSWORD):
        return _start_again()
    return redirect("accounts:help_code")


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest) -> HttpResponse:
    ticket = tickets.held(request)
    if ticket is None or codes.proved_by(ticket, Purpose.SET_PASSWORD) is None:
        return _start_again()
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not flow.finish(
            ticket=ticket, password=form.cleaned_data["password"], address=client_address(request)
        ):
            return _start_again()
        response = redirect(reverse("accounts:sign_in", query={"password": 1}))
        tickets.drop(response)
        return response
    return render(request, "accounts/new_password.html", {"form": form})


def _start_again() -> HttpResponse:
    response = redirect(reverse("accounts:help", query={"again": 1}))
    tickets.drop(response)
    return response
