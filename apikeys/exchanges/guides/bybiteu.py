"""Bybit EU's page for keys.

Sources: Bybit's API documentation, "Integration Guidance", on what the EU site offers to users of an API
broker; what Bybit EU's assistant says of its keys. Most boxes are described: nobody has published the page's
own words.
"""

from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    address="www.bybit.eu/app/user/api-management",
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}. Look at the address before you type your password. A key of www.bybit.com"
            " does not work here. If your bot trades on a sub-account, switch to it first.",
        ),
        Step(StepId.WAY, "Open the page for API keys, and choose [Create New Key]."),
        Step(
            StepId.KIND,
            "Bybit EU may offer [Connect to Third-Party Applications] only. If Sequence is in that list,"
            " choose it: such a key is bound to us and does not end by itself. If it is not, choose the plain"
            " path for your own use. Never choose the name of another company.",
            "If you find neither our name nor the plain path, write to support before you make a key.",
        ),
        Step(
            StepId.NAME,
            "Give it a name you will know again:",
            "If the name of our app stands there already, you may leave it as it is.",
        ),
        Step(
            StepId.ADDRESSES,
            "On the plain path, bind the key to addresses and paste ours. A key that is bound to us by name"
            " has no list.",
        ),
        Step(
            StepId.RIGHTS,
            "Choose reading and writing, and tick spot trading and nothing else. Withdrawals, transfers and"
            " everything else about the wallet stay off.",
            "A box at the head of a group may tick everything below it. Look again before you go on.",
        ),
        Step(
            StepId.CONFIRM,
            "Submit and confirm with your codes. Bybit EU now shows the API key and the secret. It shows the"
            " secret this once only, so leave that page open.",
        ),
        Step(StepId.PASTE, "Paste both values here."),
    ),
)
