"""BingX (bingx.com).

Sources: BingX's API documentation, pages "Query user API Key permissions" ("can be used by both main and sub
account"), "Query account uid", "Query the API Key of a sub-account" (the signer "must be main account"),
"Create an API Key for a sub-account", "Common Error Codes", "Rate limit" (2,000 calls in 10 seconds from one
address for all account calls, 300 for each; limits for each account come on top) and "Get Server Time"; the
notes on its key page.

A newer text of BingX's for AI agents describes the permissions as Binance writes them (`enableWithdrawals`,
…). That form leaves the management of sub-accounts unsaid, which makes keys, so that it proves nothing here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.adapter import (
    Adapter,
    Call,
    Clock,
    Conversation,
    CredentialShape,
    Elsewhere,
    Own,
    Reply,
)
from apikeys.exchanges.base import (
    ALL_RIGHTS,
    AllowList,
    KeyReport,
    Market,
    Right,
    Trouble,
    UnreadableReplyError,
)
from apikeys.exchanges.guides import bingx as guide
from apikeys.findings import FindingCode

ACCOUNT_CALLS = ("account", "v1", "private")
PERMISSIONS = Call("account/apiPermissions", ACCOUNT_CALLS)
UID = Call("uid", ACCOUNT_CALLS)
KEYS = Call("apiKey/query", ACCOUNT_CALLS)

RIGHT_OF_ID: Mapping[int, Right] = {
    1: Right.SPOT,
    2: Right.READ,
    3: Right.DERIVATIVES,
    4: Right.TRANSFER,  # between an account's own wallets
    5: Right.WITHDRAW,
    7: Right.TRANSFER,  # between a main account and its sub-accounts
}
# 6 is in no page. The key page has a box to manage sub-accounts, and with it to make their keys; whatever its
# number, it is none of the above, and so unknown.

TROUBLE_OF_CODE = {
    "100001": FindingCode.BAD_SIGNATURE,
    "100004": FindingCode.MISSING_PERMISSION,
    "100410": FindingCode.EXCHANGE_UNAVAILABLE,  # too many requests, of this key or from our address
    "100412": FindingCode.EXCHANGE_UNAVAILABLE,  # no signature: not of the customer's doing
    "100413": FindingCode.NOT_FOUND,
    "100414": FindingCode.ACCOUNT_RESTRICTED,
    "100419": FindingCode.IP_BLOCKED,
    "100421": FindingCode.CLOCK,
    "100500": FindingCode.EXCHANGE_UNAVAILABLE,
    "100503": FindingCode.EXCHANGE_UNAVAILABLE,
    "109429": FindingCode.EXCHANGE_UNAVAILABLE,
    "80014": FindingCode.CLOCK,  # "timestamp is invalid", as these calls document it
}
UNKNOWN_KEY = frozenset({"100413"})
# What stands for the middle of a key in a list of keys, as in "zF***zQ".
MASK = "*"


def converse(own: Own) -> Conversation:
    """The rights, then the account's number; and where the first reply has no addresses, the list of keys,
    which only a main account is given. Whatever is refused there is not known.
    """
    reply = yield PERMISSIONS
    if trouble := read_trouble(reply):
        return trouble
    report = read_report(reply.body, own)
    if report.rights[Right.READ] is not True:
        return report
    reply = yield UID
    if trouble := read_trouble(reply):
        return trouble if _is_for_later(trouble, reply) else report
    report = replace(report, account_id=reading.account_number(_data(reply.body), "uid"))
    if report.allow_list.bound is not None or not report.account_id:
        return report
    reply = yield replace(KEYS, params={"uid": report.account_id})
    if trouble := read_trouble(reply):
        return trouble if _is_for_later(trouble, reply) else report
    return _with_listed(report, reply.body, own)


def read_report(reply: Any, own: Own) -> KeyReport:
    """What `GET /openApi/v1/account/apiPermissions` says of the key that asks.

    `permissions` is the whole list of what is granted, by number; a number that is not in it is not granted.
    `ipAddresses` holds one empty text for a key that is bound to no address. The API covers spot and
    perpetual futures only, and no number names margin, options, fiat, convert, earn, loans, P2P or copying:
    those rights are False. Nothing is told of an end. The fields come in `data`, or bare.
    """
    key = _data(reply)
    granted = _numbers(key)
    if key.get("apiKey") is not None and not _is_own(key["apiKey"], own):
        raise UnreadableReplyError
    rights: dict[Right, bool | None] = dict.fromkeys(ALL_RIGHTS, False)
    rights.update({right: True for number, right in RIGHT_OF_ID.items() if number in granted})
    return KeyReport(
        rights=rights,
        unknown=tuple(f"permission {number}" for number in granted if number not in RIGHT_OF_ID),
        allow_list=_allow_list(key),
        key_kind=own.kind,
    )


def _data(reply: Any) -> Mapping[str, Any]:
    answer = reading.mapping(reply)
    if "code" not in answer:
        return answer
    if reading.whole(answer, "code") != 0:
        raise UnreadableReplyError
    return reading.mapping(answer.get("data"))


def _numbers(key: Mapping[str, Any]) -> tuple[int, ...]:
    found = key.get("permissions")
    if not isinstance(found, list) or not all(reading.is_whole(number) for number in found):
        raise UnreadableReplyError
    return tuple(dict.fromkeys(number if abs(number) < 10**9 else -1 for number in found))


def _allow_list(key: Mapping[str, Any]) -> AllowList:
    if key.get("ipAddresses") is None:
        return AllowList()
    addresses = tuple(entry.strip() for entry in reading.texts(key["ipAddresses"]) if entry.strip())
    return AllowList(bool(addresses), tuple(reading.stored_name(entry) for entry in addresses))


def _with_listed(report: KeyReport, reply: Any, own: Own) -> KeyReport:
    """With the addresses and the date of exactly one of the listed keys. The others are not looked at."""
    data = reading.mapping(reply).get("data")
    listed = data.get("apiKeyList") if isinstance(data, dict) else data
    if not isinstance(listed, list):
        raise UnreadableReplyError
    mine = [key for key in map(reading.mapping, listed) if _is_own(key.get("apiKey"), own)]
    if len(mine) != 1:
        return report
    return replace(
        report, allow_list=_allow_list(mine[0]), created_at=reading.moment_ms(mine[0], "createTime")
    )


def _is_own(told: Any, own: Own) -> bool:
    """The key itself, or its first and last letters around a mask."""
    if not isinstance(told, str):
        raise UnreadableReplyError
    start, mask, rest = told.partition(MASK)
    if not mask:
        return told == own.api_key
    end = rest.lstrip(MASK)
    return bool(start and end) and own.api_key.startswith(start) and own.api_key.endswith(end)


def _is_for_later(trouble: Trouble, reply: Reply) -> bool:
    too_many = trouble.exchange_code in {"100410", "109429"}
    return too_many or reading.is_for_later(trouble, reply.status)


def read_trouble(reply: Reply) -> Trouble | None:
    """BingX's error is `{"code": 100413, "msg": …}`, most often with status 200; 0 is none."""
    code = reading.error_code(reply.body, "code")
    return reading.trouble("" if code == "0" else code, reply.status, TROUBLE_OF_CODE)


def read_clock(reply: Any) -> float:
    return reading.clock_ms(_data(reply), "serverTime")


ADAPTER = Adapter(
    id="bingx",
    name="BingX",
    site="bingx.com",
    key_page="API Management",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(PERMISSIONS, UID, KEYS),
    converse=converse,
    read_trouble=read_trouble,
    # BingX documents no length. The key and secret of its signing example have 64 letters and digits.
    shape=CredentialShape(
        *(r"[A-Za-z0-9]{40,128}", "Letters and digits, 64 or more."),
        *(r"[A-Za-z0-9]{40,128}", "Letters and digits, 64 or more, shown once by BingX."),
    ),
    labels={
        Right.READ: "Read",
        Right.SPOT: "Spot Trading",
        Right.DERIVATIVES: "Perpetual Futures Trading",
        Right.WITHDRAW: "Withdraw",
        Right.TRANSFER: "Universal Transfer and anything about transfers between sub-accounts",
        Right.KEY_EDIT: "Manage Subaccounts",
    },
    guide=guide.GUIDE,
    calls_per_second=15.0,
    clock=Clock(Call("server/time", ("swap", "v2", "public")), read_clock),
    elsewhere=(
        Elsewhere(
            *("BingX's demo trading", "open-api-vst.bingx.com", FindingCode.WRONG_ENVIRONMENT),
            *(PERMISSIONS, read_trouble),
        ),
    ),
    unknown_key_codes=UNKNOWN_KEY,
    address_separator=",",
    unbound_key_lives="BingX deletes a trading key that is bound to no address after 14 days without use.",
)
