"""Kraken Pro's page "API", in its settings.

Sources: Kraken's support article "How to create an API key on Kraken Pro" (March 2025) and its article on the
nonce window; a picture of the form of 2024; help pages of trading services of 2024 to 2026.
"""

from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}. Look at the address before you type your password.",
            "The plain Kraken site sends you there as well. A key of Kraken Futures, which has a site of its"
            " own, does not work here.",
        ),
        Step(
            StepId.WAY,
            "Open the menu of your profile icon, then [Settings], then [API], and press [Create API key].",
        ),
        Step(StepId.NAME, "Give it a name you will know again:"),
        Step(
            StepId.RIGHTS,
            "Under [Funds permissions], tick [Query]. Under [Orders and trades], tick all four boxes. You may"
            " switch on [WebSocket interface]. Tick nothing else.",
            "Leave [Key expiration], [Query start date] and [Query end date] off.",
        ),
        Step(
            StepId.ADDRESSES,
            "Switch on [IP address restriction] and paste our addresses, with commas and no spaces between.",
        ),
        Step(
            StepId.CONFIRM,
            "Switch on [Custom nonce window] and enter 10000. Then press [Generate key] and confirm with your"
            " code. Kraken now shows the API key and the private key. It shows the private key this once"
            " only, so leave that page open.",
            "Every call carries a number that has to rise. Our checks and your bot share it, and the window"
            " lets neither disturb the other. If the form offers two-factor sign-in for the key itself, leave"
            " it off: a bot cannot type codes.",
        ),
        Step(StepId.PASTE, "Paste both values here, the private key as the secret."),
    ),
)
