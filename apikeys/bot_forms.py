"""Forms about bots: what a customer asks for, and what support sets up."""

from typing import Any

from django import forms

from accounts.desk.forms import ReasonField, ReasonForm
from accounts.forms import SECRET_IN_NOTE
from accounts.identifiers import BOT_ID_MAX, CLIENT_ID_MAX, canonical
from accounts.models import User
from accounts.slips import refuse_secrets
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows.add_bot import of_customer
from apikeys.models import Bot

# One choice for both: not every exchange has every market.
MARKETS = tuple(
    (f"{adapter.id}:{market.value}", f"{adapter.name}, {market.label}")
    for adapter in EXCHANGES.values()
    for market in adapter.markets
)


class MarketField(forms.ChoiceField):
    """Gives the exchange's id and the market."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label="Exchange and market",
            choices=(("", "Choose one"), *MARKETS),
            error_messages={"required": "Choose where the bot is to trade."},
            **options,
        )

    def clean(self, value: Any) -> tuple[str, str]:
        exchange, _, market = super().clean(value).partition(":")
        return exchange, market


class BotRequestForm(forms.Form):
    where = MarketField()
    note = forms.CharField(
        label="Anything support should know (optional)",
        help_text="For example the strategy that you would like. Never a key, a password or a code.",
        max_length=500,
        required=False,
        error_messages={"max_length": "This is longer than 500 characters. Support will ask for the rest."},
        validators=[refuse_secrets(SECRET_IN_NOTE)],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class BotIdForm(forms.Form):
    """The BOT ID of a new bot of this customer."""

    bot_id = forms.CharField(label="BOT ID", max_length=BOT_ID_MAX)

    def __init__(self, customer: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer
        self.fields["bot_id"].initial = f"{customer.client_id} / "
        begin = f"It begins with the User ID, such as {customer.client_id} / BTC-1."
        self.fields["bot_id"].help_text = f"{begin} Spaces do not matter."

    def clean_bot_id(self) -> str:
        bot_id = of_customer(self.cleaned_data["bot_id"], self.customer)
        if not bot_id:
            raise forms.ValidationError(
                f"A BOT ID of this customer begins with {self.customer.client_id} / and then has a name."
            )
        if not bot_id.isprintable():
            raise forms.ValidationError("This holds characters that cannot be shown.")
        return bot_id


class AddBotForm(BotIdForm):
    where = MarketField()

    field_order = ("where", "bot_id")


class DeclineForm(forms.Form):
    answer = ReasonField(
        label="Why",
        help_text="The customer is mailed this sentence.",
        sentence="This looks like a key or a secret. The customer is mailed this: leave it out.",
    )


class MoveBotForm(ReasonForm):
    client_id = forms.CharField(
        label="User ID of the other customer", max_length=CLIENT_ID_MAX, help_text="Such as 0x1A2 / JaneDoe."
    )

    field_order = ("client_id", "reason")

    def __init__(self, bot: Bot, *args: Any) -> None:
        super().__init__(*args)
        self.bot = bot

    def clean_client_id(self) -> User:
        typed = canonical(self.cleaned_data["client_id"])
        customer = User.objects.filter(client_id__iexact=typed, is_active=True).first()
        if customer is None:
            raise forms.ValidationError("There is no customer of this User ID.")
        if customer.pk == self.bot.customer_id:
            raise forms.ValidationError("The bot belongs to this customer already.")
        return customer
