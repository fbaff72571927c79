"""What mail workers do. Arguments are row ids only."""

from celery import shared_task
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from notifications import delivery, outbox
from notifications.bell import ring_all
from notifications.models import Attachment, Mail
from notifications.render import render_stored
from telemetry import pruning


@shared_task(name=outbox.DELIVER)
def deliver(mail_id: str) -> str:
    """Send one stored mail, if it is due and nobody else holds it. Safe to run any number of times."""
    # Claiming a code mail would hold it from the task that draws its code.
    if not Mail.objects.stored().filter(pk=mail_id).exists():
        return "no such mail"
    mail = delivery.claim(mail_id, timezone.now())
    if mail is None:
        return "not due"
    try:
        rendered = render_stored(mail)
    except Exception as error:  # whatever a template raises: the mail must end in `GIVE_UP` too
        delivery.give_back(mail, error)
        return "not rendered"
    return "accepted" if delivery.attempt(mail, rendered) else "not accepted"


@shared_task(name="notifications.ring_unsent")
def ring_unsent() -> str:
    """Ring for mail that is due, oldest first: bells the broker lost, tries to repeat, claims that ended."""
    due = Mail.objects.due(timezone.now()).order_by("due_at").values_list("id", flat=True)
    return f"rang for {ring_all(outbox.DELIVER, due)}"


@shared_task(name="notifications.forget_old_mail")
def forget_old_mail() -> str:
    """Take away what old mails said, what was attached, and the rows of old code mails. Safe to run twice."""
    now = timezone.now()
    facts = pruning.in_batches(Mail.objects.with_old_facts(now - settings.MAIL_FACTS_KEPT), _forget)
    codes = pruning.delete(Mail.objects.old_codes(now - settings.CODE_MAILS_KEPT))
    return f"contents {facts}, code mails {codes}"


def _forget(mails: QuerySet[Mail]) -> None:
    Attachment.objects.filter(mail__in=mails).delete()
    mails.update(context=None, text="", html="", has_body=False)
