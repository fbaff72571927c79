"""Bybit's page "API Management".

Sources: Bybit's help centre on RSA keys (November 2025), its API documentation, and notes of trading services
of 2024 to 2026 on the form's labels.
"""

from apikeys.exchanges.base import Market
from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    address="www.bybit.com/app/user/api-management",
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}. Look at the address before you type your password. If your bot trades on a"
            " sub-account, switch to it first.",
            "Bybit makes keys only for an account with Google two-factor sign-in. A new account waits 48"
            " hours.",
        ),
        Step(
            StepId.WAY,
            "Open your profile menu, then [API], then [Create New Key], and choose"
            " [System-generated API Keys].",
            "If you make your own RSA key pair, choose [Self-generated API Keys], paste the public half"
            " there, and the file with the private half here as the secret.",
        ),
        Step(
            StepId.KIND,
            "As usage, choose [API Transaction]. Do not choose [Connect to Third-Party Applications].",
        ),
        Step(StepId.NAME, "Give it a name you will know again:"),
        Step(
            StepId.ADDRESSES,
            "Choose [Read-Write], then [Only IPs with permissions granted are allowed to access the OpenAPI],"
            " and paste our addresses.",
        ),
        Step(
            StepId.RIGHTS,
            "Under [SPOT], tick [Trade]. Tick nothing else, and not the head [Unified Trading]: that one"
            " ticks everything below it.",
            market=Market.SPOT,
        ),
        Step(
            StepId.RIGHTS,
            "Under [Contract], tick [Orders] and [Positions]. Tick nothing else, and not the head"
            " [Unified Trading]: that one ticks everything below it.",
            market=Market.DERIVATIVES,
        ),
        Step(
            StepId.CONFIRM,
            "Press [Submit] and confirm with your codes. Bybit now shows the API key and the secret. It shows"
            " the secret this once only, so leave that page open.",
        ),
        Step(StepId.PASTE, "Paste both values here."),
    ),
)
