"""Binance.US (binance.us), which speaks Binance's API at an address of its own: system-generated keys (HMAC).

Sources: Binance.US's API documentation ("Get user account information", "Limits": 1,200 weight a minute from
one address, errors), its help page on keys, which knows three rights (read, spot trading, withdrawal), and
Binance's "Get API Key Permission".

No page of Binance.US describes that call, and nobody has published an answer to it from there. An answer that
is not exactly as Binance writes it proves nothing, and no key passes by it; after 404, which says that there
is no such call, it is not asked again.
"""

from dataclasses import replace
from typing import Any

from apikeys.exchanges import binance
from apikeys.exchanges.adapter import (
    Adapter,
    Call,
    Clock,
    CredentialShape,
    Elsewhere,
    Own,
    Reply,
    Words,
)
from apikeys.exchanges.base import KeyReport, Market, Right, Trouble
from apikeys.exchanges.guides import binanceus as guide
from apikeys.findings import FindingCode

# The account's number costs 20 of the weight; both are paid for at once, so that no check is left in between.
PERMISSIONS = replace(binance.PERMISSIONS, turns=21)
ACCOUNT = Call("account", ("private",), turns=0)
NO_SUCH_CALL = "HTTP 404"
# Binance.US has spot trading only, so that a flag for another product need not be there.
NO_SUCH_PRODUCTS = (Right.MARGIN, Right.DERIVATIVES, Right.OPTIONS)


def read_report(reply: Any, own: Own) -> KeyReport:
    """As at Binance; absent flags of products that do not exist here are False, all others are not said."""
    report = binance.read_report(reply, own)
    absent = {right: False for right in NO_SUCH_PRODUCTS if report.rights[right] is None}
    return replace(report, rights={**report.rights, **absent})


def read_refusal(reply: Reply) -> Trouble | None:
    """Of the question about the rights."""
    if reply.status == 404:
        return Trouble(FindingCode.UNPROVEN_PERMISSION, NO_SUCH_CALL)
    return binance.read_trouble(reply)


ADAPTER = Adapter(
    id="binanceus",
    name="Binance.US",
    site="www.binance.us",
    key_page="API Management",
    markets=(Market.SPOT,),
    calls=(PERMISSIONS, ACCOUNT),
    converse=binance.conversation(PERMISSIONS, ACCOUNT, read_report, read_refusal),
    read_trouble=binance.read_trouble,
    shape=CredentialShape(
        *(r"[A-Za-z0-9]{64}", "64 letters and digits."),
        *(r"[A-Za-z0-9]{64}", "64 letters and digits, shown once by Binance.US."),
    ),
    labels={
        Right.READ: "the box for reading",
        Right.SPOT: "Enable Spot & Margin Trading",
        Right.MARGIN: "anything about margin loans",
        Right.WITHDRAW: "the box for withdrawals",
        Right.TRANSFER: "anything about transfers",
    },
    guide=guide.GUIDE,
    calls_per_second=10.0,
    clock=Clock(Call("time", ("public",)), binance.read_clock),
    elsewhere=(
        Elsewhere(
            *("Binance", "api.binance.com", FindingCode.WRONG_REGION),
            *(binance.PERMISSIONS, binance.read_trouble),
        ),
    ),
    unknown_key_codes=binance.UNKNOWN_KEY,
    words={
        NO_SUCH_CALL: Words(
            found="It does not answer this question",
            to_do="As long as {name} does not state what a key may do, we cannot take one. Write to support.",
        ),
    },
    unbound_key_lives="Binance.US advises a new key every 90 days, and has ended keys that were not in use.",
)
