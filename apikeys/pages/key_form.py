"""The page on which a key is handed over: what stays, what the new key needs, and the guide to it."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.base import FORBIDDEN_RIGHTS, NEEDED_RIGHTS, Market, Right
from apikeys.exchanges.guide import Step
from apikeys.models import ApiKey, Bot
from apikeys.status import LIVE, WAITING, KeyStatus


@dataclass(frozen=True, slots=True)
class KeyFormPage:
    """needed and never: the exchange's own labels. addresses_line: in one line, as it takes them."""

    bot_id: str
    short_name: str
    exchange: str
    market: Market
    site: str
    active_key: ApiKey | None
    waiting_key: ApiKey | None
    addresses: tuple[str, ...]
    addresses_line: str
    needed: tuple[str, ...]
    never: tuple[str, ...]
    unbound_key_lives: str
    key_name: str
    guide: tuple[Step, ...]
    guide_address: str
    most_addresses: int | None
    after_errors: str


def key_form_page(bot: Bot, now: datetime) -> KeyFormPage:
    adapter = bot.adapter
    keys = list(ApiKey.objects.filter(bot=bot, status__in=LIVE).defer("sealed"))
    addresses = tuple(settings.PORTAL_EGRESS_IPS)
    market = Market(bot.market)
    boxes = "all three boxes are" if adapter.shape.passphrase else "both boxes are"
    needed = _labels(adapter, NEEDED_RIGHTS[market])
    return KeyFormPage(
        bot_id=bot.bot_id,
        short_name=bot.short_name,
        exchange=adapter.name,
        market=market,
        site=adapter.site,
        active_key=next((key for key in keys if key.status == KeyStatus.ACTIVE), None),
        waiting_key=next((key for key in keys if key.status in WAITING), None),
        addresses=addresses,
        addresses_line=adapter.address_separator.join(addresses),
        needed=needed,
        never=tuple(label for label in _labels(adapter, FORBIDDEN_RIGHTS) if label not in needed),
        unbound_key_lives=adapter.unbound_key_lives,
        key_name=f"Sequence {bot.short_name} {now:%Y-%m}",
        guide=adapter.guide.for_market(market),
        guide_address=adapter.guide.address,
        most_addresses=adapter.guide.most_addresses,
        after_errors=(
            f"Nothing was sent to {adapter.name}. For your safety {boxes} empty again, so paste every value."
        ),
    )


def _labels(adapter: Adapter, rights: tuple[Right, ...]) -> tuple[str, ...]:
    """Each label once, though it may stand for several rights; a right without one is no box to tick."""
    return tuple(dict.fromkeys(adapter.labels[right] for right in rights if right in adapter.labels))
