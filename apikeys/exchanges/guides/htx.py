"""HTX's page "API Management".

Sources: HTX's API documentation; help pages of trading services of 2024 to 2026; a public repository of 2026
for the address.
"""

from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    address="www.htx.com/en-us/apikey/",
    most_addresses=20,
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site} to your main account. Look at the address before you type your password.",
            "HTX tells what a key may do only for keys of the main account. A key of a sub-account cannot be"
            " proved, and so is not taken here.",
        ),
        Step(
            StepId.ACCOUNT,
            "If you have not passed HTX's identity check yet, do that first. Without it a key cannot trade.",
        ),
        Step(
            StepId.WAY,
            "Open your account menu, then [API Management], then [Create API Key].",
            "Where it asks for a type, take the one whose values HTX makes for you.",
        ),
        Step(StepId.NAME, "Write a note that you will know again:"),
        Step(
            StepId.RIGHTS,
            "Leave reading on and tick [Trade]. Never tick [Withdraw].",
            "[Trade] lets the key move funds between your own wallets and to your sub-accounts. HTX has no"
            " finer choice, and that is why the addresses below are needed.",
        ),
        Step(
            StepId.ADDRESSES,
            "Paste our addresses into the field for IP addresses, with commas between. HTX calls them"
            " optional; here they are needed.",
        ),
        Step(
            StepId.CONFIRM,
            "Create the key and confirm with your codes. HTX now shows an [Access Key] and a [Secret Key]. It"
            " shows the secret this once only, so leave that page open.",
        ),
        Step(StepId.PASTE, "Paste both values here, the access key as the API key."),
    ),
)
