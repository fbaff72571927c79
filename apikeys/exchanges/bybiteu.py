"""Bybit EU (bybit.eu), which speaks Bybit's API at an address of its own; neither knows the other's keys.

Sources: Bybit's V5 documentation, "Integration Guidance" (its address, and that the EU site lets users of an
API broker only "Connect to Third-Party Applications"); what Bybit EU's own assistant says of its keys. What a
reply says of a key is read as at Bybit; no page tells of any difference.

Only spot is offered: the assistant names spot and convert, and nothing confirms that derivatives can be
traded by API there. The words of its key page are not published, and are described.
"""

from apikeys.exchanges import bybit
from apikeys.exchanges.adapter import Adapter, CredentialShape, Elsewhere, Words, ask_once
from apikeys.exchanges.base import KeyKind, Market, Right
from apikeys.exchanges.bybit_reading import read_report
from apikeys.exchanges.guides import bybiteu as guide
from apikeys.findings import FindingCode

ADAPTER = Adapter(
    id="bybiteu",
    name="Bybit EU",
    site="www.bybit.eu",
    key_page="API Management",
    markets=(Market.SPOT,),
    calls=(bybit.QUESTION,),
    converse=ask_once(bybit.QUESTION, read_report, bybit.read_trouble),
    read_trouble=bybit.read_trouble,
    shape=CredentialShape(
        *(bybit.SHAPE.key_pattern, "Letters and digits, usually 18."),
        *(bybit.SHAPE.secret_pattern, "Letters and digits, usually 36, shown once by Bybit EU."),
        key_files=(KeyKind.RSA,),
    ),
    labels={
        Right.SPOT: "reading and writing, with spot trading",
        Right.WITHDRAW: "withdrawals",
        Right.TRANSFER: "transfers of any kind, and block trades",
        Right.FIAT: "anything about fiat, payments, cards and affiliates",
        Right.CONVERT: "anything about conversions",
        Right.EARN: "anything about Earn",
        Right.P2P: "anything about peer-to-peer trades",
        Right.COPY: "anything about copy trading",
        Right.KEY_EDIT: "everything about the wallet",
    },
    guide=guide.GUIDE,
    calls_per_second=bybit.ADAPTER.calls_per_second,
    clock=bybit.CLOCK,
    elsewhere=(
        Elsewhere("Bybit", "api.bybit.com", FindingCode.WRONG_REGION, bybit.QUESTION, bybit.read_trouble),
    ),
    unknown_key_codes=bybit.UNKNOWN_KEY,
    words={
        FindingCode.IP_BLOCKED: Words(
            to_do="Open the key at {page} and add our addresses to its list. A key made for another company's"
            " app has no list: make a new one, for Sequence or on the plain path for your own use.",
        ),
        FindingCode.APP_FOREIGN: Words(
            needed="Sequence, or your own use",
            to_do="Make a new key: choose Sequence in the list of apps, or the plain path for your own use."
            " If {name} offers you neither, write to support.",
        ),
    },
    without_our_app=(
        "Bybit EU may offer you keys for listed apps only, and Sequence is not on its list yet. Write to"
        " support before you make a key."
    ),
    address_separator=",",
    unbound_key_lives=bybit.UNBOUND_KEY_LIVES,
)
