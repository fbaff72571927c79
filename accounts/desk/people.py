"""What support does about a person: sessions, password, limits; and staff who leave."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import roles, sessions
from accounts.access import fresh_proof
from accounts.acts import By
from accounts.desk.act_page import ActPage, answer
from accounts.desk.page import agent, customer_or_404, require_look
from accounts.flows import end_sessions, reset_password, staff, unlock
from accounts.models import User
from accounts.roles import Act, may

_CLOSED = "This account is closed."


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def customer_sessions(request: HttpRequest, customer_pk: int) -> HttpResponse:
    customer = customer_or_404(request, customer_pk)
    page = ActPage(
        act=Act.END_SESSIONS,
        title=f"Sessions of {customer}",
        about=customer,
        rows=[
            (one.device or "A browser", f"{one.address}, signed in {one.signed_in_at:%-d %b %Y, %H:%M} UTC")
            for one in sessions.of(customer, timezone.now())
        ],
        tells=[
            "Every session ends, and so does every sign-in that is under way.",
            "Each browser is a new one again: the next sign-in in it is mailed.",
            "The password stays. Where somebody else may know it, start a password reset instead.",
        ],
        sure="End every session of this customer",
        button="End the sessions",
        why_not="" if customer.is_active else _CLOSED,
    )

    def do(by: By) -> str:
        end_sessions.end_all(customer=customer, by=by)
        return "Every session has ended."

    return answer(request, page, do)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def customer_password(request: HttpRequest, customer_pk: int) -> HttpResponse:
    customer = customer_or_404(request, customer_pk)
    page = ActPage(
        act=Act.RESET_PASSWORD,
        title=f"Password of {customer}",
        about=customer,
        rows=[
            ("Primary address", customer.email),
            ("Password", "Set" if customer.has_usable_password() else "None: the customer sets one"),
        ],
        tells=[
            "The password ends, and with it every session and every sign-in that is under way.",
            "A mail tells the customer how to set a new one: User ID, primary address, and a mailed code.",
            "Nobody at the desk sees or chooses a password. Second factors stay, and are asked for.",
            "Where the customer has no use of this mailbox any more, change the primary address instead.",
        ],
        sure="End the password of this customer",
        button="Start the reset",
        why_not="" if customer.is_active else _CLOSED,
    )

    def do(by: By) -> str:
        reset_password.start(customer=customer, by=by)
        return "The password has ended. The mail is on its way."

    return answer(request, page, do)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def person_unlock(request: HttpRequest, person_pk: int) -> HttpResponse:
    require_look(request)
    person = get_object_or_404(User, pk=person_pk)
    is_leads_business = person.is_staff and not may(request.user, Act.RESET_FACTORS)
    if is_leads_business and request.method == "POST":
        raise PermissionDenied
    now = timezone.now()
    tries = unlock.tries_of(person, now)
    until = unlock.again_at(person, now)
    why_not = f"Lifted already. They can be again at {until:%H:%M} UTC." if until else ""
    why_not = why_not if person.is_active else _CLOSED
    why_not = "A lead lifts the limits of a colleague." if is_leads_business else why_not
    page = ActPage(
        act=Act.UNLOCK,
        title=f"Limits of {person}",
        about=person,
        rows=[
            ("Codes", f"{tries.codes} mailed in the last 15 minutes"),
            *((words.capitalize(), _wrong(count, ends)) for words, count, ends in tries.wrong),
        ],
        tells=[
            "Codes that were mailed so far end, and no longer count: a new sign-in mails new ones.",
            "Wrong tries with a second factor, and of passwords in browsers the person has used, begin anew.",
            "Wrong passwords from anywhere else stay counted. They end by themselves within 15 minutes.",
            "Once an hour, so that nobody guesses faster by calling support.",
        ],
        button="Lift the limits",
        why_not=why_not,
    )

    def do(by: By) -> str:
        unlock.unlock(person=person, by=by)
        return "Lifted. The person starts again from the sign-in page."

    return answer(request, page, do)


def _wrong(count: int, ends: object) -> str:
    return f"{count} wrong tries" + (f", none is taken until {ends:%H:%M} UTC" if ends else "")


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def staff_end(request: HttpRequest, person_pk: int) -> HttpResponse:
    require_look(request)
    person = get_object_or_404(User, pk=person_pk, is_staff=True)
    role = roles.role_of(person)
    page = ActPage(
        act=Act.END_STAFF,
        title=f"End the account of {person}",
        about=person,
        rows=[("Role", role.label if role else "None")],
        tells=[
            "Role, password and second factors are removed, and every session ends at once.",
            "What the person did stays in the events, under this address.",
            "The command create_staff makes the person a member of staff again.",
        ],
        sure="This person has left",
        button="End this account",
        why_not=staff.why_not_end(person, agent(request)),
    )

    def do(by: By) -> str:
        staff.end(person=person, by=by)
        return "Ended. Nothing opens to this person any more."

    return answer(request, page, do)
