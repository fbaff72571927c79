"""A key that waits because it belongs to another exchange account than the bot's key before."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.acts import By, NotPossibleError
from accounts.addresses import client_address
from accounts.desk.forms import ActForm
from accounts.desk.page import agent, require
from accounts.roles import Act, may
from apikeys.flows import settle_account as flow
from apikeys.models import ApiKey
from apikeys.status import KeyStatus


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def account(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Confirm or turn down, with a reason."""
    if not request.user.has_perm("apikeys.view_apikey"):
        raise PermissionDenied
    key = get_object_or_404(ApiKey.objects.select_related("bot__customer").defer("sealed"), pk=key_id)
    form = _form(request, key)
    if request.method == "POST":
        require(request, Act.SETTLE_ACCOUNT)
        if form.is_valid() and _done(request, key.pk, form):
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


def _form(request: HttpRequest, key: ApiKey) -> ActForm:
    """To turn down the account of a key in use ends it for good, and asks for a tick."""
    is_in_use = key.status == KeyStatus.ACTIVE
    sure = f"To turn it down: revoke the key ending …{key.last_four}" if is_in_use else ""
    form = ActForm(request.POST if request.method == "POST" else None, seen=flow.shown(key), sure=sure)
    form.use_required_attribute = False  # the button that is pressed tells whether the tick is needed
    if is_in_use:
        form.fields["sure"].required = request.POST.get("act") == "turn_down"
    return form


def _done(request: HttpRequest, key_id: UUID, form: ActForm) -> bool:
    """False: no act of this page was asked for."""
    act = {"confirm": flow.confirm, "turn_down": flow.turn_down}.get(request.POST.get("act", ""))
    if act is None:
        return False
    given = form.cleaned_data
    try:
        act(key_id=key_id, by=By(agent(request), client_address(request), given["reason"], given["seen"]))
    except NotPossibleError as reason:
        messages.warning(request, f"{reason} Nothing was changed.")
    else:
        messages.success(request, "Done. The customer's page shows it within seconds.")
    return True
