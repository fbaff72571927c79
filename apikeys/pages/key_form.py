"""The page on which a key is handed over: what stays, and how the new key is made."""

from dataclasses import dataclass
from datetime import datetime

from apikeys.exchanges.base import Market
from apikeys.models import ApiKey, Bot, ExchangeState
from apikeys.pages.directions import Directions, directions, key_name
from apikeys.status import LIVE, WAITING, KeyStatus


@dataclass(frozen=True, slots=True)
class KeyFormPage:
    """away: the exchange answers nobody at the moment, so that the check will take longer."""

    bot_id: str
    short_name: str
    exchange: str
    market: Market
    active_key: ApiKey | None
    waiting_key: ApiKey | None
    away: bool
    directions: Directions
    key_name: str
    after_errors: str


def key_form_page(bot: Bot, now: datetime) -> KeyFormPage:
    adapter = bot.adapter
    keys = list(ApiKey.objects.filter(bot=bot, status__in=LIVE).defer("sealed"))
    boxes = "all three boxes are" if adapter.shape.passphrase else "both boxes are"
    return KeyFormPage(
        bot_id=bot.bot_id,
        short_name=bot.short_name,
        exchange=adapter.name,
        market=Market(bot.market),
        active_key=next((key for key in keys if key.status == KeyStatus.ACTIVE), None),
        waiting_key=next((key for key in keys if key.status in WAITING), None),
        away=ExchangeState.objects.away(now).filter(exchange=adapter.id).exists(),
        directions=directions(adapter, Market(bot.market)),
        key_name=key_name(adapter, bot.short_name, f"{now:%Y-%m}"),
        after_errors=(
            f"Nothing was sent to {adapter.name}. For your safety {boxes} empty again, so paste every value."
        ),
    )
