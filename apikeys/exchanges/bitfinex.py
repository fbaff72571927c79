"""Bitfinex (bitfinex.com).

Sources: Bitfinex's API documentation, pages "Key Permissions" and "User Info" (90 calls a minute each, from
one address), "API Access" (what the rights are; a key for each client, since it counts nonces), "Transfer
Between Wallets" (which also converts); its support article "How to create and revoke a Bitfinex API Key".
Codes of errors are those of its page "Abbreviations & Glossary", their texts those that its own and other
public clients handle. They come with status 500 ("apikey: digest invalid", "nonce: small"), so that here a
500 with a code is an answer. 10001 is its "Generic error": only by its text ("api_key: permission invalid")
is it about a right, and the text is not kept.

Whoever uses a key here must count in milliseconds: after one larger number every smaller one is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.adapter import Adapter, Call, Conversation, CredentialShape, Own, Reply
from apikeys.exchanges.base import KeyReport, Market, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.guides import bitfinex as guide
from apikeys.findings import FindingCode

# Each question has a limit of its own and is asked once for a key, so that the first pays for both.
PERMISSIONS = Call("auth/r/permissions", ("private",), "POST", turns=2)
USER = Call("auth/r/info/user", ("private",), "POST", turns=0)

# What the second number of a scope, its writing, allows. Bitfinex has no split between spot, margin and
# derivatives: an order names its market. A transfer between wallets also converts (USDT to USDt0).
WRITING: Mapping[str, tuple[Right, ...]] = {
    "orders": (Right.SPOT, Right.MARGIN),
    "wallets": (Right.TRANSFER, Right.CONVERT),
    "withdraw": (Right.WITHDRAW,),
    "ui_withdraw": (Right.WITHDRAW,),
    "funding": (Right.EARN, Right.LOAN),
    "bfxpay": (Right.FIAT,),
    "settings": (Right.KEY_EDIT,),
    "account": (Right.KEY_EDIT,),
}
# Its writing settles a position by paying for it, which is part of trading with margin.
POSITIONS = "positions"
# Documented as reading only: its writing, were it ever granted, is a right that nobody knows.
READ_ONLY = frozenset({"history"})
SCOPES = frozenset((*WRITING, POSITIONS, *READ_ONLY))
# No scope names them.
NO_SUCH_RIGHTS = (Right.OPTIONS, Right.P2P, Right.COPY)

GENERIC = "10001"
TROUBLE_OF_CODE = {
    GENERIC: FindingCode.EXCHANGE_UNAVAILABLE,
    "10100": FindingCode.INVALID_CREDENTIALS,  # key, secret or address: Bitfinex does not say which
    "10114": FindingCode.EXCHANGE_UNAVAILABLE,  # a nonce that was too low proves nothing about the key
    "11010": FindingCode.EXCHANGE_UNAVAILABLE,
    "20060": FindingCode.EXCHANGE_UNAVAILABLE,
}
# Of all customers at once; with any other code Bitfinex answered this one.
OUTAGES = frozenset({"11010", "20060"})
FOR_LATER = OUTAGES | {"10114", GENERIC}
STATUS_OF_ERRORS = 500
# In the list of "User Info".
ID, MASTER_ID, IS_PAPER = 0, 16, 21


def converse(own: Own) -> Conversation:
    """The rights first, then the account: its number and its master's, and whether it trades on paper. That
    reply also holds a name and a mail address, of which nothing is kept.
    """
    reply = yield PERMISSIONS
    if trouble := read_trouble(reply):
        return trouble
    rights, unknown = read_rights(reply.body)
    reply = yield USER
    if trouble := read_trouble(reply):
        unexplained = trouble.code is FindingCode.EXCHANGE_UNAVAILABLE and trouble.exchange_code in FOR_LATER
        if unexplained or reading.is_for_later(trouble, _status(reply)):
            return trouble
        return KeyReport(rights=rights, unknown=unknown, key_kind=own.kind)
    user = _list(reply.body)
    if _number(user, IS_PAPER) == 1:
        return Trouble(FindingCode.WRONG_ENVIRONMENT, belongs_to="Bitfinex's paper trading")
    return KeyReport(
        rights=rights,
        unknown=unknown,
        account_id=str(_number(user, ID) or ""),
        parent_account_id=str(_number(user, MASTER_ID) or ""),
        key_kind=own.kind,
    )


def read_rights(reply: Any) -> tuple[Mapping[Right, bool | None], tuple[str, ...]]:
    """What `POST /v2/auth/r/permissions` says of the key that asks: its rights, and the names nobody knows.

    `[["orders", 1, 0], …]`: a scope, its reading and its writing, 1 or 0. A scope that is not in the list is
    not said. The documentation lists ten; recorded replies have four more (`eaas_…`), which are unknown where
    they are granted. A derivatives bot must see its positions, so that this takes the orders' writing and the
    positions' reading. Nothing is told of addresses, of an end, or of when a key was made.
    """
    scopes = _scopes(reply)
    rights: dict[Right, bool | None] = dict.fromkeys(NO_SUCH_RIGHTS, False)
    for right in {right for found in WRITING.values() for right in found}:
        rights[right] = _any_of(_writes(scopes, name) for name, found in WRITING.items() if right in found)
    rights[Right.READ] = _all_of(_reads(scopes, "orders"), _reads(scopes, "wallets"))
    rights[Right.DERIVATIVES] = _all_of(rights[Right.SPOT], _reads(scopes, POSITIONS))
    unknown = tuple(
        reading.stored_name(scope)
        for scope, (reads_it, writes_it) in scopes.items()
        if (scope not in SCOPES and reads_it) or (scope not in SCOPES - READ_ONLY and writes_it)
    )
    return rights, unknown


def _scopes(reply: Any) -> Mapping[str, tuple[bool, bool]]:
    entries = _list(reply)
    scopes: dict[str, tuple[bool, bool]] = {}
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != 3:
            raise UnreadableReplyError
        scope, reads_it, writes_it = entry
        if not isinstance(scope, str) or scope in scopes:
            raise UnreadableReplyError
        scopes[scope] = (_one_or_zero(reads_it), _one_or_zero(writes_it))
    if not scopes:
        raise UnreadableReplyError
    return scopes


def _reads(scopes: Mapping[str, tuple[bool, bool]], name: str) -> bool | None:
    return scopes[name][0] if name in scopes else None


def _writes(scopes: Mapping[str, tuple[bool, bool]], name: str) -> bool | None:
    return scopes[name][1] if name in scopes else None


def _one_or_zero(value: Any) -> bool:
    if not reading.is_whole(value) or value not in (0, 1):
        raise UnreadableReplyError
    return value == 1


def _any_of(answers: Iterable[bool | None]) -> bool | None:
    told = list(answers)
    if any(told):
        return True
    return None if None in told else False


def _all_of(*answers: bool | None) -> bool | None:
    return None if None in answers else all(answers)


def _list(reply: Any) -> list[Any]:
    if not isinstance(reply, list):
        raise UnreadableReplyError
    return reply


def _number(user: list[Any], index: int) -> int | None:
    """None where the list is shorter, or has null there."""
    value = user[index] if index < len(user) else None
    if value is not None and (not reading.is_whole(value) or not 0 <= value < 10**18):
        raise UnreadableReplyError
    return value


def read_trouble(reply: Reply) -> Trouble | None:
    """Bitfinex's error is `["error", 10100, "apikey: invalid"]`; a limit also comes as `{"error": …}`."""
    code = _error_code(reply.body)
    table = TROUBLE_OF_CODE
    if code == GENERIC and _is_about_a_right(reply.body):
        table = {GENERIC: FindingCode.MISSING_PERMISSION}
    found = reading.trouble(code, _status(reply), table)
    return replace(found, outage=code in OUTAGES) if found and _status(reply) != reply.status else found


def _is_about_a_right(body: Any) -> bool:
    return isinstance(body, list) and "permission" in str(body[2:3]).lower()


def _status(reply: Reply) -> int:
    """Without the one that only says that there is an error code."""
    return 200 if reply.status == STATUS_OF_ERRORS and _error_code(reply.body) else reply.status


def _error_code(body: Any) -> str:
    if isinstance(body, list) and body[:1] == ["error"]:
        return reading.error_code({"code": body[1] if len(body) > 1 else None}, "code") or "error"
    return reading.error_code(body, "error")


ADAPTER = Adapter(
    id="bitfinex",
    name="Bitfinex",
    site="www.bitfinex.com",
    key_page="API",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(PERMISSIONS, USER),
    converse=converse,
    read_trouble=read_trouble,
    # Bitfinex documents no length. Published keys and secrets have 43 letters and digits.
    shape=CredentialShape(
        *(r"[A-Za-z0-9]{30,128}", "Letters and digits, usually 43."),
        *(r"[A-Za-z0-9]{30,128}", "Letters and digits, usually 43, shown once by Bitfinex."),
    ),
    labels={
        Right.READ: "viewing under Orders and under Wallets",
        Right.SPOT: "creating and cancelling under Orders",
        Right.DERIVATIVES: "creating and cancelling under Orders, and viewing under Margin Trading",
        Right.WITHDRAW: "Withdrawals",
        Right.TRANSFER: "transferring under Wallets",
        Right.CONVERT: "transferring under Wallets",
        Right.EARN: "offering under Margin Funding",
        Right.LOAN: "offering under Margin Funding",
        Right.FIAT: "Bitfinex Pay",
        Right.KEY_EDIT: "editing under Account Info",
    },
    guide=guide.GUIDE,
    calls_per_second=1.5,
)
