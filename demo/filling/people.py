"""Invented customers: names, User IDs, addresses, sign-ins, and what became of their mailboxes."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX

from accounts.audit_verbs import Verb
from accounts.mail_domains import MICROSOFT, Provider, is_known_by_name
from accounts.models import AddressChange, MailboxHold, MailDomain, User
from demo.filling.book import Book, Customer
from demo.filling.bulk import next_number
from notifications.kinds import MailKind

FIRST = (  # noqa: SIM905
    "Ada Amir Anna Anton Aylin Ben Bruno Carla Chen Clara Daan Dario Diego Dina Elif Ella Emil Emma "
    "Erik Eva Farid Felix Finn Freya Greta Hana Hugo Ida Igor Ines Ivan Jane Jonas Julia Kai Karim "
    "Lars Lea Leo Lina Luca Maja Marco Maria Max Mei Mila Milan Mona Nadia Nils Nina Noah Olga Omar "
    "Oskar Paula Pavel Petra Rosa Ruth Sami Sara Sofia Sven Tara Theo Tom Uma Vera Viktor Wei Yara "
    "Yusuf Zoe"
).split()
LAST = (  # noqa: SIM905
    "Adler Ahmed Alves Andersen Bauer Becker Bianchi Brown Castro Costa Dahl Diaz Dubois Dvorak Ek "
    "Fischer Fontana Garcia Green Gupta Haas Hansen Hill Horvat Huber Ito Ivanov Jansen Jensen Jones "
    "Kaya Keller Kim King Kowalski Kruger Lang Larsen Lee Lopez Marino Martin Meyer Moreau Moser Nagy "
    "Nielsen Novak Nowak Olsen Ortiz Park Patel Pereira Petrov Popov Reed Ricci Roe Rossi Roy Ruiz "
    "Sato Schmidt Silva Singh Smit Sokolov Stone Sultan Suzuki Tanaka Torres Vargas Vogel Wagner "
    "Walker Wang Weber White Wolf Wong Young Zhang"
).split()
# Names that end in .example are nobody's (RFC 2606). The others are known as Microsoft's by their name.
DOMAINS = {
    "mail.example": (42, Provider.OTHER),
    "post.example": (21, Provider.OTHER),
    "private.example": (13, Provider.OTHER),
    "trading.example": (9, Provider.OTHER),
    "company.example": (6, Provider.MICROSOFT_365),
    "outlook.com": (5, Provider.CONSUMER),
    "hotmail.com": (4, Provider.CONSUMER),
}
_WEIGHTS = [weight for weight, _ in DOMAINS.values()]
FOR_MONTHS = timedelta(days=540)
_HOLD_NOTES = ("The code never came.", "I only have this address.", "Codes come, but hours late.", "")


def fill(number: int, book: Book) -> Iterator[Customer]:
    """Write `number` of them and give each, in the order in which they came."""
    _watch_domains(book.now)
    first = next_number(User)
    for index in range(number):
        yield _customer(first + index, (index + book.random.random()) / number, book)


def _customer(pk: int, part: float, book: Book) -> Customer:
    """part: of all of them that had come before, from 0 to 1. Each month more came than in the one before."""
    random = book.random
    first, last = random.choice(FIRST), random.choice(LAST)
    domain = random.choices(list(DOMAINS), _WEIGHTS)[0]
    customer = Customer(
        pk=pk,
        client_id=f"0x{0x1000 + pk:X} / {first}{last}",
        email=f"{first}.{last}.{pk}@{domain}".lower(),
        address=f"198.51.100.{random.randrange(1, 255)}",
        came_at=book.now - FOR_MONTHS * (1 - part**0.6),
    )
    book.users.add(
        id=pk,
        email=customer.email,
        client_id=customer.client_id,
        name=f"{first} {last}",
        password=f"{UNUSABLE_PASSWORD_PREFIX}{random.getrandbits(160):040x}",
        created_at=customer.came_at,
    )
    book.devices.add(user_id=pk, name="primary address")
    book.event(Verb.IMPORTED, customer.came_at, customer)
    welcome = {"client_id": customer.client_id, "bots": [f"{customer.client_id} / BTC-1"]}
    book.mail(MailKind.WELCOME, customer.came_at, customer, f"welcome:{pk}", welcome)
    _sign_ins(customer, book)
    if DOMAINS[domain][1] in MICROSOFT:
        _mailbox(customer, book)
    elif random.random() < 0.02 or book.is_first("address on hold"):
        _change_of_address(customer, book)
    return customer


def _sign_ins(customer: Customer, book: Book) -> None:
    """The password, then now and then a sign-in with a code; some never come."""
    if book.random.random() < 0.06:
        return
    at = customer.came_at + timedelta(hours=book.random.expovariate(1 / 20))
    verb = Verb.PASSWORD_SET
    while at < book.now:
        kind = MailKind.SIGN_IN_CODE
        book.mail(kind, at, customer, f"{kind.value}:{book.uuid()}", None)
        book.event(
            verb, at + timedelta(seconds=20 + book.random.expovariate(1 / 30)), customer, by="customer"
        )
        verb = Verb.SIGNED_IN
        at += timedelta(days=3 + book.random.expovariate(1 / 90))


def _mailbox(customer: Customer, book: Book) -> None:
    """Held because Microsoft runs it: most have asked, nearly all of them were answered."""
    first = book.is_first("mailbox to clear")
    if book.random.random() < 0.3 and not first:
        return
    asked_at = customer.came_at + timedelta(days=book.random.expovariate(1 / 3))
    if first:
        asked_at = max(customer.came_at, book.now - timedelta(minutes=50))
    if asked_at >= book.now:
        return
    book.event(Verb.MAILBOX_ASKED, asked_at, customer, by="customer")
    decided_at = asked_at + timedelta(hours=1 + book.random.expovariate(1 / 12))
    waits = decided_at >= book.now
    kept = book.random.random() < 0.2
    status = MailboxHold.Status.KEPT if kept else MailboxHold.Status.CLEARED
    book.holds.add(
        user_id=customer.pk,
        email=customer.email,
        status=MailboxHold.Status.ASKED if waits else status,
        note=book.random.choice(_HOLD_NOTES),
        asked_at=asked_at,
        decided_at=None if waits else decided_at,
        decided_by_id=None if waits else book.staff,
        decision_note="" if waits else "No answer to our mail." if kept else "Answered our mail.",
    )
    if not waits:
        verb = Verb.MAILBOX_KEPT if kept else Verb.MAILBOX_CLEARED
        book.event(verb, decided_at, customer, by="staff")


def _change_of_address(customer: Customer, book: Book) -> None:
    """To the address that the customer has now, or on its way to another one."""
    status = AddressChange.Status
    age = timedelta(days=book.random.expovariate(1 / 60))
    waited = timedelta(hours=1 + book.random.expovariate(1 / 30))
    if book.is_first("address under way"):
        age, waited = timedelta(hours=9), timedelta(hours=2)
    started_at = book.now - min(age, book.now - customer.came_at)
    confirmed_at = started_at + waited
    due_at = confirmed_at + timedelta(hours=24)
    old, new = f"old.{customer.email}", customer.email
    if due_at < book.now:
        now_is, ended_at = status.COUNTS, due_at
    else:
        now_is, ended_at = status.CONFIRMED if confirmed_at < book.now else status.STARTED, None
        old, new = customer.email, f"new.{customer.email}"
    confirmed = confirmed_at < book.now
    book.changes.add(
        user_id=customer.pk,
        old_email=old,
        new_email=new,
        status=now_is,
        reason="Called and named two of their bots.",
        started_at=started_at,
        started_by_id=book.staff,
        confirmed_at=confirmed_at if confirmed else None,
        due_at=due_at if confirmed else None,
        ended_at=ended_at,
    )
    book.event(Verb.ADDRESS_CHANGE_STARTED, started_at, customer, by="staff")
    if confirmed:
        book.event(Verb.ADDRESS_CONFIRMED, confirmed_at, customer, by="customer")
    if ended_at:
        book.event(Verb.ADDRESS_CHANGED, ended_at, customer)


def _watch_domains(now: datetime) -> None:
    MailDomain.objects.bulk_create(
        [
            MailDomain(
                name=name,
                provider=provider,
                exchanger=f"mx1.{name}",
                looked_up_at=now - timedelta(days=2),
                due_at=now + timedelta(days=5),
            )
            for name, (_, provider) in DOMAINS.items()
            if not is_known_by_name(f"@{name}")
        ],
        ignore_conflicts=True,
    )
