"""Sign in: the password, then a code mailed to the primary address, then a second factor if there is one."""

from django.contrib.auth import authenticate, login, logout
from django.db import transaction
from django.http import HttpRequest
from django_otp import login as otp_login

from accounts import audit, browsers, codes, factor_keys, limits, sessions
from accounts.audit_verbs import Verb
from accounts.codes import Judgement, Ticket, Verdict
from accounts.devices import Factor, has_factor
from accounts.flows import factors
from accounts.flows.factors import Answer
from accounts.identifiers import folded
from accounts.models import PrimaryMailDevice, Purpose, User
from notifications import outbox
from notifications.kinds import MailKind


class WrongPasswordError(Exception):
    """The pair of address and password fits nobody. Which of the two is wrong is never said."""


def check_password(*, request: HttpRequest, email: str, password: str, address: str) -> Ticket:
    """Ask for a code if the password is right. Raises WrongPasswordError or limits.TooManyError.

    An unknown email costs one Argon2 computation too, so that time does not tell who is a customer.
    """
    origin = browsers.origin(request, email__iexact=email)
    limits.take(
        limits.of_address(limits.ENTRANCE_FORMS, address),
        limits.passwords(folded(email), origin.name),
    )
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        raise WrongPasswordError
    return codes.begin(purpose=Purpose.SIGN_IN, user=user, about=str(user.pk), email=email, origin=origin)


@transaction.atomic
def enter_code(*, request: HttpRequest, ticket: Ticket, code: str, address: str) -> Judgement:
    """Judge the code; a right one signs in, in a session of a new key, unless a second factor follows."""
    judgement = codes.judge(ticket, Purpose.SIGN_IN, code, needs_more=has_factor)
    user = judgement.user
    if judgement.verdict is Verdict.RIGHT and user is not None and not judgement.needs_more:
        let_in(request=request, user=user, address=address)
    elif judgement.verdict is Verdict.WRONG and judgement.tries_left == 0:
        audit.record(Verb.CODES_USED_UP, customer=user, address=address)
    return judgement


def _begin_session(request: HttpRequest, user: User, address: str) -> None:
    """Note where and with what somebody is in. A browser that they never signed in with before is mailed."""
    browser, is_new = browsers.remember(request, user)
    device = browsers.device(request)
    sessions.begin(request.session, browser=browser, device=device, address=address)
    if is_new:
        outbox.send(
            MailKind.NEW_DEVICE,
            owner_id=user.pk,
            to=user.email,
            cause=f"new_device:{browser.pk}",
            context={
                "client_id": user.client_id,
                "signed_in_at": browser.created_at,
                "device": device,
                "address": address,
            },
        )


def factor_challenge(ticket: Ticket) -> bytes:
    """What a passkey signs here: bound to the attempt, which the right answer ends."""
    return factor_keys.passkey_bytes("sign in", str(ticket.attempt_id), ticket.token)


@transaction.atomic
def enter_factor(*, request: HttpRequest, ticket: Ticket, answer: Answer, address: str) -> Verdict:
    """Judge the second factor after a right code. Raises limits.TooManyError."""
    user = codes.proved_by(ticket, Purpose.SIGN_IN)
    if user is None:
        return Verdict.ENDED
    factor = factors.prove(user=user, answer=answer, challenge=factor_challenge(ticket), address=address)
    if factor is None:
        return Verdict.WRONG
    # The same passkey answer twice at once: both are rightly signed, and one of them finds the attempt ended.
    if codes.use_proof(ticket, Purpose.SIGN_IN) is None:
        return Verdict.ENDED
    let_in(request=request, user=user, factor=factor, address=address)
    return Verdict.RIGHT


def let_in(*, request: HttpRequest, user: User, address: str, factor: Factor | None = None) -> None:
    """Begin the session, in the transaction of what proved the person."""
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    otp_login(request, factor or PrimaryMailDevice.objects.get(user=user))
    _begin_session(request, user, address)
    then = f", then {factor.words}" if factor else ""
    audit.record(Verb.SIGNED_IN, customer=user, actor=user, address=address, then=then)


@transaction.atomic
def sign_out(*, request: HttpRequest, address: str) -> None:
    if isinstance(request.user, User):
        audit.record(Verb.SIGNED_OUT, customer=request.user, actor=request.user, address=address)
    logout(request)
