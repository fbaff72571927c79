"""Worker side of people. A mailed code is drawn here, lives in this process only, and is mailed at once."""

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit_chain, codes, limits
from accounts.browsers import MARK_LIFE
from accounts.flows import change_address, look_up_domains
from accounts.models import (
    AddressChange,
    CodeAttempt,
    KnownBrowser,
    LimitCount,
    MailedCode,
    Purpose,
    Session,
    User,
)
from notifications import delivery, outbox
from notifications.bell import ring
from notifications.kinds import MailKind
from notifications.models import Mail
from notifications.render import render
from telemetry import pruning

# The web rings for each code at once; only what the broker lost is older than this.
_LOST_AFTER = timedelta(seconds=5)
_KINDS = {
    Purpose.STAFF_START: MailKind.STAFF_START,
    Purpose.CONFIRM_ADDRESS: MailKind.ADDRESS_CONFIRM_CODE,
}
_SUBJECT = "Your code for Sequence Portal"
_SUBJECTS = {MailKind.ADDRESS_CONFIRM_CODE: "Confirm this address for Sequence Portal"}


@shared_task(name="accounts.mail_code")
def mail_code(code_id: str) -> str:
    """Draw a fresh code for the row and mail it. Safe to run twice: whoever claims the mail sends it."""
    mail_id = _mail_of(UUID(code_id))
    if mail_id is None or delivery.claim(mail_id, timezone.now()) is None:
        return "not due"
    code = MailedCode.objects.select_related("attempt__user", "mail").get(pk=code_id)
    user, mail = code.attempt.user, code.mail
    if user is None or mail is None:
        return "nobody to mail to"
    context = {
        "code": codes.draw(code),
        "purpose_words": code.attempt.get_purpose_display(),
        "host": urlsplit(settings.PORTAL_URL).hostname,
        "live_minutes": int(limits.CODE_LIFE.total_seconds()) // 60,
    }
    return "accepted" if delivery.attempt(mail, render(MailKind(mail.kind), context)) else "not accepted"


@shared_task(name="accounts.ring_unsent_codes")
def ring_unsent_codes() -> None:
    """Find codes that were asked for and not mailed, whatever became of the broker's message."""
    now = timezone.now()
    fresh = MailedCode.objects.filter(requested_at__gt=now - limits.CODE_LIFE)
    never_begun = Q(mail=None, expires_at=None, requested_at__lt=now - _LOST_AFTER)
    to_try_again = Q(mail__status=Mail.Status.WAITING, mail__due_at__lte=now)
    for code_id in fresh.filter(never_begun | to_try_again).values_list("pk", flat=True):
        ring("accounts.mail_code", str(code_id), expires=settings.LOOK_AGAIN.total_seconds())
    # A code that could not be mailed in its own life is of no use any more.
    stale = MailedCode.objects.filter(
        requested_at__lte=now - limits.CODE_LIFE, mail__status=Mail.Status.WAITING
    )
    Mail.objects.filter(pk__in=stale.values("mail"), due_at__lte=now).update(status=Mail.Status.FAILED)


@shared_task(name="accounts.forget_what_is_over")
def forget_what_is_over() -> str:
    """Delete rows that nobody can use any more, so that no flood of strangers stays in the database."""
    now = timezone.now()
    gone = {
        "sessions": pruning.delete(Session.objects.filter(expire_date__lt=now)),
        "limits": pruning.delete(LimitCount.objects.filter(ends_at__lt=now)),
        "browsers": pruning.delete(KnownBrowser.objects.filter(seen_at__lt=now - MARK_LIFE)),
        "attempts": pruning.delete(
            CodeAttempt.objects.filter(created_at__lt=now - settings.CODE_ATTEMPTS_KEPT)
        ),
    }
    return ", ".join(f"{name} {number}" for name, number in gone.items())


@shared_task(name="accounts.link_events")
def link_events() -> str:
    """Link the audit events that were committed since the last time."""
    head = audit_chain.link_committed()
    return f"linked up to {head.number}" if head else "nothing to link"


def _mail_of(code_id: UUID) -> UUID | None:
    """The mail row of a code, made on first sight; None where there is nobody to mail to, or no use."""
    with transaction.atomic():
        code = (
            MailedCode.objects.select_for_update(of=("self",))
            .select_related("attempt")
            .filter(pk=code_id)
            .first()
        )
        if code is None:
            return None
        if code.mail_id is not None or code.expires_at is not None:
            return code.mail_id
        now = timezone.now()
        to = _addressee(code.attempt)
        if not to or code.attempt.ended_at or code.requested_at <= now - limits.CODE_LIFE:
            code.expires_at = now
            code.save(update_fields=["expires_at"])
            return None
        kind = _KINDS.get(Purpose(code.attempt.purpose), MailKind.SIGN_IN_CODE)
        code.mail = outbox.note(
            kind,
            owner_id=code.attempt.user_id or 0,
            to=to,
            cause=f"code:{code.pk}",
            subject=_SUBJECTS.get(kind, _SUBJECT),
        )
        code.save(update_fields=["mail"])
        return code.mail.pk


def _addressee(attempt: CodeAttempt) -> str:
    """The address that is primary now, or the one that is to be confirmed; empty where there is nobody."""
    if attempt.purpose == Purpose.CONFIRM_ADDRESS:
        started = AddressChange.objects.filter(
            pk=attempt.address_change_id or 0, status=AddressChange.Status.STARTED
        )
        return started.values_list("new_email", flat=True).first() or ""
    return User.objects.filter(pk=attempt.user_id or 0).values_list("email", flat=True).first() or ""


@shared_task(name="accounts.apply_address_changes")
def apply_address_changes() -> None:
    """Let new addresses count whose hold is over; end changes that nobody confirmed."""
    change_address.settle(timezone.now())


@shared_task(name="accounts.look_up_mail_domains")
def look_up_mail_domains() -> None:
    """Ask the DNS about domains that are new, or were last asked about a week ago."""
    look_up_domains.look_up_due(timezone.now())
