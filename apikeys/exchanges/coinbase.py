"""Coinbase Advanced: keys of the Coinbase Developer Platform (ECDSA), for spot trading and for futures.

Sources: Coinbase's API reference, "Get API Key Permissions" and "Get Server Time"; its pages "API scopes and
permissions", "Advanced Trade scope & permissions", "Portfolios", "API key authentication" and the manual of
its command line client ("brokerage rejects Ed25519"); its public issue "Intermittent 401 Unauthorized for
valid CDP JWTs". Its limits: 30 calls a second of one user, 10 a second of one address for public calls, which
stands here for all of them.

- A key has three permissions. "Transfer" is "send and receive funds, on and off platform": withdrawals,
  transfers between portfolios and fiat alike. "Trade" covers spot, US and international futures; whether the
  account may trade futures is not told. Options, margin, conversions, earning, loans, peer-to-peer trades,
  copy trading and the editing of keys are no permissions of a key, and so False.
- Nothing is said of addresses, of an end, or of when the key was made.
- A key sees one portfolio, and belongs to it: its number serves as the account's.
- Wrong key, wrong secret, an address that is not on the list and a wrong clock are all one answer, 401. It
  also comes for good keys now and then. So the question is put a second time, then the clock is looked at.
"""

from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.adapter import Adapter, Call, Clock, Conversation, CredentialShape, Own, Reply
from apikeys.exchanges.base import (
    ALL_RIGHTS,
    KeyKind,
    KeyReport,
    Market,
    Right,
    Trouble,
    UnreadableReplyError,
)
from apikeys.exchanges.guides import coinbase as guide
from apikeys.findings import FindingCode

QUESTION = Call("brokerage/key_permissions", ("v3", "private"))

RIGHTS_OF_FLAG: dict[str, tuple[Right, ...]] = {
    "can_view": (Right.READ,),
    "can_trade": (Right.SPOT, Right.DERIVATIVES),
    "can_transfer": (Right.WITHDRAW, Right.TRANSFER, Right.FIAT),
}

# Google's names for errors, which the documented error carries as text.
TROUBLE_OF_CODE = {
    "PERMISSION_DENIED": FindingCode.MISSING_PERMISSION,
    "UNAUTHENTICATED": FindingCode.INVALID_CREDENTIALS,
    "RESOURCE_EXHAUSTED": FindingCode.EXCHANGE_UNAVAILABLE,
    "rate_limit_exceeded": FindingCode.EXCHANGE_UNAVAILABLE,
    "INTERNAL": FindingCode.EXCHANGE_UNAVAILABLE,
    "UNAVAILABLE": FindingCode.EXCHANGE_UNAVAILABLE,
}
UNAUTHORIZED = "HTTP 401"


def converse(own: Own) -> Conversation:
    reply = yield QUESTION
    if reply.status == 401:
        reply = yield QUESTION
    return read_trouble(reply) or read_report(reply.body, own)


def read_report(reply: Any, own: Own) -> KeyReport:
    """What `GET /api/v3/brokerage/key_permissions` says of the key that asks."""
    flags = reading.mapping(reply)
    if not any(name in flags for name in RIGHTS_OF_FLAG):
        raise UnreadableReplyError
    rights: dict[Right, bool | None] = dict.fromkeys(ALL_RIGHTS, False)
    for name, found in RIGHTS_OF_FLAG.items():
        rights.update(dict.fromkeys(found, reading.flag(flags, name)))
    kind = reading.text(flags, "portfolio_type")
    return KeyReport(
        rights=rights,
        unknown=tuple(
            reading.stored_name(name)
            for name, value in flags.items()
            if name not in RIGHTS_OF_FLAG and value and (value is True or name.startswith("can_"))
        ),
        account_id=reading.account_number(flags, "portfolio_uuid"),
        account_kind=f"portfolio of the type {kind}" if kind else "",
        key_kind=own.kind,
    )


def read_trouble(reply: Reply) -> Trouble | None:
    """Coinbase's error is `{"error": "PERMISSION_DENIED", "code": 7, …}`, or `{"errors": [{"id": …}]}`; 401
    has a word of plain text.
    """
    if reply.status == 401:
        return Trouble(FindingCode.INVALID_CREDENTIALS, UNAUTHORIZED)
    code = reading.error_code(reply.body, "error")
    errors = reply.body.get("errors") if isinstance(reply.body, dict) else None
    if not code and isinstance(errors, list) and errors:
        code = reading.error_code(errors[0], "id")
    return reading.trouble(code, reply.status, TROUBLE_OF_CODE)


def read_clock(reply: Any) -> float:
    return reading.clock_ms(reading.mapping(reply), "epochMillis")


ADAPTER = Adapter(
    id="coinbase",
    name="Coinbase Advanced",
    site="portal.cdp.coinbase.com",
    key_page="API Keys",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(QUESTION,),
    converse=converse,
    read_trouble=read_trouble,
    shape=CredentialShape(
        r"organizations/[0-9a-fA-F-]{36}/apiKeys/[0-9a-fA-F-]{36}",
        "The form organizations/…/apiKeys/… (its name in the downloaded file).",
        *("", "Several lines, from -----BEGIN EC PRIVATE KEY----- to -----END EC PRIVATE KEY-----."),
        key_files=(KeyKind.EC,),
        json_file=True,
    ),
    labels={
        Right.READ: "View (read-only)",
        Right.SPOT: "Trade",
        Right.DERIVATIVES: "Trade",
        Right.WITHDRAW: "Transfer",
        Right.TRANSFER: "Transfer",
        Right.FIAT: "Transfer",
    },
    guide=guide.GUIDE,
    calls_per_second=5.0,
    clock=Clock(Call("brokerage/time", ("v3", "public")), read_clock),
    unclear_codes=frozenset({UNAUTHORIZED}),
    unbound_key_lives=(
        "Coinbase does not tell us whether a key is bound to addresses, so that we ask for it either way."
    ),
)
