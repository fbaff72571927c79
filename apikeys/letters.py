"""What every mail about a key names."""

from apikeys.models import Bot
from notifications.facts import Fact


def facts(bot: Bot) -> dict[str, Fact]:
    """User ID, BOT ID, exchange and market, as the templates under templates/emails name them."""
    return {
        "client_id": bot.customer.client_id,
        "bot_id": bot.bot_id,
        "exchange_name": bot.adapter.name,
        "market": bot.market,
        "key_page": bot.adapter.key_page,
    }
