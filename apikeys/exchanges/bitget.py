"""Bitget, classic and unified accounts: each states its keys' rights at an address of its own.

Sources: Bitget's documentation, "Get Account Information" of the classic account, English and Chinese edition
(once a second for one user), "Get Account Info" of the unified account (no permission needed, 5 times a
second), "Create Sub-Account API Key" (passphrases, 30 addresses), "Rest API Error Code", "Get Server Time",
and the quick start (6,000 calls a minute from one address). That either account's address refuses keys of the
other, by 40084, 40085 or 25245, is told in reports on trading software and in ccxt's table of errors.
"""

from collections.abc import Mapping
from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.adapter import (
    NO_LIST_OF_AN_APP,
    Adapter,
    Call,
    Clock,
    Conversation,
    CredentialShape,
    Own,
    Reply,
)
from apikeys.exchanges.base import ALL_RIGHTS, KeyReport, Market, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.guides import bitget as guide
from apikeys.findings import FindingCode

CLASSIC = Call("v2/spot/account/info", ("private", "spot"))
UNIFIED = Call("v3/account/info", ("private", "uta"))

# The classic account. A derivatives bot needs both orders and positions ("holdings").
DERIVATIVES = frozenset({"coow", "cpow"})
RIGHT_OF_AUTHORITY: Mapping[str, Right] = {
    "stow": Right.SPOT,
    "smow": Right.MARGIN,
    "ttow": Right.COPY,
    "wtow": Right.TRANSFER,
    "wwow": Right.WITHDRAW,
    "chow": Right.KEY_EDIT,  # sub-accounts, which includes making and changing their keys
    "p2p": Right.P2P,  # so the English edition
    "p2pw": Right.P2P,  # so the Chinese one
    "pllw": Right.LOAN,
}
# Reading; taxw is about tax records, and no money.
HARMLESS = frozenset(
    {"coor", "cpor", "stor", "smor", "ttor", "wtor", "chor", "p2pr", "pllr", "taxr", "taxw"},
)

# The unified account.
UNIFIED_TRADE = "uta_trade"
UNIFIED_TRADING = (Right.SPOT, Right.MARGIN, Right.DERIVATIVES)
RIGHT_OF_PERMISSION: Mapping[str, Right] = {
    "uta_mgt": Right.TRANSFER,
    "withdraw": Right.WITHDRAW,
    "copy_futures_position": Right.COPY,
    "copy_futures_order": Right.COPY,
}
READ_WRITE = {"read-and-write": True, "read-only": False}

TROUBLE_OF_CODE = {
    "25245": FindingCode.UNPROVEN_PERMISSION,
    "40001": FindingCode.INVALID_CREDENTIALS,
    "40002": FindingCode.INVALID_CREDENTIALS,
    "40003": FindingCode.INVALID_CREDENTIALS,
    "40004": FindingCode.CLOCK,
    "40005": FindingCode.CLOCK,
    "40006": FindingCode.NOT_FOUND,
    "40008": FindingCode.CLOCK,
    "40009": FindingCode.BAD_SIGNATURE,
    "40011": FindingCode.BAD_PASSPHRASE,
    # "apikey/password is incorrect"; a key that is not known has 40006 and 40037.
    "40012": FindingCode.BAD_PASSPHRASE,
    "40013": FindingCode.ACCOUNT_RESTRICTED,
    "40014": FindingCode.MISSING_PERMISSION,
    "40015": FindingCode.EXCHANGE_UNAVAILABLE,
    "40016": FindingCode.ACCOUNT_RESTRICTED,
    "40018": FindingCode.IP_BLOCKED,
    "40022": FindingCode.ACCOUNT_RESTRICTED,
    "40031": FindingCode.ACCOUNT_RESTRICTED,
    "40036": FindingCode.BAD_PASSPHRASE,
    "40037": FindingCode.NOT_FOUND,
    "40038": FindingCode.IP_BLOCKED,
    "40084": FindingCode.UNPROVEN_PERMISSION,
    "40085": FindingCode.UNPROVEN_PERMISSION,
    "40099": FindingCode.WRONG_ENVIRONMENT,
    "40725": FindingCode.EXCHANGE_UNAVAILABLE,
    "429": FindingCode.EXCHANGE_UNAVAILABLE,
}
# A key of a unified account at the classic address: refused as such, or for the lack of a classic right.
PERHAPS_UNIFIED = frozenset({"40085", "40014"})
NOT_UNIFIED = frozenset({"40084", "25245"})
FINE = "00000"


def converse(own: Own) -> Conversation:
    """The classic account first. Where it refuses, the unified one; where neither knows the key as its own,
    what the classic one said stands.
    """
    reply = yield CLASSIC
    trouble = read_trouble(reply)
    if trouble is None:
        return read_classic(reply.body, own)
    if trouble.exchange_code not in PERHAPS_UNIFIED or reading.is_for_later(trouble, reply.status):
        return trouble
    reply = yield UNIFIED
    other = read_trouble(reply)
    if other is None:
        return read_unified(reply.body, own)
    return trouble if other.exchange_code in NOT_UNIFIED else other


def read_classic(reply: Any, own: Own) -> KeyReport:
    """What `GET /api/v2/spot/account/info` says of the key that asks.

    - `authorities` lists short codes, for reading and for writing apart. Each thing that moves money has one,
      so that what is not listed is not granted; none is about fiat, converting or earning. The
      documentation's own example has words that are none of its codes ("trade", "readonly"): not proved.
    - `ips` is a list with commas, empty for a key that works from anywhere. `parentId` is the main account.
    - Expiry is not told.
    """
    account = _data(reply)
    codes = frozenset(reading.texts(account.get("authorities")))
    rights = _no_rights()
    rights[Right.DERIVATIVES] = codes >= DERIVATIVES
    for code, right in RIGHT_OF_AUTHORITY.items():
        rights[right] = rights[right] or code in codes
    known = DERIVATIVES | RIGHT_OF_AUTHORITY.keys() | HARMLESS
    return _report(account, own, rights, codes - known, "classic account")


def read_unified(reply: Any, own: Own) -> KeyReport:
    """What `GET /api/v3/account/info` says of the key that asks.

    - `permType` takes the trading right away, and is not believed to take others. uta_trade is spot, margin
      and futures together.
    - uta_mgt writes what is about the account, and which calls those are is not said in full; transfers are
      among the calls of the account. It counts as a transfer.
    """
    account = _data(reply)
    names = frozenset(reading.texts(account.get("permissions")))
    kind = reading.text(account, "permType")
    if kind and kind not in READ_WRITE:
        raise UnreadableReplyError
    rights = _no_rights()
    if UNIFIED_TRADE in names:
        rights.update(dict.fromkeys(UNIFIED_TRADING, READ_WRITE.get(kind)))
    for name, right in RIGHT_OF_PERMISSION.items():
        rights[right] = rights[right] or name in names
    known = {UNIFIED_TRADE} | RIGHT_OF_PERMISSION.keys()
    return _report(account, own, rights, names - known, "unified account")


def _data(reply: Any) -> Mapping[str, Any]:
    answer = reading.mapping(reply)
    if answer.get("code") != FINE:
        raise UnreadableReplyError
    return reading.mapping(answer.get("data"))


def _no_rights() -> dict[Right, bool | None]:
    """An answer proves that the key can read."""
    rights: dict[Right, bool | None] = dict.fromkeys(ALL_RIGHTS, False)
    rights[Right.READ] = True
    return rights


def _report(
    account: Mapping[str, Any],
    own: Own,
    rights: Mapping[Right, bool | None],
    unknown: frozenset[str],
    account_kind: str,
) -> KeyReport:
    account_id = reading.account_number(account, "userId")
    has_parent = account.get("parentId") is not None  # a main account's is empty in one way or another
    parent = reading.account_number(account, "parentId") if has_parent else ""
    return KeyReport(
        rights=rights,
        unknown=tuple(reading.stored_name(name) for name in sorted(unknown)),
        allow_list=reading.allow_list(reading.comma_separated(account, "ips")),
        account_id=account_id,
        parent_account_id="" if parent == account_id else parent,
        account_kind=account_kind,
        key_kind=own.kind,
    )


def read_trouble(reply: Reply) -> Trouble | None:
    """Bitget's error is `{"code": "40037", "msg": …, "data": null}`, with a 4xx status or 200."""
    code = reading.error_code(reply.body, "code")
    return reading.trouble("" if code == FINE else code, reply.status, TROUBLE_OF_CODE)


def read_clock(reply: Any) -> float:
    return reading.clock_ms(_data(reply), "serverTime")


ADAPTER = Adapter(
    id="bitget",
    name="Bitget",
    site="www.bitget.com",
    key_page="API Keys",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(CLASSIC, UNIFIED),
    converse=converse,
    read_trouble=read_trouble,
    # Bitget documents no lengths for the two. Keys are seen as bg_ and 32 more, secrets as 64. Keys of its
    # RSA kind cannot be signed with.
    shape=CredentialShape(
        *(r"[A-Za-z0-9_]{20,64}", "Letters, digits and an underscore, usually 35, beginning with bg_."),
        *(r"[A-Za-z0-9]{32,128}", "Letters and digits, usually 64, shown once by Bitget."),
        passphrase=True,
        passphrase_pattern=r"\S{8,32}",  # noqa: S106
        passphrase_hint="8 to 32 letters and digits: the one you chose for this key.",  # noqa: S106
    ),
    labels={
        Right.SPOT: "Read-write and Spot",
        Right.MARGIN: "Margin",
        Right.DERIVATIVES: "Read-write and, under Futures, Orders and Holdings",
        Right.WITHDRAW: "the box for withdrawals",
        Right.TRANSFER: "the box for transfers or, on a unified account, the one for managing the account",
        Right.LOAN: "the box for loans",
        Right.P2P: "the box for P2P",
        Right.COPY: "the boxes for copy trading",
        Right.KEY_EDIT: "the box for managing sub-accounts",
    },
    guide=guide.GUIDE,
    words={FindingCode.IP_BLOCKED: NO_LIST_OF_AN_APP},
    calls_per_second=50.0,
    clock=Clock(Call("v2/public/time", ("public", "common")), read_clock),
)
