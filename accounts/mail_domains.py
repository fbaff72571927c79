"""Which mail domains Microsoft runs: known by name, or told by their mail exchangers.

A third party's filter in front hides the mailbox behind it, so "no" means that no exchanger of Microsoft was
seen.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.db.models import TextChoices

_DOMAINS = Path(__file__).parent / "data" / "microsoft_domains.txt"


class Provider(TextChoices):
    UNKNOWN = "unknown", "Not known"
    CONSUMER = "consumer", "Microsoft, consumer"
    MICROSOFT_365 = "microsoft_365", "Microsoft 365"
    OTHER = "other", "No Microsoft exchanger seen"


MICROSOFT = (Provider.CONSUMER, Provider.MICROSOFT_365)

# How Microsoft names its exchangers; the last is the newer form for companies. With the leading dot, so that
# nobody else's name ends alike.
_EXCHANGERS = {
    ".olc.protection.outlook.com": Provider.CONSUMER,
    ".mail.protection.outlook.com": Provider.MICROSOFT_365,
    ".mx.microsoft": Provider.MICROSOFT_365,
}


def domain_of(email: str) -> str:
    """The part behind the last @ in its one form: lower case, IDNA-encoded, without a trailing dot."""
    domain = email.rpartition("@")[2].strip().rstrip(".").lower()
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def is_known_by_name(email: str) -> bool:
    """Of a consumer domain of Microsoft, as the address itself tells: nothing is looked up."""
    return domain_of(email) in _known_by_name()


def provider_of(exchangers: Iterable[str]) -> tuple[Provider, str]:
    """Who receives the mail behind these exchangers, and which one told; OTHER where none is Microsoft's."""
    for exchanger in exchangers:
        host = exchanger.rstrip(".").lower()
        for suffix, provider in _EXCHANGERS.items():
            if host.endswith(suffix):
                return provider, host
    return Provider.OTHER, ""


@cache
def _known_by_name() -> frozenset[str]:
    """Tier A. What other sources name besides is decided by exchangers, as any other domain."""
    rows = (line.split("\t") for line in _DOMAINS.read_text(encoding="utf-8").splitlines())
    return frozenset(row[0] for row in rows if row[1:2] == ["A"])
