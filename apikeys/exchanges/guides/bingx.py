"""BingX's page "API Management".

Sources: the notes on BingX's own key page (numbers, addresses, idle keys); a picture of its form of December
2024 in the guide of a public trading bot; BingX's documentation, "Permission Settings".
"""

from apikeys.exchanges.base import Market
from apikeys.exchanges.guide import Guide, Step, StepId

_ELSE = "[Universal Transfer], [Withdraw] and [Manage Subaccounts] stay off."

GUIDE = Guide(
    address="bingx.com/account/api/",
    most_addresses=20,
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}. Look at the address before you type your password. If your bot trades on a"
            " sub-account, sign in to that one.",
            "BingX makes keys only after its identity check.",
        ),
        Step(
            StepId.ACCOUNT,
            "Open perpetual futures on your account first, if you have never traded them there. A key covers"
            " spot and perpetual futures, and no other product.",
            market=Market.DERIVATIVES,
        ),
        Step(StepId.WAY, "Open your profile menu, then [API Management], then [Create API]."),
        Step(StepId.NAME, "Under [Label the API Key], give it a name you will know again:"),
        Step(
            StepId.RIGHTS,
            "Under [Permissions], [Read] is on. Tick [Spot Trading] and nothing else.",
            _ELSE,
            market=Market.SPOT,
        ),
        Step(
            StepId.RIGHTS,
            "Under [Permissions], [Read] is on. Tick [Perpetual Futures Trading] and nothing else.",
            _ELSE,
            market=Market.DERIVATIVES,
        ),
        Step(
            StepId.ADDRESSES,
            "Under [IP Address Whitelist (Optional)], paste our addresses. Do not leave them out: BingX"
            " deletes a trading key without addresses after 14 days without use.",
        ),
        Step(
            StepId.CONFIRM,
            "Press [Confirm] and enter the codes from your mail and your authenticator. BingX now shows the"
            " API key and the secret. It shows the secret this once only, so leave that page open.",
        ),
        Step(StepId.PASTE, "Paste both values here."),
    ),
)
