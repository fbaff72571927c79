"""Bybit (bybit.com): system-generated keys (HMAC) and self-generated ones (RSA).

Sources: Bybit's V5 documentation, pages "Error Codes", "Rate Limit Rules" (600 calls in 5 seconds from one
address) and "Integration Guidance" (hosts of its countries, Japan's under a name of its own, testnet and
demo); what it says of a key is read in `bybit_reading.py`. Names of boxes are those of its key page.

A public client for Node.js has left the Dutch host out by now, and names one of Hong Kong that others write
differently: the former stays as long as the documentation names it, the latter is not asked.
"""

from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.adapter import (
    NO_LIST_OF_AN_APP,
    Adapter,
    Call,
    Clock,
    CredentialShape,
    Elsewhere,
    Host,
    Reply,
    ask_once,
)
from apikeys.exchanges.base import KeyKind, Market, Right, Trouble
from apikeys.exchanges.bybit_reading import read_report
from apikeys.exchanges.guides import bybit as guide
from apikeys.findings import FindingCode

QUESTION = Call("v5/user/query-api", ("private",))

TROUBLE_OF_CODE = {
    "10002": FindingCode.CLOCK,
    "10003": FindingCode.NOT_FOUND,
    "10004": FindingCode.BAD_SIGNATURE,
    "10005": FindingCode.MISSING_PERMISSION,
    "10006": FindingCode.EXCHANGE_UNAVAILABLE,
    "10007": FindingCode.INVALID_CREDENTIALS,
    "10008": FindingCode.ACCOUNT_RESTRICTED,
    "10009": FindingCode.EXCHANGE_UNAVAILABLE,  # our address was banned
    "10010": FindingCode.IP_BLOCKED,
    "10016": FindingCode.EXCHANGE_UNAVAILABLE,
    "10024": FindingCode.ACCOUNT_RESTRICTED,
    "33004": FindingCode.EXPIRED,
}
# 10003 is also the answer of every Bybit host to a key of another one ("check whether the environment is
# matched").
UNKNOWN_KEY = frozenset({"10003"})


def read_trouble(reply: Reply) -> Trouble | None:
    """Bybit's error is `{"retCode": 10003, "retMsg": …}`, most often with status 200.

    The message may quote what was signed, API key included, so that only the code is kept. Status 401 is
    documented as a wrong key; 403 is about our address or country.
    """
    code = reading.error_code(reply.body, "retCode")
    if code in ("", "0") and reply.status == 401:
        return Trouble(FindingCode.INVALID_CREDENTIALS, "HTTP 401")
    return reading.trouble("" if code == "0" else code, reply.status, TROUBLE_OF_CODE)


def read_clock(reply: Any) -> float:
    return reading.clock_ms(reading.mapping(reply), "time")


# Bybit documents no length. Its examples show keys of 18 and secrets of 36 letters and digits; the ranges
# leave room and still tell a key from a paragraph.
SHAPE = CredentialShape(
    *(r"[A-Za-z0-9]{16,64}", "Letters and digits, usually 18."),
    *(r"[A-Za-z0-9]{20,128}", "Letters and digits, usually 36, shown once by Bybit."),
    key_files=(KeyKind.RSA,),
)
LABELS = {
    Right.SPOT: "Read-Write and SPOT: Trade",
    Right.DERIVATIVES: "Read-Write and Contract: Orders and Positions",
    Right.OPTIONS: "USDC Derivatives Trading",
    Right.WITHDRAW: "Withdrawal",
    Right.TRANSFER: "Account Transfer, Subaccount Transfer and anything about block trades",
    Right.FIAT: "anything about fiat, Bybit Pay, cards and affiliates",
    Right.CONVERT: "everything under Exchange",
    Right.EARN: "everything under Earn",
    Right.P2P: "everything under P2P",
    Right.COPY: "anything about copy trading",
    Right.KEY_EDIT: "everything under Wallet",
}
UNBOUND_KEY_LIVES = (
    "A Bybit key that is bound to no address ends after 90 days, "
    "and 7 days after you change your password there."
)
CLOCK = Clock(Call("v5/market/time", ("public",)), read_clock)

ADAPTER = Adapter(
    id="bybit",
    name="Bybit",
    site="www.bybit.com",
    key_page="API Management",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(QUESTION,),
    converse=ask_once(QUESTION, read_report, read_trouble),
    read_trouble=read_trouble,
    shape=SHAPE,
    labels=LABELS,
    guide=guide.GUIDE,
    calls_per_second=60.0,
    clock=CLOCK,
    hosts=(
        Host("netherlands", "api.bybit.nl"),
        Host("turkey", "api.bybit.tr"),
        Host("kazakhstan", "api.bybit.kz"),
        Host("georgia", "api.bybitgeorgia.ge"),
        Host("emirates", "api.bybit.ae"),
        Host("indonesia", "api.bybit.id"),
        Host("japan", "api.manepa.jp"),
    ),
    elsewhere=(
        Elsewhere("Bybit EU", "api.bybit.eu", FindingCode.WRONG_REGION, QUESTION, read_trouble),
        Elsewhere(
            *("Bybit's testnet", "api-testnet.bybit.com", FindingCode.WRONG_ENVIRONMENT),
            *(QUESTION, read_trouble),
        ),
        Elsewhere(
            *("Bybit's demo trading", "api-demo.bybit.com", FindingCode.WRONG_ENVIRONMENT),
            *(QUESTION, read_trouble),
        ),
    ),
    unknown_key_codes=UNKNOWN_KEY,
    words={FindingCode.IP_BLOCKED: NO_LIST_OF_AN_APP},
    address_separator=",",
    unbound_key_lives=UNBOUND_KEY_LIVES,
)
