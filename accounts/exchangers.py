"""Asks the DNS for the mail exchangers of a domain. For workers only: an answer may take seconds."""

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from django.conf import settings


class NoAnswerError(Exception):
    """No server said anything about the domain. Names the class of what went wrong."""


def exchangers_of(domain: str) -> list[str]:
    """Host names, the preferred one first; empty where a domain has none. Raises NoAnswerError."""
    try:
        # From the root, so that no search domain of this machine is tried.
        name = dns.name.from_text(domain, origin=dns.name.root)
        answer = _resolver().resolve(name, "MX", search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise NoAnswerError(type(error).__name__) from None
    found = sorted(answer, key=lambda record: record.preference)
    return [record.exchange.to_text() for record in found]


def _resolver() -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=not settings.DNS_SERVERS)
    if settings.DNS_SERVERS:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(ip, port) for ip, port in settings.DNS_SERVERS]
    resolver.lifetime = settings.DNS_PATIENCE.total_seconds()
    return resolver
