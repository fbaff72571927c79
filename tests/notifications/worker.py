"""What the tests of delivery share: one mail to send, and the worker that sends it."""

from django.utils import timezone

from notifications import tasks
from notifications.models import Mail
from notifications.render import RenderedMail

# What is handed to the server where a test does not care what it says.
RENDERED = RenderedMail(subject="API refresh: BTC-1", text="In words.\n", html="<p>In words.</p>")


def deliver(mail: Mail) -> Mail:
    tasks.deliver(str(mail.id))
    mail.refresh_from_db()
    return mail


def make_due(mail: Mail) -> None:
    Mail.objects.filter(pk=mail.pk).update(due_at=timezone.now())
