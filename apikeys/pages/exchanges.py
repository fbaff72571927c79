"""The list of exchanges with their guides, and those that are not offered, with the reason."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.base import Market
from apikeys.exchanges.registry import EXCHANGES, NOT_OFFERED, NotOffered
from apikeys.pages.directions import Directions, directions, key_name


@dataclass(frozen=True, slots=True)
class ExchangeList:
    """Both by name. our_apps: ids of exchanges where an app of ours is known."""

    offered: tuple[Adapter, ...]
    our_apps: frozenset[str]
    not_offered: tuple[NotOffered, ...]


@dataclass(frozen=True, slots=True)
class GuidePage:
    """others: the further markets for which this exchange has directions of their own."""

    exchange: str
    directions: Directions
    key_name: str
    others: tuple[Market, ...]


def exchange_list() -> ExchangeList:
    return ExchangeList(
        offered=tuple(sorted(EXCHANGES.values(), key=lambda adapter: adapter.name.upper())),
        our_apps=frozenset(settings.PARTNER_APPS),
        not_offered=NOT_OFFERED,
    )


def guide_page(adapter: Adapter, market: Market, now: datetime) -> GuidePage:
    return GuidePage(
        exchange=adapter.name,
        directions=directions(adapter, market),
        key_name=key_name(adapter, f"{now:%Y-%m}"),
        others=tuple(other for other in adapter.markets if other != market),
    )
