"""Somebody who is signed in proves anew who they are, before what must not be done with a found session."""

from django.db import transaction
from django_otp import login as otp_login

from accounts import audit, browsers, codes, sessions
from accounts.access import SignedInRequest
from accounts.audit_verbs import Verb
from accounts.codes import Judgement, Ticket, Verdict
from accounts.devices import has_factor
from accounts.flows import factors
from accounts.flows.factors import Answer
from accounts.models import Purpose


def ask_code(*, request: SignedInRequest) -> Ticket:
    """Raises limits.TooManyError."""
    user = request.user
    origin = browsers.origin(request, pk=user.pk)
    return codes.begin(
        purpose=Purpose.CONFIRM, user=user, about=str(user.pk), email=user.email, origin=origin
    )


@transaction.atomic
def by_code(*, request: SignedInRequest, ticket: Ticket, code: str, address: str) -> Judgement:
    """A mailed code counts for people without a second factor only."""
    judgement = codes.judge(ticket, Purpose.CONFIRM, code, needs_more=has_factor)
    if judgement.verdict is Verdict.RIGHT and judgement.user == request.user and not judgement.needs_more:
        sessions.proved(request.session)
    elif judgement.verdict is Verdict.WRONG and judgement.tries_left == 0:
        audit.record(Verb.CODES_USED_UP, customer=judgement.user, address=address)
    return judgement


@transaction.atomic
def by_factor(*, request: SignedInRequest, answer: Answer, challenge: bytes, address: str) -> bool:
    """The session counts as verified by the factor from then on. Raises limits.TooManyError."""
    factor = factors.prove(user=request.user, answer=answer, challenge=challenge, address=address)
    if factor is None:
        return False
    otp_login(request, factor)
    sessions.proved(request.session)
    return True
