"""First sign-in of a member of staff: the mailed code, then a password, then a second factor."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import codes, limits, tickets
from accounts.access import limited
from accounts.addresses import client_address
from accounts.factor_forms import StaffStartForm
from accounts.flows import staff as flow
from accounts.forms import NewPasswordForm
from accounts.models import Purpose


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@limited(POST=limits.ENTRANCE_FORMS)
def start(request: HttpRequest) -> HttpResponse:
    form = StaffStartForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        ticket = flow.enter_code(email=form.cleaned_data["email"], code=form.cleaned_data["code"])
        if ticket:
            response = redirect("accounts:staff_password")
            tickets.keep(response, ticket)
            return response
        form.add_error(
            None, "Address and code do not belong together, or the code is older than 24 hours or was used."
        )
    return render(request, "accounts/staff_start.html", {"form": form})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    ticket = tickets.held(request)
    if ticket is None or codes.proved_by(ticket, Purpose.STAFF_START) is None:
        return redirect("accounts:staff_start")
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = flow.set_up(
            request=request,
            ticket=ticket,
            password=form.cleaned_data["password"],
            address=client_address(request),
        )
        if user is None:
            return redirect("accounts:staff_start")
        is_in = request.user.is_authenticated
        response = redirect(
            reverse("accounts:factors") if is_in else reverse("accounts:sign_in", query={"password": 1})
        )
        tickets.drop(response)
        return response
    return render(request, "accounts/new_password.html", {"form": form})
