"""A mail at the desk: support sends it once more."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.acts import By
from accounts.desk.act_page import ActPage, answer
from accounts.flows import resend_mail
from accounts.models import User
from accounts.roles import Act
from notifications.models import Mail


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def mail_resend(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    if not request.user.has_perm("notifications.view_mail"):
        raise PermissionDenied
    mail = get_object_or_404(Mail, pk=mail_id)
    owner = User.objects.filter(pk=mail.owner_id).first()
    addresses = [("Went to", mail.to), ("Primary address now", owner.email if owner else "-")]
    page = ActPage(
        act=Act.RESEND_MAIL,
        title=f"Send again: {mail.subject}",
        about=mail,
        rows=[
            ("Kind", mail.get_kind_display()),
            ("State", mail.get_status_display()),
            *(addresses if request.user.has_perm("accounts.view_user") else ()),
            ("Sent again so far", mail.times_resent or "Never"),
        ],
        tells=[
            "The same words go to the address that is primary now, as a mail of its own.",
            "It says what was true when the first one was written.",
            "Mails with a code are never sent again: the person asks for a new code.",
        ],
        seen=str(mail.times_resent),
        button="Send it again",
        why_not=resend_mail.why_not(mail, owner),
    )

    def do(by: By) -> str:
        resend_mail.resend(mail=mail, by=by)
        return "It is on its way."

    return answer(request, page, do)
