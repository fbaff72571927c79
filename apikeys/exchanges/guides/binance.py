"""Binance's page "API Management".

Sources: Binance's help pages on creating a key and on key types; its derivatives quick start; a picture of
the form of November 2024, whose labels public notes of 2026 repeat.
"""

from apikeys.exchanges.base import Market
from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    address="www.binance.com/en/my/settings/api-management",
    most_addresses=30,
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}. Look at the address before you type your password.",
            "Binance makes keys only for an account with identity check, two-factor sign-in and a first"
            " deposit.",
        ),
        Step(
            StepId.ACCOUNT,
            "If you have never traded futures there, open the futures account first. A key made before that"
            " cannot trade futures.",
            market=Market.DERIVATIVES,
        ),
        Step(
            StepId.WAY,
            "Open your account menu, then [API Management], then [Create API].",
        ),
        Step(
            StepId.KIND,
            "Choose [System generated].",
            "If you make your own key pair, choose [Self-generated], paste the public half there, and the"
            " file with the private half here as the secret.",
        ),
        Step(StepId.NAME, "Give it a name you will know again:"),
        Step(
            StepId.CONFIRM,
            "Confirm with your passkey or codes. Binance now shows an [API Key] and a [Secret Key]. It shows"
            " the secret this once only, so leave that page open.",
        ),
        Step(
            StepId.ADDRESSES,
            "Choose [Edit restrictions]. Before any box, set [Restrict access to trusted IPs only"
            " (Recommended)], paste our addresses, and press [Confirm].",
        ),
        Step(
            StepId.RIGHTS,
            "Tick what is needed and nothing else, then [Save], and confirm once more.",
            "Above the list stands a ticked box about [Default Security Controls]. Leave it ticked.",
        ),
        Step(StepId.PASTE, "Paste both values here."),
    ),
)
