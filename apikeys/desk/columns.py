"""What lists and plain pages show in words, where a row holds an id or JSON."""

from django.contrib import admin

from apikeys.exchanges.registry import EXCHANGES
from apikeys.models import Bot, BotRequest, EngineToken, ExchangeState, Job, Scope


class NamesExchange:
    """For admins of rows that hold the id of an exchange."""

    @admin.display(description="exchange")
    def exchange_name(self, row: Bot | BotRequest | ExchangeState | Job) -> str:
        """A job may be about none; an id that is no longer offered stays as it is."""
        adapter = EXCHANGES.get(row.exchange)
        return adapter.name if adapter else row.exchange or "-"


# Lists read no JSON but that of their columns, which these name as what they would be ordered by.
@admin.display(description="scopes", ordering="scopes")
def scopes(token: EngineToken) -> str:
    return ", ".join(str(Scope(scope).label) for scope in token.scopes)


@admin.display(description="addresses", ordering="addresses")
def addresses(token: EngineToken) -> str:
    return ", ".join(token.addresses) or "Anywhere"
