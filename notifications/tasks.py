"""What mail workers do. Arguments are row ids only."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from notifications import delivery, outbox
from notifications.bell import ring
from notifications.models import Mail
from notifications.render import render_stored

# One look rings no more than this: a backlog drains over several looks and never floods the broker.
RING_AT_MOST = 500


@shared_task(name=outbox.DELIVER)
def deliver(mail_id: str) -> None:
    """Send one stored mail, if it is due and nobody else holds it. Safe to run any number of times."""
    # Claiming a code mail would hold it from the task that draws its code.
    if not Mail.objects.stored().filter(pk=mail_id).exists():
        return
    mail = delivery.claim(mail_id, timezone.now())
    if mail is None:
        return
    try:
        rendered = render_stored(mail)
    except Exception as error:  # whatever a template raises: the mail must end in `GIVE_UP` too
        delivery.give_back(mail, error)
    else:
        delivery.attempt(mail, rendered)


@shared_task(name="notifications.ring_unsent")
def ring_unsent() -> None:
    """Ring for mail that is due, oldest first: bells the broker lost, tries to repeat, claims that ended."""
    due = Mail.objects.due(timezone.now()).order_by("due_at").values_list("id", flat=True)
    for mail_id in due[:RING_AT_MOST]:
        # Still due at the next look, it is rung again; bells of this look left over then are dropped unheard.
        if not ring(outbox.DELIVER, str(mail_id), expires=settings.LOOK_AGAIN.total_seconds()):
            return
