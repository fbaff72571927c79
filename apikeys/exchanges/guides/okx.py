"""OKX's page for keys, "API".

Sources: OKX's API FAQs of June 2026 (global) and August 2026 (EEA); its API overview (20 addresses, 14 days);
help pages of trading services of 2026 on the form's labels. The form's other uses have labels that no source
shows.
"""

from apikeys.exchanges.base import Market
from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    address="www.okx.com/account/my-api",
    most_addresses=20,
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in on the OKX site where you opened the account: {site}, my.okx.com for Europe, or"
            " app.okx.com for the United States. Look at the address before you type your password.",
            "The key page has the same path on each of them. Use the website, not the app.",
        ),
        Step(
            StepId.ACCOUNT,
            "Look at the account mode in the settings of OKX's trading page. In [Spot mode] an account trades"
            " no futures: choose another mode first.",
            market=Market.DERIVATIVES,
        ),
        Step(
            StepId.WAY,
            "Open your profile menu, then [API and connections], then [Create API key].",
            "Older pages call the menu [API].",
        ),
        Step(
            StepId.KIND,
            "Under [Used for], choose [API trading]. Do not choose [Linking third-party apps].",
            "Best is a sub-account of its own for the bot, chosen as the key's account: the key then reaches"
            " only what is there.",
        ),
        Step(StepId.NAME, "As [API key name], give it a name you will know again:"),
        Step(
            StepId.PASSPHRASE,
            "Make up a passphrase for this key and note it down now. You need it here, and OKX cannot tell it"
            " to you again.",
            "It is not your password at OKX.",
        ),
        Step(
            StepId.ADDRESSES,
            "Paste our addresses into the box for allowed IP addresses. Without them we cannot take the key.",
            "At OKX the right to trade also moves funds to your sub-accounts. Bound to our addresses, nobody"
            " else can use it.",
        ),
        Step(StepId.RIGHTS, "Tick [Read] and [Trade]. Never tick [Withdraw]."),
        Step(
            StepId.CONFIRM,
            "Confirm with your codes, and press [View] at the new key. Copy the API key and the secret key"
            " before you close the window: do not count on seeing the secret again.",
        ),
        Step(StepId.PASTE, "Paste the key, the secret and your passphrase here."),
    ),
)
