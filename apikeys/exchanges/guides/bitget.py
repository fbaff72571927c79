"""Bitget's page "API Keys".

Sources: a picture of the form of November 2025; help pages of trading services of 2023 to 2026; Bitget's
support page on keys of one's own making. The boxes for copy trading, transfers, withdrawals, sub-accounts and
P2P, and those of a unified account, are described, since no source shows their labels.
"""

from apikeys.exchanges.base import Market
from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    address="www.bitget.com/account/newapi",
    most_addresses=30,
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}. Look at the address before you type your password.",
            "Bitget makes keys only for an account with identity check and two-factor sign-in.",
        ),
        Step(
            StepId.ACCOUNT,
            "If you have never traded futures there, open the futures account and move some funds into it"
            " first.",
            market=Market.DERIVATIVES,
        ),
        Step(StepId.WAY, "Open your profile menu, then [API Keys], then [Create API Key]."),
        Step(
            StepId.KIND,
            "Choose [System-generated API key].",
            "We cannot take a [User-generated API key], nor one that is linked to another company's app.",
        ),
        Step(StepId.NAME, "As [Note], give it a name you will know again:"),
        Step(
            StepId.PASSPHRASE,
            "As [Passphrase], make up one of 8 to 32 letters and digits, and note it down now. You need it"
            " here, and Bitget shows it no more.",
            "It is not your password at Bitget.",
        ),
        Step(
            StepId.ADDRESSES,
            "Paste our addresses into the box for linked IP addresses.",
        ),
        Step(
            StepId.RIGHTS,
            "Set [Permissions] to [Read-write], and tick [Spot]. Tick nothing else, and never [Select all]:"
            " that one gives transfers and withdrawals too.",
            "On a unified account, tick the box for trading and not the one for managing the account.",
            market=Market.SPOT,
        ),
        Step(
            StepId.RIGHTS,
            "Set [Permissions] to [Read-write] and, under [Futures], tick [Orders] and [Holdings]. Tick"
            " nothing else, and never [Select all]: that one gives transfers and withdrawals too.",
            "On a unified account, tick the box for trading and not the one for managing the account.",
            market=Market.DERIVATIVES,
        ),
        Step(
            StepId.CONFIRM,
            "Press [Next] and confirm with your codes. Bitget now shows the key and the secret. It shows the"
            " secret this once only, so leave that page open.",
        ),
        Step(StepId.PASTE, "Paste the key, the secret and your passphrase here."),
    ),
)
