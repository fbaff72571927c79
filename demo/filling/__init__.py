"""Invented customers with months of history, in bulk, to look at and to measure with.

Rows are written as the flows leave them, without taking their way, which would last hours for a hundred
thousand keys. Verdicts come from `decide` all the same, and facts of mails are those that templates name.
"""

from datetime import timedelta
from random import Random

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from apikeys.models import ExchangeState
from demo.filling import asking, people
from demo.filling.book import Book
from demo.filling.bulk import analyze
from demo.filling.keys import Keys

STAFF_EMAIL = "sam.support@sequence.example"


@transaction.atomic
def fill(*, keys: int, customers: int, seed: int = 1, sealed: bool = True) -> None:
    """Add so many customers, with so many keys together: the same ones for the same seed, counted from now.

    sealed: every stored secret is sealed for itself and opens with the private half of the newest seal key.
    Without, one value stands in every row, which is quicker and enough for whoever opens none.
    """
    random = Random(seed)  # noqa: S311 - invented data, no secret
    book = Book(now=timezone.now(), staff=_member_of_staff().pk, random=random)
    writer = Keys(book, left=keys, sealed=sealed)
    for index, customer in enumerate(people.fill(customers, book), start=1):
        due = keys * index // customers - (keys - writer.left)
        asking.of_customer(customer, book)
        writer.of_customer(customer, due if index == customers else int(random.uniform(0, 2 * due + 1)))
    book.finish()
    _exchange_that_is_away(book)
    asking.of_the_desk(book.staff)


def _member_of_staff() -> User:
    """Who decided what support decides. Has no role and no password, so nobody can be that person."""
    return User.objects.filter(email=STAFF_EMAIL).first() or User.objects.create_user(
        STAFF_EMAIL, is_staff=True
    )


def _exchange_that_is_away(book: Book) -> None:
    since = book.now - timedelta(hours=5)
    ExchangeState.objects.update_or_create(
        exchange="bingx",
        defaults={"failures": 61, "failing_since": since, "open_until": book.now + timedelta(minutes=5)},
    )


__all__ = ["analyze", "fill"]
