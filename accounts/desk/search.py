"""What a term may say of a person. Spacing and letter case of ids are forgiven, and half of one is enough."""

from typing import Any

from django.db.models import QuerySet

from accounts.identifiers import canonical
from notifications.desk.indexes import for_search
from notifications.desk.search import Match, Way, best_first, ways_of, without_spaces

INDEXES = (
    *for_search("accounts_user", "user_id", "upper(replace(client_id, ' ', ''))"),
    *for_search("accounts_user", "user_email", "upper(email)"),
    *for_search("accounts_user", "user_name", "upper(replace(name, ' ', ''))"),
)
# Of addresses that counted once, or may come to count.
INDEXES_OF_CHANGES = (
    *for_search("accounts_mailboxhold", "hold_email", "upper(email)"),
    *for_search("accounts_addresschange", "change_old_email", "upper(old_email)"),
    *for_search("accounts_addresschange", "change_new_email", "upper(new_email)"),
)


def person_ways(term: str, prefix: str = "") -> list[Way]:
    """prefix: how the rows that are searched name the person, such as `customer__`."""
    ways = ways_of(term, "Address", "email", prefix=prefix)
    if "@" not in term:
        together = "".join(term.split())
        ways += ways_of(together, "User ID", "client_id", prefix=prefix, spaced=False)
        names = ways_of(together, "Name", "name", prefix=prefix, spaced=False)
        # Many people have one name: it tells nobody exactly.
        ways += [way for way in names if way.match is not Match.EXACT]
    return best_first(ways)


def event_ways(term: str) -> list[Way]:
    """Events of a person, or about one bot. A BOT ID begins with the User ID of its customer."""
    return [*person_ways(term, "customer__"), *_of_bot(term)]


def _of_bot(term: str) -> list[Way]:
    bot_id = canonical(term)
    client_id, _, name = bot_id.rpartition(" / ")
    if not client_id or not name:
        return []

    def narrow(events: "QuerySet[Any]") -> "QuerySet[Any]":
        of_customer: QuerySet[Any] = events.alias(compared=without_spaces("customer__client_id"))
        return of_customer.filter(compared__iexact="".join(client_id.split()), bot_id__iexact=bot_id)

    return [Way(Match.EXACT, "BOT ID", narrow)]
