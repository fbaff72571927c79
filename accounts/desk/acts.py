"""What can be done on the pages of the desk: one table a page, from which the page draws its links.

An act is one line here, or in `apikeys.desk.acts` for keys, and a page of its own under the named address.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from accounts.roles import Act, may

if TYPE_CHECKING:  # as in `accounts.roles`
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


def _always(subject: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class ActLink:
    """Leads to the page of an act, for those whose role allows it, where it makes sense for this subject.

    url_name: of the desk, taking the subject's primary key. look: what the link says to those who may read
    the page and not act there; empty: they get no link. danger: what ends something for good.
    """

    url_name: str
    words: str
    act: Act
    applies: Callable[[Any], bool] = _always
    look: str = ""
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    url: str
    words: str
    danger: bool


@dataclass(frozen=True, slots=True)
class Offers:
    """can: what this person can do here. looks: pages that they may read only. none: nobody can act."""

    can: tuple[Offer, ...]
    looks: tuple[Offer, ...]
    none: bool


def offers(links: Sequence[ActLink], subject: Any, user: "User | AnonymousUser") -> Offers:
    """Dangerous ones last. Permissions are read once a request, so this costs no statement of its own."""
    here = [link for link in links if link.applies(subject)]
    can = [link for link in here if may(user, link.act)]
    return Offers(
        can=tuple(
            Offer(reverse(f"admin:{link.url_name}", args=[subject.pk]), link.words, link.danger)
            for link in sorted(can, key=lambda link: link.danger)
        ),
        looks=tuple(
            Offer(reverse(f"admin:{link.url_name}", args=[subject.pk]), link.look, False)
            for link in here
            if link.look and link not in can
        ),
        none=not here,
    )


def _is_open(customer: "User") -> bool:
    return customer.closed_at is None


CUSTOMER_ACTS = (
    ActLink(
        "customer_address",
        "Change the primary address",
        Act.CHANGE_ADDRESS,
        applies=_is_open,
        look="Primary address",
    ),
    ActLink("customer_mailbox", "Decide on the mailbox", Act.CLEAR_MAILBOX, applies=_is_open, look="Mailbox"),
    ActLink("customer_letter", "Write to the customer", Act.WRITE_LETTER, applies=_is_open),
    ActLink("customer_bot", "Launch a bot", Act.LAUNCH_BOT, applies=_is_open),
    ActLink("customer_sessions", "End the sessions", Act.END_SESSIONS, applies=_is_open, look="Sessions"),
    ActLink("customer_password", "Start a password reset", Act.RESET_PASSWORD, applies=_is_open),
    ActLink("person_unlock", "Lift limits", Act.UNLOCK, applies=_is_open, look="Limits"),
    ActLink("customer_revoke", "Revoke all keys", Act.REVOKE_CUSTOMER, applies=_is_open, danger=True),
    ActLink(
        "person_factors",
        "Reset a lost second factor",
        Act.RESET_FACTORS,
        applies=_is_open,
        look="Second factors",
    ),
    ActLink("customer_close", "Close this customer", Act.CLOSE_CUSTOMER, applies=_is_open, danger=True),
)
