"""Binance.US's page "API Management".

Sources: Binance.US's help page on API keys; guides of two trading services of 2026. Most boxes are described
here, since nobody has published the page's own words.
"""

from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site}. Look at the address before you type your password. A key of www.binance.com"
            " does not work here.",
            "Binance.US makes keys only after its basic verification.",
        ),
        Step(StepId.WAY, "Point at your mail address in the top bar, and open [API Management]."),
        Step(StepId.NAME, "Type a label you will know again:"),
        Step(
            StepId.CONFIRM,
            "Press [Create API], enter your code, and open the link in the mail from Binance.US. It now shows"
            " the API key and the secret. It shows the secret this once only, so leave that page open.",
            "If you are asked which kind of key, choose the one that is generated for you.",
        ),
        Step(
            StepId.ADDRESSES,
            "Choose [Edit Restrictions], then [Restrict access to trusted IPs only], and enter our"
            " addresses.",
        ),
        Step(
            StepId.RIGHTS,
            "Leave reading on and tick spot trading. It may be called [Enable Spot & Margin Trading]. The"
            " boxes for withdrawals and for transfers stay off. Then save.",
        ),
        Step(StepId.PASTE, "Paste both values here."),
    ),
)
