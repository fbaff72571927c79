"""What lists and plain pages show in words, where a row holds an id or JSON."""

from django.contrib import admin

from apikeys.exchanges.registry import name_of
from apikeys.models import Bot, BotRequest, EngineToken, ExchangeState, Job, Scope


class NamesExchange:
    """For admins of rows that hold the id of an exchange."""

    @admin.display(description="exchange")
    def exchange_name(self, row: Bot | BotRequest | ExchangeState | Job) -> str:
        return name_of(row.exchange) or "-"  # a job may be about none


# Lists read no JSON but that of their columns, which these name as what they would be ordered by.
@admin.display(description="scopes", ordering="scopes")
def scopes(token: EngineToken) -> str:
    labels = dict(Scope.choices)
    return ", ".join(str(labels.get(scope, scope)) for scope in token.scopes)


@admin.display(description="addresses", ordering="addresses")
def addresses(token: EngineToken) -> str:
    return ", ".join(token.addresses) or "Anywhere"
