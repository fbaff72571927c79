"""MEXC's page "API Management".

Sources: a picture of the form of 2023 and public notes of July 2026 on its labels; MEXC's spot documentation.
"""

from apikeys.exchanges.base import Market
from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    address="www.mexc.com/user/openapi",
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}. Look at the address before you type your password.",
            "MEXC makes keys only for an account with two-factor sign-in.",
        ),
        Step(
            StepId.WAY,
            "Open your user menu, then [API Management]. The form for a new key is on that page.",
        ),
        Step(
            StepId.RIGHTS,
            "Under [Spot], tick [View Account Details], [View Order Details] and [Trade]. Tick nothing else,"
            " and nothing under [Futures].",
            "The same words stand under both heads. [Edit Account Info] is never needed.",
            market=Market.SPOT,
        ),
        Step(
            StepId.RIGHTS,
            "Under [Futures], tick [View Account Details], [View Order Details] and the right to place"
            " orders. Under [Spot], tick [View Account Details]: without it MEXC tells nobody what the key"
            " may do. Tick nothing else.",
            "The same words stand under both heads. [Edit Account Info] is never needed.",
            market=Market.DERIVATIVES,
        ),
        Step(StepId.NAME, "Write a name that you will know again into the notes:"),
        Step(
            StepId.ADDRESSES,
            "Paste our addresses as [Link IP Address], with commas between.",
            "The form calls them optional, but a key without any ends after 90 days.",
        ),
        Step(
            StepId.CONFIRM,
            "Press [Create] and confirm with your codes. MEXC now shows the [Access Key] and the [Secret"
            " Key]. It shows the secret this once only, so leave that page open.",
            "Not every pair can be traded by key. Look at the pairs of the new key in [My API Key].",
        ),
        Step(StepId.PASTE, "Paste both values here, the access key as the API key."),
    ),
)
