"""Gate (gate.com), keys of the main account.

Sources: Gate's API v4 documentation, "Query All Main Account Key Information", "Get user account
information", "API Integration Process" of the unified account, its table of error labels, "Get server current
time", and the models AccountKeyInfo and AccountKeyInfoPerms of the official SDKs; Gate's help page on keys
(90 days). The key page has a box for withdrawals; the documented list of permission names has none for it. As
the reply lists what a key was given, a key without such an entry is read as unable to withdraw; and an entry
under any name that is not documented is never taken for harmless.
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
    Words,
)
from apikeys.exchanges.base import ALL_RIGHTS, KeyReport, Market, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.guide import StepId
from apikeys.exchanges.guides import gate as guide
from apikeys.findings import FindingCode

KEYS = Call("main_keys", ("private", "account"))
# Asked for the account's number, and for whether the right to read the account is on at all.
ACCOUNT = Call("detail", ("private", "account"))

RIGHTS_OF_NAME: Mapping[str, tuple[Right, ...]] = {
    "spot": (Right.SPOT, Right.MARGIN),
    "margin": (Right.MARGIN,),
    "futures": (Right.DERIVATIVES,),
    "options": (Right.OPTIONS,),
    "wallet": (Right.TRANSFER,),
    "earn": (Right.EARN,),
    "loan": (Right.LOAN,),
    "unified": (Right.LOAN,),  # borrows for the whole account, and switches its mode
    "otc": (Right.FIAT,),
    "copy": (Right.COPY,),
}
# Delivery contracts are not what a derivatives bot trades; the account's writes are about fees and groups.
HARMLESS = frozenset({"delivery", "account"})
# Documented, but not what they allow. Read and write, each is shown by its name.
OBSCURE = frozenset({"custody", "pilot", "alpha", "crossx"})
WITHDRAW = "withdraw"  # undocumented; whatever begins with it
USABLE = 1  # "Normal". The SDKs disagree about 2 and 3: locked, frozen.
# "c5dcfbf1f3a7*****" shows twelve characters of a key.
LEAST_SHOWN = 8
KINDS = {1: "classic account", 2: "unified account"}

TROUBLE_OF_CODE = {
    "ACCOUNT_LOCKED": FindingCode.ACCOUNT_RESTRICTED,
    "AUTHENTICATION_FAILED": FindingCode.INVALID_CREDENTIALS,
    "FORBIDDEN": FindingCode.MISSING_PERMISSION,
    "INTERNAL": FindingCode.EXCHANGE_UNAVAILABLE,
    "INVALID_CREDENTIALS": FindingCode.INVALID_CREDENTIALS,
    "INVALID_KEY": FindingCode.NOT_FOUND,
    "INVALID_SIGNATURE": FindingCode.BAD_SIGNATURE,
    "IP_FORBIDDEN": FindingCode.IP_BLOCKED,
    "MISSING_REQUIRED_HEADER": FindingCode.INVALID_CREDENTIALS,
    "READ_ONLY": FindingCode.MISSING_PERMISSION,
    "REQUEST_EXPIRED": FindingCode.CLOCK,
    "SERVER_ERROR": FindingCode.EXCHANGE_UNAVAILABLE,
    "SUB_ACCOUNT_LOCKED": FindingCode.ACCOUNT_RESTRICTED,
    "TOO_BUSY": FindingCode.EXCHANGE_UNAVAILABLE,
    "TOO_FAST": FindingCode.EXCHANGE_UNAVAILABLE,
    "TOO_MANY_REQUESTS": FindingCode.EXCHANGE_UNAVAILABLE,
}
REFUSED = "FORBIDDEN"
# In place of a code of Gate's: what follows from its two answers, and from a key's state.
SUB_ACCOUNT, UNUSABLE = "sub-account", "state"
UNKNOWN_KEY = frozenset({"INVALID_KEY"})


def converse(own: Own) -> Conversation:
    """The rights first. Where Gate refuses that question, it is asked about the account: a key that may read
    the account and not its rights is a sub-account's, whose rights nobody can prove.
    """
    reply = yield KEYS
    trouble = read_trouble(reply)
    if trouble is None:
        found = read_report(reply.body, own)
        if isinstance(found, Trouble) or found.account_id:
            return found
        reply = yield ACCOUNT
        if trouble := read_trouble(reply):
            return trouble if reading.is_for_later(trouble, reply.status) else found
        return replace(found, account_id=reading.account_number(reading.mapping(reply.body), "user_id"))
    if trouble.exchange_code != REFUSED or reading.is_for_later(trouble, reply.status):
        return trouble
    reply = yield ACCOUNT
    other = read_trouble(reply)
    if other is None:
        return Trouble(FindingCode.UNPROVEN_PERMISSION, SUB_ACCOUNT)
    return other


def read_report(reply: Any, own: Own) -> KeyReport | Trouble:
    """What `GET /api/v4/account/main_keys` says of the key that asks.

    - It lists every key of the main account; the SDKs' model has a single one. Of each only the beginning is
      shown. Exactly one must be the asking key; the others are left alone and kept nowhere.
    - `perms` names what the key was given, each with `read_only`. Reading money's names moves nothing; of
      withdrawals any entry counts. An answer proves that the key can read.
    - `ip_whitelist` is empty for a key that works from anywhere. Expiry is not told.
    - `state` is the key's own: one that is locked or frozen is at its end, and says nothing of the account.
    """
    key = _own_key(reply, own)
    state = reading.whole(key, "state")
    if state is None:
        raise UnreadableReplyError
    if state != USABLE:
        return Trouble(FindingCode.EXPIRED, UNUSABLE)
    rights: dict[Right, bool | None] = dict.fromkeys(ALL_RIGHTS, False)
    rights[Right.READ] = True
    unknown = []
    for name, writes in _permissions(key):
        if name.lower().startswith(WITHDRAW):
            rights[Right.WITHDRAW] = True
        elif name in RIGHTS_OF_NAME:
            rights.update(dict.fromkeys(RIGHTS_OF_NAME[name] if writes else (), True))
        elif name not in HARMLESS and (writes or name not in OBSCURE):
            unknown.append(reading.stored_name(name))
    listed = reading.texts(key["ip_whitelist"]) if "ip_whitelist" in key else None
    return KeyReport(
        rights=rights,
        unknown=tuple(unknown),
        allow_list=reading.allow_list(listed),
        created_at=reading.moment_s(key, "created_at"),
        account_id=reading.account_number(key, "user_id"),
        account_kind=KINDS.get(reading.whole(key, "mode") or 0, ""),
        key_kind=own.kind,
    )


def _own_key(reply: Any, own: Own) -> Mapping[str, Any]:
    listed = reply if isinstance(reply, list) else [reply]
    found = [entry for entry in listed if _is_own(reading.mapping(entry).get("key"), own.api_key)]
    if len(found) != 1:
        raise UnreadableReplyError
    return reading.mapping(found[0])


def _is_own(shown: Any, api_key: str) -> bool:
    """Whether a key with stars for its hidden part can be the asking one."""
    if not isinstance(shown, str):
        return False
    if "*" not in shown:
        return shown == api_key
    beginning, end = shown.split("*", 1)[0], shown.rsplit("*", 1)[1]
    return (
        len(beginning) >= LEAST_SHOWN
        and len(beginning) + len(end) <= len(api_key)
        and api_key.startswith(beginning)
        and api_key.endswith(end)
    )


def _permissions(key: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Names, each with whether it may write."""
    listed = key.get("perms")
    if not isinstance(listed, list):
        raise UnreadableReplyError
    found = []
    for entry in listed:
        name = reading.mapping(entry).get("name")
        read_only = reading.flag(entry, "read_only")
        if not isinstance(name, str) or read_only is None:
            raise UnreadableReplyError
        found.append((name, not read_only))
    return found


def read_trouble(reply: Reply) -> Trouble | None:
    """Gate's error is `{"label": "INVALID_KEY", "message": …}` with a 4xx status; else there is no label."""
    return reading.trouble(reading.error_code(reply.body, "label"), reply.status, TROUBLE_OF_CODE)


def read_clock(reply: Any) -> float:
    return reading.clock_ms(reading.mapping(reply), "server_time")


ADAPTER = Adapter(
    id="gate",
    name="Gate",
    site="www.gate.com",
    key_page="API Management",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(KEYS, ACCOUNT),
    converse=converse,
    read_trouble=read_trouble,
    # Gate documents no lengths. Its examples show keys of 32 and secrets of 64 characters.
    shape=CredentialShape(
        *(r"[A-Za-z0-9]{24,48}", "Letters and digits, usually 32."),
        *(r"[A-Za-z0-9]{49,128}", "Letters and digits, usually 64, shown once by Gate."),
    ),
    labels={
        Right.READ: "Account, with Read Only",
        Right.SPOT: "Spot, with Read And Write",
        Right.MARGIN: "the box for margin",
        Right.DERIVATIVES: "Perpetual Futures, with Read And Write",
        Right.OPTIONS: "the box for options",
        Right.WITHDRAW: "Withdraw",
        Right.TRANSFER: "Wallet, or set it to Read Only",
        Right.FIAT: "the box for OTC",
        Right.EARN: "the box for Earn",
        Right.LOAN: "the boxes for loans and for the unified account",
        Right.COPY: "the box for copy trading",
    },
    guide=guide.GUIDE,
    # Gate counts private calls for each user; public ones, 20 a second for an address. Half of that.
    calls_per_second=10.0,
    clock=Clock(Call("time", ("public", "spot")), read_clock),
    elsewhere=(
        Elsewhere("Gate EU", "api.gateeu.com", FindingCode.WRONG_REGION, ACCOUNT, read_trouble),
        Elsewhere(
            *("Gate's testnet", "api-testnet.gateapi.io", FindingCode.WRONG_ENVIRONMENT),
            *(ACCOUNT, read_trouble),
        ),
    ),
    unknown_key_codes=UNKNOWN_KEY,
    words={
        SUB_ACCOUNT: Words(
            looked_at="Kind of account",
            needed="The main account",
            found="A sub-account",
            to_do="{name} does not state what a key of a sub-account may do. Sign in to your main account and"
            " make the key there.",
            step=StepId.SIGN_IN,
        ),
        UNUSABLE: Words(
            looked_at="State of the key",
            needed="In use",
            found="Locked or frozen by {name}",
            to_do="Make a new key, and bind it to our addresses so that it lasts.",
        ),
    },
    address_separator=",",
    unbound_key_lives="A Gate key that is bound to no address ends after 90 days.",
)
