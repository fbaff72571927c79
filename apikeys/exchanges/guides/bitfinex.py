"""Bitfinex's page "API".

Sources: Bitfinex's support article "How to create and revoke a Bitfinex API Key", which names the rights and
what each allows; its API documentation, "API Access". The texts of the switches are not published.
"""

from apikeys.exchanges.base import Market
from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    most_addresses=20,
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}. Look at the address before you type your password. If your bot trades on a"
            " sub-account, switch to it first. A paper trading account does not work here.",
        ),
        Step(
            StepId.ACCOUNT,
            "Derivatives must be open on your account. If you cannot trade them by hand, your bot cannot"
            " either.",
            market=Market.DERIVATIVES,
        ),
        Step(
            StepId.WAY,
            "Open your profile menu, then [Account], then [API], and choose [Create New Key].",
            "Make a key for this bot alone. Bitfinex numbers the calls of a key, and two programs that share"
            " one shut each other out; it allows as many keys as you need.",
        ),
        Step(
            StepId.RIGHTS,
            "Under [Orders], switch on viewing, and creating and cancelling. Under [Wallets], switch on"
            " viewing only. Under [Account Info] leave viewing on: it tells us that the account is still the"
            " same. Under [Account History] viewing may stay on. Everything else stays off.",
            "[Withdrawals], transferring under [Wallets], offering under [Margin Funding], [Bitfinex Pay] and"
            " editing under [Account Info] must be off.",
            market=Market.SPOT,
        ),
        Step(
            StepId.RIGHTS,
            "Under [Orders], switch on viewing, and creating and cancelling. Under [Margin Trading] and"
            " [Wallets], switch on viewing only. Under [Account Info] leave viewing on: it tells us that the"
            " account is still the same. Under [Account History] viewing may stay on. Everything else stays"
            " off.",
            "[Withdrawals], transferring under [Wallets], offering under [Margin Funding], [Bitfinex Pay] and"
            " editing under [Account Info] must be off. Claiming positions is not needed.",
            market=Market.DERIVATIVES,
        ),
        Step(
            StepId.ADDRESSES,
            "Under [IP Access restrictions], enter our addresses.",
            "Bitfinex does not tell us whether you did, so look twice.",
        ),
        Step(StepId.NAME, "Give it a label you will know again:"),
        Step(
            StepId.CONFIRM,
            "Press [Generate API Key] and confirm with your code or security key. Then open the link in"
            " Bitfinex's mail in this same browser, and press [Create API Key]. Bitfinex shows the secret"
            " this once only, so leave that page open.",
        ),
        Step(StepId.PASTE, "Paste both values here."),
    ),
)
