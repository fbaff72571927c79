"""Gate's page "API Management".

Sources: Gate's help page on keys and its API v4 documentation; help pages of trading services of 2024 and
2025, a picture of the form of 2023. Rights beside spot, futures, wallet, withdrawals and account are
described, since no source shows their labels.
"""

from apikeys.exchanges.base import Market
from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    address="www.gate.com/myaccount/profile/api-key/manage",
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}, to your main account. Look at the address before you type your password.",
            "Gate does not say what a key of a sub-account may do, so we cannot take one. Gate asks for your"
            " fund password when it makes a key: set one first if you have none.",
        ),
        Step(
            StepId.ACCOUNT,
            "If you have never traded futures there, move some funds into the futures account first: before"
            " that it does not exist.",
            market=Market.DERIVATIVES,
        ),
        Step(StepId.WAY, "Open your profile menu, then [API Management], then [Create API Key]."),
        Step(StepId.KIND, "Choose [API v4 Key] and your trading account."),
        Step(StepId.NAME, "As the key's remark, give it a name you will know again:"),
        Step(
            StepId.ADDRESSES,
            "Under [IP Permissions], bind IP addresses and paste ours. Do not choose [Later].",
            "A key that is bound to no address ends after 90 days.",
        ),
        Step(
            StepId.RIGHTS,
            "Set [Spot] to [Read And Write] and [Account] to [Read Only]. Leave all others off: [Withdraw] is"
            " refused, and so is [Wallet] with [Read And Write].",
            "Leave the list of trading pairs alone, or choose all pairs that your bot trades.",
            market=Market.SPOT,
        ),
        Step(
            StepId.RIGHTS,
            "Set [Perpetual Futures] to [Read And Write] and [Account] to [Read Only]. Leave all others off:"
            " [Withdraw] is refused, and so is [Wallet] with [Read And Write].",
            "Leave the list of trading pairs alone, or choose all pairs that your bot trades.",
            market=Market.DERIVATIVES,
        ),
        Step(
            StepId.CONFIRM,
            "Press [Submit], accept the [Risk Reminder], and confirm with your fund password and code. Gate"
            " now shows the key and the secret. Copy both before you close the window.",
        ),
        Step(StepId.PASTE, "Paste both values here."),
    ),
)
