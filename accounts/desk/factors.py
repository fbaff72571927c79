"""Second factors of a person, staff included: everybody at the desk sees which, a lead resets lost ones."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.addresses import client_address
from accounts.desk.forms import ReasonForm
from accounts.desk.page import agent, require, require_look, show
from accounts.devices import has_factor
from accounts.flows import factors as flow
from accounts.models import User
from accounts.roles import Act, may


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def factors(request: HttpRequest, person_pk: int) -> HttpResponse:
    require_look(request)
    person = get_object_or_404(User, pk=person_pk)
    is_self = person.pk == request.user.pk
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        require(request, Act.RESET_FACTORS)
        if is_self:
            form.add_error(None, "Nobody resets their own second factors. Ask another lead.")
        elif form.is_valid():
            done = flow.reset(
                person=person,
                by=agent(request),
                reason=form.cleaned_data["reason"],
                address=client_address(request),
            )
            if done:
                messages.success(request, "Reset. Every session ended, and a mail tells the person.")
            else:
                messages.warning(request, "There was no second factor any more. Nothing was changed.")
            return redirect("admin:person_factors", person_pk)
    return show(
        request,
        "admin/accounts/user/factors.html",
        person,
        title=f"Second factors of {person}",
        factors=flow.of(person),
        has_factor=has_factor(person),
        is_self=is_self,
        form=form if may(request.user, Act.RESET_FACTORS) and not is_self else None,
    )
