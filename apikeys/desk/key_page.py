"""The page of one key at the desk: what its exchange said of it, what was found, what happens next.

Never the secret, nor what stands for it: `sealed`, `fingerprint` and `claim` are not even read.
"""

from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.desk.acts import offers
from apikeys.desk import report, timeline
from apikeys.desk.acts import KEY_ACTS
from apikeys.desk.coming import coming
from apikeys.desk.timeline import Kind
from apikeys.models import ApiKey, Handover
from apikeys.pages import verdict

_UNREAD = ("sealed", "fingerprint", "claim")
_REPLACED = tuple(f"replaces__{name}" for name in (*_UNREAD, "report_json", "findings_json"))
# What can be on the timeline of a key; whoever may not see people sees no events.
_KINDS = (Kind.SUBMISSION, Kind.CHECK, Kind.DECISION, Kind.MAIL, Kind.STAFF)
_KINDS_WITHOUT_PEOPLE = (Kind.CHECK, Kind.MAIL)


def key_page(request: HttpRequest, key_id: str) -> TemplateResponse:
    """The desk has seen to it that this person may look at keys."""
    key = _keys().filter(pk=uuid_or_404(key_id)).first()
    if key is None:
        raise Http404
    sees_people = request.user.has_perm("accounts.view_user")
    kinds = _KINDS if sees_people else _KINDS_WITHOUT_PEOPLE
    kind, before = request.GET.get("kind", ""), request.GET.get("before", "")
    kind = kind if kind in kinds else ""
    context = {
        **admin.site.each_context(request),
        "opts": ApiKey._meta,
        "title": f"Key {key}",
        "key": key,
        "customer": key.bot.customer if sees_people else None,
        "offers": offers(KEY_ACTS, key, request.user),
        "coming": coming(key, timezone.now()),
        "report": report.lines(key),
        "findings": verdict.found_rows(key),
        "handovers": Handover.objects.filter(key=key).defer("envelope").order_by("number"),
        "replaced_by": key.replaced_by.only("last_four", "activated_at", "submitted_at").first(),
        "timeline": timeline.of_key(key, kind, before, with_people=sees_people),
        "kinds": [(each.value, each.label) for each in kinds],
        "kind": kind,
        "is_later_page": bool(before),
    }
    return TemplateResponse(request, "admin/apikeys/apikey/key.html", context)


def _keys() -> QuerySet[ApiKey]:
    return ApiKey.objects.select_related("bot__customer", "replaces").defer(*_UNREAD, *_REPLACED)


def uuid_or_404(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
