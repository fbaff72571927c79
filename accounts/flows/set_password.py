"""A first or forgotten password: User ID and email, then a code mailed to that address."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, browsers, codes, limits, sessions
from accounts.audit_verbs import Verb
from accounts.codes import Judgement, Ticket, Verdict
from accounts.identifiers import canonical, folded
from accounts.models import Purpose, User
from notifications import outbox
from notifications.kinds import MailKind


def ask(*, request: HttpRequest, client_id: str, email: str, address: str) -> Ticket:
    """Ask for a code. Whether the pair belongs to anybody shows neither in the answer nor in its time.

    Raises limits.TooManyError.
    """
    limits.take(limits.of_address(limits.ENTRANCE_FORMS, address))
    client_id = canonical(client_id)
    user = User.objects.filter(client_id__iexact=client_id, email__iexact=email, is_active=True).first()
    about = f"{folded(client_id)}\0{folded(email)}"
    origin = browsers.origin(request, pk=user.pk if user else 0)  # nobody has id 0
    return codes.begin(purpose=Purpose.SET_PASSWORD, user=user, about=about, email=email, origin=origin)


@transaction.atomic
def enter_code(*, ticket: Ticket, code: str, address: str) -> Judgement:
    judgement = codes.judge(ticket, Purpose.SET_PASSWORD, code, needs_more=lambda _: True)
    if judgement.verdict is Verdict.WRONG and judgement.tries_left == 0:
        audit.record(Verb.CODES_USED_UP, customer=judgement.user, address=address)
    return judgement


@transaction.atomic
def finish(
    *, ticket: Ticket, password: str, address: str, purpose: Purpose = Purpose.SET_PASSWORD
) -> User | None:
    """Set the password once per right code, and give whose it is. None: the proof is used or too old.

    Every session of the person ends, every browser is a new one again, and every attempt that is under way
    has ended. Second factors stay: they are asked for at the next sign-in.
    """
    user = codes.use_proof(ticket, purpose)
    if user is None:
        return None
    user.set_password(password)
    user.save(update_fields=["password"])
    codes.end_attempts(user)
    sessions.end_all(user)
    audit.record(Verb.PASSWORD_SET, customer=user, actor=user, address=address)
    outbox.send(
        MailKind.PASSWORD_CHANGED,
        owner_id=user.pk,
        to=user.email,
        cause=f"password_changed:{ticket.attempt_id}",
        context={"client_id": user.client_id, "changed_at": timezone.now(), "address": address},
    )
    return user
