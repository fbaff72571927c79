"""Finds out who runs the mailboxes of customers' domains, long before a page wants to know."""

import logging
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.exchangers import NoAnswerError, exchangers_of
from accounts.mail_domains import provider_of
from accounts.models import MailDomain

logger = logging.getLogger(__name__)

# The worker mails codes too, and must not be busy with this for long.
_AT_ONCE = 10


def look_up_due(now: datetime) -> None:
    """A few domains that are due, the longest waiting first. Never within a transaction: the DNS is slow."""
    due = MailDomain.objects.due(now).order_by("due_at").values_list("pk", flat=True)
    for pk in due[:_AT_ONCE]:
        # The claim is when to try again, whatever becomes of this try.
        claimed = MailDomain.objects.due(now).filter(pk=pk)
        if claimed.update(due_at=now + settings.MAIL_DOMAIN_RETRY) and not _look_up(pk):
            # Where no server answers, each look-up takes a thread of the worker for seconds.
            MailDomain.objects.due(now).update(due_at=now + settings.MAIL_DOMAIN_PAUSE)
            return


def _look_up(pk: int) -> bool:
    """False: nobody said anything, and what was known before stands."""
    domain = MailDomain.objects.get(pk=pk)
    try:
        provider, exchanger = provider_of(exchangers_of(domain.name))
    except NoAnswerError as error:
        logger.info("Mail exchangers of a domain are not known: %s", error)
        return False
    now = timezone.now()
    MailDomain.objects.filter(pk=domain.pk).update(
        provider=provider,
        exchanger=exchanger[:253],
        looked_up_at=now,
        due_at=now + settings.MAIL_DOMAIN_LOOK_AGAIN,
    )
    return True
