"""The page of one bot at the desk: its keys over time, the newest first."""

from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.utils.dateparse import parse_datetime

from accounts.desk.acts import offers
from apikeys.desk.acts import BOT_ACTS
from apikeys.models import ApiKey, Bot

_PAGE = 50


def bot_page(request: HttpRequest, bot_pk: str) -> TemplateResponse:
    """The desk has seen to it that this person may look at bots."""
    bots = Bot.objects.select_related("customer")
    bot = bots.filter(pk=bot_pk).first() if bot_pk.isascii() and bot_pk.isdigit() else None
    if bot is None:
        raise Http404
    keys = ApiKey.objects.filter(bot=bot).defer("sealed", "fingerprint", "claim", "report_json")
    before = request.GET.get("before", "")
    shown = list(_earlier(keys, before).order_by("-submitted_at", "-pk")[: _PAGE + 1])
    context = {
        **admin.site.each_context(request),
        "opts": Bot._meta,
        "title": f"Bot {bot}",
        "bot": bot,
        "customer": bot.customer if request.user.has_perm("accounts.view_user") else None,
        "offers": offers(BOT_ACTS, bot, request.user),
        "keys": shown[:_PAGE],
        "next": _place(shown[_PAGE - 1]) if len(shown) > _PAGE else "",
        "is_later_page": bool(before),
    }
    return TemplateResponse(request, "admin/apikeys/bot/bot.html", context)


def _earlier(keys: QuerySet[ApiKey], before: str) -> QuerySet[ApiKey]:
    """Those behind a place as `_place` writes it; all of them where it is none."""
    at_text, _, pk = before.partition("~")
    try:
        at, last = parse_datetime(at_text), UUID(pk)
    except ValueError:
        return keys
    if at is None or at.tzinfo is None:
        return keys
    return keys.filter(Q(submitted_at__lt=at) | Q(submitted_at=at, pk__lt=last))


def _place(key: ApiKey) -> str:
    return f"{key.submitted_at.isoformat()}~{key.pk}"
