"""The page "API Keys" of the Coinbase Developer Platform.

Sources: Coinbase's pages "API key authentication" and "Portfolios", and the manual of its command line client
(2026); a help page of a trading service on the way there.
"""

from apikeys.exchanges.guide import Guide, Step, StepId

GUIDE = Guide(
    address="portal.cdp.coinbase.com/projects/api-keys",
    steps=(
        Step(
            StepId.SIGN_IN,
            "Sign in at {site} with your usual Coinbase login. Look at the address before you type your"
            " password.",
            "On coinbase.com you get there by the grid of dots, then [Developer Platform]. A project is made"
            " for you at the first visit.",
        ),
        Step(
            StepId.ACCOUNT,
            "If your bot is to trade in a portfolio of its own, make that portfolio first. A key sees one"
            " portfolio only.",
        ),
        Step(
            StepId.WAY,
            "Open [API Keys], then [Secret API Keys], and press [Create API key].",
            "A [Client API Key] is another thing, and cannot trade.",
        ),
        Step(StepId.NAME, "Give it a nickname you will know again:"),
        Step(
            StepId.ADDRESSES,
            "Open [API restrictions] and paste our addresses into [IP allowlist].",
        ),
        Step(
            StepId.RIGHTS,
            "In the same place choose the portfolio, leave [View (read-only)] on and tick [Trade]. Tick"
            " nothing else: [Transfer] sends funds away.",
        ),
        Step(
            StepId.KIND,
            "Open [Advanced Settings] and choose [ECDSA] as signature algorithm. Ed25519 is preset there, and"
            " trading does not take it.",
        ),
        Step(
            StepId.CONFIRM,
            "Press [Create & Download] and confirm with your code. You get a file with the key's name and its"
            " private key, this once only.",
            "A new key may take a while until Coinbase accepts it.",
        ),
        Step(
            StepId.PASTE,
            "Choose that file here, or paste both values: the name as the API key, the private key as the"
            " secret.",
        ),
    ),
)
