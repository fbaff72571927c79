"""Bots at the desk: launched as asked for, or declined; given to the customer that they belong to."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.addresses import client_address
from accounts.desk.page import agent, require
from accounts.roles import Act, may
from apikeys.bot_forms import BotIdForm, DeclineForm, MoveBotForm
from apikeys.flows import move_bot as moving
from apikeys.flows import request_bot as requests
from apikeys.flows.add_bot import TAKEN, BotIdTakenError, CustomerLeftError
from apikeys.models import Bot, BotRequest


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def bot_request(request: HttpRequest, request_pk: UUID) -> HttpResponse:
    """Launch what a customer asked for, or decline it with a word why."""
    if not request.user.has_perm("apikeys.view_botrequest"):
        raise PermissionDenied
    asked = get_object_or_404(BotRequest.objects.select_related("customer", "bot"), pk=request_pk)
    act = request.POST.get("act", "")
    launch = BotIdForm(asked.customer, request.POST if act == "launch" else None)
    decline = DeclineForm(request.POST if act == "decline" else None)
    if request.method == "POST":
        require(request, Act.LAUNCH_BOT)
        try:
            if _decided(request, asked, act, launch, decline):
                return redirect("admin:bot_request", request_pk)
        except (requests.DecidedAlreadyError, CustomerLeftError):
            messages.warning(request, "This was decided or taken back meanwhile. Nothing was changed.")
            return redirect("admin:bot_request", request_pk)
    is_open = asked.status == BotRequest.Status.ASKED and may(request.user, Act.LAUNCH_BOT)
    context = {
        "opts": BotRequest._meta,
        "title": f"Bot request: {asked}",
        "asked": asked,
        "sees_people": request.user.has_perm("accounts.view_user"),
        "bots": Bot.objects.filter(customer=asked.customer).order_by("bot_id"),
        "launch": launch if is_open else None,
        "decline": decline if is_open else None,
    }
    return TemplateResponse(
        request, "admin/apikeys/bot/request.html", admin.site.each_context(request) | context
    )


def _decided(
    request: HttpRequest, asked: BotRequest, act: str, launch: BotIdForm, decline: DeclineForm
) -> bool:
    who, where = agent(request), client_address(request)
    if act == "launch" and launch.is_valid():
        try:
            bot = requests.launch(
                request_id=asked.pk, bot_id=launch.cleaned_data["bot_id"], actor=who, address=where
            )
        except BotIdTakenError:
            launch.add_error("bot_id", TAKEN)
            return False
        messages.success(request, f"{bot} is launched, and the customer is told by mail.")
        return True
    if act == "decline" and decline.is_valid():
        requests.decline(request_id=asked.pk, answer=decline.cleaned_data["answer"], actor=who, address=where)
        messages.success(request, "Declined, and the customer is told by mail.")
        return True
    return False


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def bot_move(request: HttpRequest, bot_pk: int) -> HttpResponse:
    if not request.user.has_perm("apikeys.view_bot"):
        raise PermissionDenied
    bot = get_object_or_404(Bot.objects.select_related("customer"), pk=bot_pk)
    form = MoveBotForm(bot, request.POST if request.method == "POST" else None)
    has_keys = bot.keys.exists()
    if request.method == "POST":
        require(request, Act.MOVE_BOT)
        if form.is_valid():
            try:
                moving.move_bot(
                    bot=bot,
                    to=form.cleaned_data["client_id"],
                    reason=form.cleaned_data["reason"],
                    actor=agent(request),
                    address=client_address(request),
                )
            except moving.HasKeysError:
                messages.warning(request, "This bot has had a key meanwhile. Nothing was changed.")
            else:
                messages.success(request, f"The bot belongs to {form.cleaned_data['client_id']} now.")
            return redirect("admin:apikeys_bot_change", bot_pk)
    context = {
        "opts": Bot._meta,
        "title": f"Give {bot} to another customer",
        "bot": bot,
        "has_keys": has_keys,
        "form": form if not has_keys and may(request.user, Act.MOVE_BOT) else None,
    }
    return TemplateResponse(
        request, "admin/apikeys/bot/move.html", admin.site.each_context(request) | context
    )
