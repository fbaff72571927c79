"""What keeps a customer from handing over a key for the time being. Everything else goes on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from accounts.models import AddressChange, MailboxHold, MailDomain, User


class GateKind(StrEnum):
    ADDRESS_HOLD = "address-hold"
    MICROSOFT_EMAIL = "microsoft-email"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Gate:
    """until: the end of an address hold; mailbox: what was asked and decided about a Microsoft mailbox."""

    kind: GateKind
    until: datetime | None = None
    mailbox: MailboxHold | None = None

    @property
    def note(self) -> str:
        """What the customer has told support already."""
        return self.mailbox.note if self.mailbox else ""

    @property
    def template(self) -> str:
        return f"accounts/gates/{self.kind}.html"


class GatedError(Exception):
    """A key was about to be handed over in spite of a gate."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate.kind.value)
        self.gate = gate


def gate_of(customer: User) -> Gate | None:
    """The gate before a customer's key forms, as the database has it now; None where the way is free."""
    user = User.objects.filter(pk=customer.pk, is_active=True).first()
    if user is None:
        return Gate(GateKind.CLOSED)
    change = AddressChange.objects.on_hold().filter(user=user).first()
    if change is not None:
        return Gate(GateKind.ADDRESS_HOLD, until=change.due_at)
    if not MailDomain.objects.run_by_microsoft(user.email):
        return None
    mailbox = MailboxHold.objects.filter(user=user, email__iexact=user.email).first()
    if mailbox is not None and mailbox.status == MailboxHold.Status.CLEARED:
        return None
    return Gate(GateKind.MICROSOFT_EMAIL, mailbox=mailbox)


def check(customer: User) -> None:
    """Raises GatedError. Within the transaction that stores the key."""
    gate = gate_of(customer)
    if gate is not None:
        raise GatedError(gate)
