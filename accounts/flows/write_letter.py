"""Support writes to a customer. The letter goes to the primary address and nowhere else, as any mail does."""

from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.acts import NotPossibleError
from accounts.audit_verbs import Verb
from accounts.models import User
from notifications import outbox
from notifications.kinds import MailKind
from notifications.models import Mail
from notifications.outbox import Letter, Pdf


@transaction.atomic
def write(
    *, customer: User, draft: UUID, subject: str, text: str, pdf: Pdf | None, actor: User, address: str
) -> bool:
    """Queue the letter. draft: of the page it was written on, by which it goes out once; False: it has gone.

    text: as it was typed; its lines stay lines. Raises NotPossibleError.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if not user.is_active:
        raise NotPossibleError("This account is closed.")
    cause = f"letter:{draft}"
    if Mail.objects.filter(cause=cause).exists():
        return False
    letter = Letter(
        MailKind.LETTER,
        owner_id=user.pk,
        to=user.email,
        cause=cause,
        context={
            "client_id": user.client_id,
            "subject_line": subject,
            "lines": text.strip().splitlines(),
            "attached": pdf.name if pdf else "",
        },
    )
    if pdf:
        outbox.send_with(pdf, letter)
    else:
        outbox.send_many([letter])
    audit.record(Verb.LETTER_WRITTEN, customer=user, actor=actor, address=address)
    return True
