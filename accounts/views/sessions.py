"""Ending sessions from the security page."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts import sessions
from accounts.access import SignedInRequest, signed_in
from accounts.addresses import client_address
from accounts.flows import end_sessions as flow
from accounts.views.entrance import sign_out


@require_POST
@signed_in
def end(request: SignedInRequest) -> HttpResponse:
    session_id = request.POST.get("session", "")
    if session_id == sessions.id_of(request.session):
        return sign_out(request)
    ended = flow.end_one(
        request=request, user=request.user, session_id=session_id, address=client_address(request)
    )
    messages.info(request, "That session has ended." if ended else "That session had ended before.")
    return redirect("accounts:security")


@require_POST
@signed_in
def end_others(request: SignedInRequest) -> HttpResponse:
    flow.end_others(request=request, user=request.user, address=client_address(request))
    messages.info(request, "Every other session has ended.")
    return redirect("accounts:security")
