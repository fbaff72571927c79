"""Ends engine tokens that were chosen from their list. One page, so that a lost one is ended in a hurry."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.acts import By
from accounts.addresses import client_address
from accounts.desk.forms import ReasonForm
from accounts.desk.page import agent, require
from accounts.roles import Act
from apikeys.flows.revoke_tokens import revoke_tokens
from apikeys.models import EngineToken

# More digits than that is no primary key.
_DIGITS = 18


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def tokens_revoke(request: HttpRequest) -> HttpResponse:
    """`of` in the address, once for each token, tells which."""
    require(request, Act.MANAGE_ENGINE_TOKENS)
    pks = [int(pk) for pk in request.GET.getlist("of") if pk.isdecimal() and len(pk) <= _DIGITS]
    tokens = list(EngineToken.objects.filter(pk__in=pks, revoked_at=None).order_by("pk"))
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if not tokens:
        messages.warning(request, "None of them is alive any more. Nothing was changed.")
        return redirect("admin:apikeys_enginetoken_changelist")
    if request.method == "POST" and form.is_valid():
        by = By(agent(request), client_address(request), form.cleaned_data["reason"])
        number = revoke_tokens(token_pks=pks, by=by)
        messages.success(request, f"{number} revoked. They are refused from the next request on.")
        return redirect("admin:apikeys_enginetoken_changelist")
    context = {"opts": EngineToken._meta, "title": "Revoke engine tokens", "tokens": tokens, "form": form}
    return TemplateResponse(
        request, "admin/apikeys/enginetoken/revoke.html", admin.site.each_context(request) | context
    )
