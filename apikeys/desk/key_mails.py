"""Which mails are about one key: also reminders, warnings, what takes them back, and what was sent again."""

from django.db.models import QuerySet

from apikeys.models import ApiKey
from notifications.kinds import MailKind
from notifications.models import Mail

_ABOUT_KEYS = [kind for kind in MailKind if kind.value.startswith("api_")]


def mails_about(key: ApiKey) -> QuerySet[Mail]:
    """key: with `bot` selected. Read from the mails of its customer alone, of which there are few.

    The second part of a cause names what the mail is about: the key, or a mail that was written before, which
    it takes back or repeats.
    """
    of_customer = Mail.objects.of(key.bot.customer_id).filter(kind__in=_ABOUT_KEYS)
    about = {str(key.pk)}
    found = []
    for pk, cause in of_customer.order_by("created_at").values_list("pk", "cause"):
        _, _, rest = cause.partition(":")
        if rest.partition(":")[0] in about:
            about.add(str(pk))
            found.append(pk)
    return Mail.objects.filter(pk__in=found)
