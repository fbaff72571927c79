"""The page of one customer: who it is, how mail reaches them, their bots, and all that happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.desk.acts import CUSTOMER_ACTS, offers
from accounts.desk.page import require_look, show
from accounts.desk.reasons import reason_of
from accounts.models import AddressChange, AuthenticatorApp, MailboxHold, MailDomain, Passkey, Session, User
from apikeys.desk import timeline
from apikeys.desk.timeline import Kind
from apikeys.pages.bots import bots_with_keys
from notifications.models import Mail

_CHANGES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Mailbox:
    """How mail reaches a customer, and whether that keeps them from handing over a key."""

    words: str
    tone: str = ""


def customer_page(request: HttpRequest, customer_pk: int) -> HttpResponse:
    """For staff, who are none of these, the plain page of a person."""
    require_look(request)
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
    person = _people().filter(pk=customer_pk).first()
    if person is None or not person.is_customer:
        return admin.site.get_model_admin(User).change_view(request, str(customer_pk))
    kind, before = request.GET.get("kind", ""), request.GET.get("before", "")
    changes = list(
        person.address_changes.select_related("started_by").order_by("-started_at")[:_CHANGES_SHOWN]
    )
    holds = list(person.mailbox_holds.select_related("decided_by"))
    return show(
        request,
        "admin/accounts/user/customer.html",
        person,
        title=str(person),
        offers=offers(CUSTOMER_ACTS, person, request.user),
        mailbox=_mailbox(person, holds),
        change=next((each for each in changes if each.status in AddressChange.OPEN), None),
        bots=bots_with_keys(person, timezone.now()),
        timeline=timeline.of_customer(
            person, kind, before, reason_of=partial(reason_of, changes=changes, holds=holds)
        ),
        kinds=Kind.choices,
        kind=kind if kind in Kind.values else "",
        is_later_page=bool(before),
    )


def _people() -> QuerySet[User]:
    """With what stands in other tables about a person, in the statement that reads the person."""
    now, mine = timezone.now(), OuterRef("pk")
    mails = Mail.objects.filter(owner_id=mine).order_by().values("owner_id")
    return User.objects.annotate(
        has_app=Exists(AuthenticatorApp.objects.filter(user=mine, confirmed=True)),
        has_passkey=Exists(Passkey.objects.filter(user=mine)),
        sessions=_number(Session.objects.filter(user=mine, expire_date__gt=now).order_by().values("user")),
        seen_at=Subquery(
            Session.objects.filter(user=mine)
            .order_by(F("seen_at").desc(nulls_last=True))
            .values("seen_at")[:1]
        ),
        mails=_number(mails),
        undelivered=_number(mails.filter(status=Mail.Status.FAILED)),
        waiting_mails=_number(mails.filter(status=Mail.Status.WAITING)),
    )


def _number(rows: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(rows.annotate(number=Count("*")).values("number")), 0)


def _mailbox(person: User, holds: Sequence[MailboxHold]) -> Mailbox:
    if not MailDomain.objects.run_by_microsoft(person.email):
        return Mailbox("Not run by Microsoft, as far as its exchangers tell. New keys are taken.")
    hold = next((each for each in holds if each.email.casefold() == person.email.casefold()), None)
    if hold is None:
        return Mailbox("Run by Microsoft. New keys wait; the customer has not asked yet.", "warn")
    match hold.status:
        case MailboxHold.Status.CLEARED:
            return Mailbox("Run by Microsoft, cleared by support. New keys are taken.")
        case MailboxHold.Status.ASKED:
            return Mailbox(
                "Run by Microsoft. New keys wait, and the customer asks to have it cleared.", "bad"
            )
    return Mailbox(f"Run by Microsoft. New keys wait: {hold.get_status_display()}.", "warn")
