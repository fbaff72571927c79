"""KuCoin's page "API Management".

Sources: KuCoin's support page on creating a key, its API documentation on names and passphrases; a picture of
the form of 2023. The box for moving funds between accounts is newer than the picture.
"""

from apikeys.exchanges.base import Market
from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    address="www.kucoin.com/account/api",
    most_addresses=20,
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}. Look at the address before you type your password. If your bot trades on a"
            " sub-account, open that sub-account first.",
            "KuCoin asks for your trading password when it makes a key. Set one in the security settings if"
            " you have none.",
        ),
        Step(
            StepId.ACCOUNT,
            "If you have never traded futures there, open futures trading first.",
            market=Market.DERIVATIVES,
        ),
        Step(StepId.WAY, "Open the menu behind your picture, then [API Management], then [Create API]."),
        Step(
            StepId.KIND,
            "Choose [API-Based Trading]. Do not choose [Link Third-Party Applications].",
        ),
        Step(StepId.NAME, "As [API Name], give it a name you will know again:"),
        Step(
            StepId.PASSPHRASE,
            "As [API Passphrase], make up one of 7 to 32 characters without spaces, and note it down now. You"
            " need it here, and KuCoin cannot tell it to you again.",
            "It is neither your password nor your trading password.",
        ),
        Step(
            StepId.RIGHTS,
            "Leave [General] on and tick the box for spot trading. Leave off everything about transfers,"
            " withdrawals, Earn and lead trading.",
            "A box called [Transfer] is the right to withdraw. Leave [Unified] off too: KuCoin does not say"
            " what else it allows.",
            market=Market.SPOT,
        ),
        Step(
            StepId.RIGHTS,
            "Leave [General] on and tick the box for futures trading. Leave off everything about transfers,"
            " withdrawals, Earn and lead trading.",
            "A box called [Transfer] is the right to withdraw. Leave [Unified] off too: KuCoin does not say"
            " what else it allows.",
            market=Market.DERIVATIVES,
        ),
        Step(
            StepId.ADDRESSES,
            "Restrict the key to trusted IP addresses, and paste ours.",
            "Without them KuCoin deletes a trading key that is not used for 30 days, or takes its trading"
            " rights.",
        ),
        Step(
            StepId.CONFIRM,
            "Confirm with your trading password and your codes. KuCoin now shows the key and the secret. It"
            " shows the secret this once only, so leave that page open.",
        ),
        Step(StepId.PASTE, "Paste the key, the secret and your passphrase here."),
    ),
)
