"""A key that waits because it belongs to another exchange account than the bot's key before."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.addresses import client_address
from accounts.desk.forms import ReasonForm
from accounts.desk.page import agent, require
from accounts.roles import Act, may
from apikeys.flows import settle_account as flow
from apikeys.models import ApiKey


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def account(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Confirm or turn down, with a reason."""
    if not request.user.has_perm("apikeys.view_apikey"):
        raise PermissionDenied
    key = get_object_or_404(ApiKey.objects.select_related("bot__customer").defer("sealed"), pk=key_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        require(request, Act.SETTLE_ACCOUNT)
        if form.is_valid() and _done(request, key.pk, form.cleaned_data["reason"]):
            return redirect("admin:apikeys_apikey_change", key.pk)
    context = {
        "opts": ApiKey._meta,
        "title": f"Exchange account of {key}",
        "key": key,
        "known": flow.known_account(key),
        "named": flow.named_account(key),
        "is_held": flow.is_held(key),
        "form": form if may(request.user, Act.SETTLE_ACCOUNT) else None,
    }
    return TemplateResponse(
        request, "admin/apikeys/apikey/account.html", admin.site.each_context(request) | context
    )


def _done(request: HttpRequest, key_id: UUID, reason: str) -> bool:
    """False: no act of this page was asked for."""
    act = {"confirm": flow.confirm, "turn_down": flow.turn_down}.get(request.POST.get("act", ""))
    if act is None:
        return False
    try:
        act(key_id=key_id, staff=agent(request), reason=reason, address=client_address(request))
    except flow.NotHeldError:
        messages.warning(request, "This key does not wait any more. Nothing was changed.")
    else:
        messages.success(request, "Done. The customer's page shows it within seconds.")
    return True
