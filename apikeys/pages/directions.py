"""How a key is made at one exchange: what it needs, our addresses, and the guide. For form and guide page."""

from dataclasses import dataclass

from django.conf import settings

from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.base import FORBIDDEN_RIGHTS, NEEDED_RIGHTS, Market, Right
from apikeys.exchanges.guide import Step


@dataclass(frozen=True, slots=True)
class Directions:
    """needed and never: the exchange's own labels. addresses_line: in one line, as it takes them."""

    exchange: str
    market: Market
    site: str
    address: str
    most_addresses: int | None
    addresses: tuple[str, ...]
    addresses_line: str
    must_be_bound: bool
    unbound_key_lives: str
    without_our_app: str
    needed: tuple[str, ...]
    never: tuple[str, ...]
    steps: tuple[Step, ...]


def directions(adapter: Adapter, market: Market) -> Directions:
    addresses = tuple(settings.PORTAL_EGRESS_IPS)
    needed = _labels(adapter, NEEDED_RIGHTS[market])
    return Directions(
        exchange=adapter.name,
        market=market,
        site=adapter.site,
        address=adapter.guide.address,
        most_addresses=adapter.guide.most_addresses,
        addresses=addresses,
        addresses_line=adapter.address_separator.join(addresses),
        must_be_bound=adapter.must_be_bound,
        unbound_key_lives=adapter.unbound_key_lives,
        without_our_app="" if adapter.id in settings.PARTNER_APPS else adapter.without_our_app,
        needed=needed,
        never=tuple(label for label in _labels(adapter, FORBIDDEN_RIGHTS) if label not in needed),
        steps=adapter.guide.for_market(market),
    )


def key_name(adapter: Adapter, *rest: str) -> str:
    """What a key is to be called. One that is made through an app of ours is known as ours by its name."""
    return " ".join((settings.PARTNER_APPS.get(adapter.id, "Sequence"), *rest))


def _labels(adapter: Adapter, rights: tuple[Right, ...]) -> tuple[str, ...]:
    """Each label once, though it may stand for several rights; a right without one is no box to tick."""
    return tuple(dict.fromkeys(adapter.labels[right] for right in rights if right in adapter.labels))
