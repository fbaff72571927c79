"""Hands rows to the mail server: claimed first, sent outside any transaction, recorded afterwards.

Mail goes out at least once. A worker that dies after the server's 250 and before our record of it, or a 250
that is lost on its way to us, leaves a row that is sent again: SMTP has no way to ask. Each try of a stored
mail carries the same Message-ID, by which mailboxes and people can tell the second copy. Otherwise a row is
sent once, since a claim is one compare-and-set and outlasts the conversation.
"""

import logging
import smtplib
import time
from datetime import datetime, timedelta
from email.utils import parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from notifications.kinds import MailKind
from notifications.models import Attachment, Mail
from notifications.render import RenderedMail
from telemetry import tallies
from telemetry.models import What
from telemetry.tallies import Counted

logger = logging.getLogger(__name__)

# How long a mail belongs to the worker that took it.
CLAIM = settings.MAIL_CLAIM
# Four answers, each within EMAIL_TIMEOUT, follow once the line stands: sender, recipient, data, accepted.
# So a connection that took longer than this to open, encrypt and sign in is not used: the claim might end
# before the server's last word, and a second worker would send the mail again.
OPEN_WITHIN = CLAIM.total_seconds() - 4 * settings.EMAIL_TIMEOUT
PAUSES = settings.MAIL_PAUSES
RECORD_AGAIN = 0.5  # seconds, while the database is away
# Mail that no server took for this long is news no more, and the desk should see that it never arrived.
GIVE_UP = timedelta(days=3)


class SlowToOpenError(OSError):
    """The server took so long to open that the claim might end before its answer."""


def claim(mail_id: UUID | str, now: datetime) -> Mail | None:
    """Take one waiting, due mail for `CLAIM`, or None where it is done, not due or another worker's.

    Counts a try. Committed on return; raises RuntimeError inside a transaction, where it would not be.
    """
    with transaction.atomic(durable=True):
        took = Mail.objects.filter(pk=mail_id, status=Mail.Status.WAITING, due_at__lte=now).update(
            due_at=now + CLAIM, tries=F("tries") + 1
        )
        return Mail.objects.get(pk=mail_id) if took else None


def attempt(mail: Mail, rendered: RenderedMail) -> bool:
    """One SMTP conversation for a claimed mail; True if the server accepted it. Never raises for the server.

    Otherwise the row waits for its next try, or has failed: at once where the server refused this recipient
    or this mail for good (5xx), else after `GIVE_UP`. A 5xx said to us as the sender is ours to mend and is
    tried again. Call it outside any transaction, which would stay open while the server thinks.
    """
    try:
        _converse(_message(mail, rendered))
    except Exception as error:  # a mail that cannot even be built has to end in `GIVE_UP` too
        _record_failure(mail, error)
        return False
    _record_acceptance(mail)
    logger.info("Mail %s accepted, try %d", mail.pk, mail.tries)
    tallies.count(Counted(What.MAIL, mail.kind, "accepted"))
    return True


def _record_acceptance(mail: Mail) -> None:
    """Until the database has it, for as long as the claim lasts: without this word the mail is sent again."""
    accepted_at = timezone.now()
    while True:
        try:
            # Whatever another worker wrote meanwhile, the server has taken this mail.
            Mail.objects.filter(pk=mail.pk).exclude(status=Mail.Status.ACCEPTED).update(
                status=Mail.Status.ACCEPTED, accepted_at=accepted_at, last_answer="250"
            )
        except (OperationalError, InterfaceError):
            # A claim sets `due_at` to its end.
            if timezone.now() >= mail.due_at:
                raise
            connection.close()
            time.sleep(RECORD_AGAIN)
        else:
            return


def give_back(mail: Mail, error: Exception) -> None:
    """A claimed mail that could not even be rendered has had its try, as if a server had not taken it."""
    # Ours to mend, and every mail of the kind may be affected. The class only: its text may quote the mail.
    logger.error("Mail %s, %s, cannot be rendered: %s", mail.pk, mail.kind, type(error).__name__)
    _record_failure(mail, error)


def _message(mail: Mail, rendered: RenderedMail) -> EmailMultiAlternatives:
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        to=[mail.to],
        reply_to=[settings.SUPPORT_EMAIL],
        headers={"Message-ID": f"<{_identity(mail)}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(rendered.html, "text/html")
    if mail.kind == MailKind.LETTER:  # no other kind has one, and each would cost a look
        for pdf in Attachment.objects.filter(mail=mail):
            message.attach(pdf.name, bytes(pdf.content), "application/pdf")
    return message


def _identity(mail: Mail) -> str:
    """The same for each try of a stored mail, so that a second copy is known as one.

    A mail of which nothing is stored is written anew for each try, with a new code in it: a mailbox that
    drops what it has seen must not drop the one that counts.
    """
    return str(mail.pk) if mail.is_stored else f"{mail.pk}.{mail.tries}"


def _converse(message: EmailMultiAlternatives) -> None:
    """Send over a connection of its own, opened here so that its end cannot be taken for the answer."""
    began = time.monotonic()
    server = get_connection()
    server.open()
    try:
        if time.monotonic() - began > OPEN_WITHIN:
            raise SlowToOpenError
        message.connection = server
        message.send()
    finally:
        try:
            server.close()
        except OSError as error:  # SMTPException is one; after the 250, a failed goodbye changes nothing
            logger.info("Closing the mail connection: %s", type(error).__name__)


def _record_failure(mail: Mail, error: Exception) -> None:
    now = timezone.now()
    answer = f"{_code(error) or ''} {type(error).__name__}".strip()[:80]
    # The try is compared too: a worker that outlived its claim must not undo what its successor wrote.
    mine = Mail.objects.filter(pk=mail.pk, status=Mail.Status.WAITING, tries=mail.tries)
    if _is_final(error) or now - mail.created_at >= GIVE_UP:
        mine.update(status=Mail.Status.FAILED, last_answer=answer)
        logger.warning("Mail %s failed, try %d: %s", mail.pk, mail.tries, answer)
        tallies.count(Counted(What.MAIL, mail.kind, "failed"))
    else:
        pause = PAUSES[min(mail.tries, len(PAUSES)) - 1]
        mine.update(due_at=now + pause, last_answer=answer)
        logger.info("Mail %s not accepted, try %d: %s", mail.pk, mail.tries, answer)
        tallies.count(Counted(What.MAIL, mail.kind, "retry" if _is_about_this_mail(error) else "unsent"))


def _code(error: Exception) -> int | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _ in error.recipients.values()), None)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None


def _is_final(error: Exception) -> bool:
    """A 5xx about the recipient, or about the whole mail, which has that recipient only."""
    return _is_about_this_mail(error) and 500 <= (_code(error) or 0) < 600


def _is_about_this_mail(error: Exception) -> bool:
    """Whether a server took us and refused this mail. Whatever else befalls one would befall every other."""
    return isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
