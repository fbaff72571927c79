"""Sign in with password, code and second factor, and sign out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import code_page, codes, destination, factor_page, limits, tickets
from accounts.access import limited
from accounts.addresses import client_address
from accounts.codes import Verdict
from accounts.factor_forms import FactorForm
from accounts.flows import sign_in as flow
from accounts.forms import CodeForm, SignInForm
from accounts.mail_domains import is_known_by_name
from accounts.models import Purpose

_NOTICES = {
    "ended": "Your session has ended, so that nobody else can go on with it. Please sign in again.",
    "out": "You are signed out.",
    "password": "Your password is set, and every session was ended. Sign in with it now.",
    "again": "That sign-in has ended. Start again here, and a new code is mailed.",
}


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(destination.wanted(request))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            ticket = flow.check_password(
                request=request,
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password"],
                address=client_address(request),
            )
        except flow.WrongPasswordError:
            form.add_error(
                None, "Email address and password do not belong together. Check both, then try again."
            )
        else:
            response = redirect(reverse("accounts:code", query=destination.kept(request)))
            tickets.keep(response, ticket)
            return response
    notice = next((words for name, words in _NOTICES.items() if name in request.GET), "")
    to_microsoft = is_known_by_name(form.data.get("email", ""))
    return render(
        request, "accounts/sign_in.html", {"form": form, "notice": notice, "to_microsoft": to_microsoft}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@limited(POST=limits.ENTRANCE_FORMS)
def code(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(destination.wanted(request))
    ticket = tickets.held(request)
    attempt = codes.find(ticket, Purpose.SIGN_IN) if ticket and request.method != "POST" else None
    if ticket is None or (request.method != "POST" and attempt is None):
        return _start_again()
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        judgement = flow.enter_code(
            request=request, ticket=ticket, code=form.cleaned_data["code"], address=client_address(request)
        )
        if judgement.verdict is Verdict.RIGHT and judgement.needs_more:
            return redirect(reverse("accounts:factor", query=destination.kept(request)))
        if judgement.verdict is Verdict.RIGHT:
            response = redirect(destination.wanted(request))
            tickets.drop(response)
            return response
        if judgement.verdict is Verdict.ENDED:
            return _start_again()
        form.add_error("code", code_page.wrong_code(judgement.tries_left))
    attempt = attempt or codes.find(ticket, Purpose.SIGN_IN)
    return render(request, "accounts/code.html", code_page.context(form, attempt, Purpose.SIGN_IN))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@limited(POST=limits.ENTRANCE_FORMS)
def factor(request: HttpRequest) -> HttpResponse:
    """The second factor, after a right code."""
    ticket = tickets.held(request)
    user = codes.proved_by(ticket, Purpose.SIGN_IN) if ticket else None
    if ticket is None or user is None:
        return _start_again()
    form = FactorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        verdict = flow.enter_factor(
            request=request, ticket=ticket, answer=form.answer, address=client_address(request)
        )
        if verdict is Verdict.RIGHT:
            response = redirect(destination.wanted(request))
            tickets.drop(response)
            return response
        if verdict is Verdict.ENDED:
            return _start_again()
        form.add_error(form.sent.value, factor_page.WRONG[form.sent.value])
    page = factor_page.context(form, user, flow.factor_challenge(ticket))
    return render(request, "accounts/factor.html", page)


@require_POST
@limited(POST=limits.ENTRANCE_FORMS)
def code_again(request: HttpRequest) -> HttpResponse:
    ticket = tickets.held(request)
    if ticket is None or not codes.again(ticket, Purpose.SIGN_IN):
        return _start_again()
    return redirect(reverse("accounts:code", query=destination.kept(request)))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    flow.sign_out(request=request, address=client_address(request))
    return redirect(reverse("accounts:sign_in", query={"out": 1}))


def _start_again() -> HttpResponse:
    response = redirect(reverse("accounts:sign_in", query={"again": 1}))
    tickets.drop(response)
    return response
