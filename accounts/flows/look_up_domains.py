"""Finds out who runs the mailboxes of customers' domains, long before a page wants to know."""

import logging
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.exchangers import NoAnswerError, exchangers_of
from accounts.mail_domains import provider_of
from accounts.models import MailDomain

logger = logging.getLogger(__name__)

# Silent servers cost a look-up five seconds each, and the worker has other chores.
_AT_ONCE = 10


def look_up_due(now: datetime) -> None:
    """A few domains that are due, the longest waiting first. Never within a transaction: the DNS is slow."""
    due = MailDomain.objects.due(now).order_by("due_at").values_list("pk", flat=True)
    for pk in due[:_AT_ONCE]:
        # The claim is when to try again, whatever becomes of this try.
        claimed = MailDomain.objects.due(now).filter(pk=pk)
        if claimed.update(due_at=now + settings.MAIL_DOMAIN_RETRY):
            _look_up(MailDomain.objects.get(pk=pk))


def _look_up(domain: MailDomain) -> None:
    try:
        provider, exchanger = provider_of(exchangers_of(domain.name))
    except NoAnswerError as error:
        logger.info("Mail exchangers of a domain are not known: %s", error)
        return
    now = timezone.now()
    MailDomain.objects.filter(pk=domain.pk).update(
        provider=provider,
        exchanger=exchanger[:253],
        looked_up_at=now,
        due_at=now + settings.MAIL_DOMAIN_LOOK_AGAIN,
    )
