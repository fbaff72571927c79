"""What every mail about a key names."""

from datetime import UTC

from apikeys.models import ApiKey, Bot
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


def life(key: ApiKey) -> str:
    """How long the exchange lets the key live, as it said: a few words for a row of a table."""
    if key.expires_at is not None:
        end = key.expires_at.astimezone(UTC)
        return f"Until {end.day} {end:%B %Y}"
    if key.permanent:
        return "Permanent"
    return f"Not stated by {key.adapter.name}"
