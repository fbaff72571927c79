"""Support sends a mail once more: a row of its own, to the address that is primary now."""

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from accounts.models import User
from notifications import outbox
from notifications.kinds import CODE_KINDS, MailKind
from notifications.models import Mail

# These are for the owner of one address, whatever counts meanwhile.
_FOR_ONE_ADDRESS = frozenset(
    {
        MailKind.ADDRESS_CHANGE_STARTED,
        MailKind.ADDRESS_CHANGE_CONFIRMED,
        MailKind.ADDRESS_CHANGED,
        MailKind.ADDRESS_KEPT,
    }
)


def why_not(mail: Mail, owner: User | None) -> str:
    """A sentence for the desk, or nothing where the mail can be sent again."""
    if owner is None or not (owner.is_customer and owner.is_active):
        return "This mail belongs to no customer of today."
    if mail.status == Mail.Status.WAITING:
        return "This mail still waits for its next try, so another one would come twice."
    if not mail.is_stored:
        if mail.kind in CODE_KINDS:
            return "Nothing of this mail is kept. A code is asked for anew by the person who needs it."
        kept = settings.MAIL_FACTS_KEPT.days
        return f"What this mail said is no longer kept: it goes {kept} days after it was written."
    if mail.kind in _FOR_ONE_ADDRESS and mail.to.casefold() != owner.email.casefold():
        return "This is a notice for the owner of that address, and for no other address."
    return ""


@transaction.atomic
def resend(*, mail: Mail, by: By) -> None:
    """Raises NotPossibleError, also where the mail was sent again since the page was opened.

    by.seen: how often the page said that it was sent again, so that it goes out once from the same page.
    """
    owner = User.objects.select_for_update(no_key=True).filter(pk=mail.owner_id).first()
    mail.refresh_from_db()
    if reason := why_not(mail, owner):
        raise NotPossibleError(reason)
    if owner is None or by.seen not in ("", str(mail.times_resent)):
        raise NotPossibleError("This mail was sent again meanwhile.")
    outbox.send_again(mail, to=owner.email, cause=f"again:{mail.pk}:{mail.times_resent + 1}")
    audit.record(
        Verb.MAIL_RESENT,
        customer=owner,
        actor=by.actor,
        address=by.address,
        mail=mail.get_kind_display(),
        reason=by.reason,
    )
