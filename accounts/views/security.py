"""Where a person is signed in, what happened on their account, and every mail sent to them."""

from datetime import UTC, datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from accounts import audit, sessions
from accounts.access import SignedInRequest, signed_in
from accounts.models import AuditEvent
from notifications.models import Mail

_PAGE = 50


@require_safe
@signed_in
def security(request: SignedInRequest) -> HttpResponse:
    events = AuditEvent.objects.filter(customer=request.user).order_by("-id")
    mails = Mail.objects.of(request.user.pk).order_by("-created_at")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit():
        events = events.filter(pk__lt=before[:18])
    if mail_before := _moment(request.GET.get("mail-before")):
        mails = mails.filter(created_at__lt=mail_before)
    shown_events, shown_mails = list(events[: _PAGE + 1]), list(mails[: _PAGE + 1])
    rows = [
        {"at": event.at, "sentence": audit.sentence(event), "by": audit.by(event)}
        for event in shown_events[:_PAGE]
    ]
    return render(
        request,
        "accounts/security.html",
        {
            "nav": "security",
            "sessions": sessions.of(request.user, timezone.now()),
            "this_session": sessions.id_of(request.session),
            "address_change": request.user.address_changes.open().first(),
            "events": rows,
            "mails": shown_mails[:_PAGE],
            "earlier_events": shown_events[-2].pk if len(shown_events) > _PAGE else None,
            "earlier_mails": shown_mails[-2].created_at.isoformat() if len(shown_mails) > _PAGE else None,
        },
    )


def _moment(text: str | None) -> datetime | None:
    try:
        found = parse_datetime(text or "")
        return found.astimezone(UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError):
        return None
