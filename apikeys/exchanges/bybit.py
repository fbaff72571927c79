"""Bybit (bybit.com): system-generated keys (HMAC) and self-generated ones (RSA).

Sources: Bybit's V5 documentation, pages "Get API Key Information", "Modify Master API Key", "Create Sub UID
API Key", "Error Codes", "Rate Limit Rules" (600 calls in 5 seconds from one address) and "Integration
Guidance" (hosts of its countries, testnet and demo). Names of boxes are those of its key page.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.adapter import (
    Adapter,
    Call,
    Clock,
    CredentialShape,
    Elsewhere,
    Host,
    Own,
    Reply,
    ask_once,
)
from apikeys.exchanges.base import (
    AllowList,
    KeyKind,
    KeyReport,
    Market,
    Right,
    Trouble,
    UnreadableReplyError,
)
from apikeys.exchanges.guides import bybit as guide
from apikeys.findings import FindingCode

QUESTION = Call("v5/user/query-api", ("private",))

# What an entry of a group allows beside trading. A block trade is agreed with a counterparty at any price,
# so that value can be handed to another account. Every Wallet entry opens "Modify Master API Key", with which
# a key widens itself; the page says so.
MOVING: Mapping[tuple[str, str], tuple[Right, ...]] = {
    ("Wallet", "Withdraw"): (Right.WITHDRAW, Right.KEY_EDIT),
    ("Wallet", "AccountTransfer"): (Right.TRANSFER, Right.KEY_EDIT),
    ("Wallet", "SubMemberTransfer"): (Right.TRANSFER, Right.KEY_EDIT),
    ("Wallet", "SubMemberTransferList"): (Right.TRANSFER, Right.KEY_EDIT),
    ("BlockTrade", "BlockTrade"): (Right.TRANSFER,),
    ("Exchange", "ExchangeHistory"): (Right.CONVERT,),
    ("Earn", "Earn"): (Right.EARN,),
    ("FiatP2P", "FiatP2POrder"): (Right.P2P,),
    ("FiatP2P", "Advertising"): (Right.P2P,),
    ("FiatBitPay", "FaitPayOrder"): (Right.FIAT,),
    ("FiatBybitPay", "FaitPayOrder"): (Right.FIAT,),
    ("FiatConvertBroker", "FiatConvertBrokerOrder"): (Right.FIAT,),
    ("BitCard", "BitCard"): (Right.FIAT,),
    ("Affiliate", "Affiliate"): (Right.FIAT,),
}
# Documented without its entries.
MOVING_GROUPS: Mapping[str, Right] = {"FiatGlobalPay": Right.FIAT}
# The whole set is needed: orders without positions cannot run a derivatives bot.
TRADING: Mapping[Right, tuple[str, frozenset[str]]] = {
    Right.SPOT: ("Spot", frozenset({"SpotTrade"})),
    Right.DERIVATIVES: ("ContractTrade", frozenset({"Order", "Position"})),
    Right.OPTIONS: ("Options", frozenset({"OptionsTrade"})),
}
# Bybit adds this entry by itself according to the account ("system will automatically add this permission"),
# so it grants no right that the other groups do not name.
ACCOUNT_MARKS = frozenset({("Derivatives", "DerivativesTrade")})
# In every edition of the documentation and on every account's key form, so that an absent one is "not said".
# An absent trading group allows no trading, and the other groups come and go with country, kind of account
# and year (FiatBybitPay became FiatBitPay): absent, they are not granted.
WALLET = "Wallet"
WALLET_RIGHTS = (Right.WITHDRAW, Right.TRANSFER, Right.KEY_EDIT)

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
UNKNOWN_APP = "unknown app"


def read_report(reply: Any, own: Own) -> KeyReport:
    """What `GET /v5/user/query-api` says of the key that asks.

    - "Any permission can access this endpoint", so an answer proves that the key can read.
    - `readOnly` 1 takes the trading rights away and nothing else: the documentation's own example is a
      read-only key with transfer rights.
    - Derivatives need both entries of ContractTrade. The entry DerivativesTrade marks a unified account.
    - No group names margin or loans: those rights are False.
    - `ips` is [] or ["*"] for a key bound to no address.
    - `expiredAt` 1970 and `deadlineDay` -2 mean never (the example of a bound key; inferred). Both are there
      only for keys that can end: those bound to no address, or whose password was changed.
    - `type` 2 is a key made through an app. No field names the app; the key's remark is the nearest to it.
    """
    answer = reading.mapping(reply)
    if reading.whole(answer, "retCode") != 0 or "result" not in answer:
        raise UnreadableReplyError
    key = reading.mapping(answer["result"])
    if "permissions" not in key:
        raise UnreadableReplyError
    groups = {name: reading.texts(value) for name, value in reading.mapping(key["permissions"]).items()}
    return KeyReport(
        rights=_rights(groups, _read_only(key)),
        unknown=tuple(
            reading.stored_name(f"{group}.{entry}")
            for group, entries in groups.items()
            for entry in entries
            if not _is_known(group, entry)
        ),
        allow_list=_allow_list(key),
        created_at=reading.moment(key, "createdAt"),
        expires_at=_expires_at(key),
        permanent=_is_permanent(key),
        account_id=reading.account_number(key, "userID"),
        parent_account_id=reading.account_number(key, "parentUid"),
        account_kind=_account_kind(key),
        key_kind=_key_kind(key),
        third_party_app=_third_party_app(key),
    )


def _rights(groups: Mapping[str, tuple[str, ...]], read_only: bool | None) -> dict[Right, bool | None]:
    rights: dict[Right, bool | None] = dict.fromkeys(Right, False)
    rights[Right.READ] = True
    for right, (group, needed) in TRADING.items():
        if needed <= set(groups.get(group, ())):
            rights[right] = None if read_only is None else not read_only
    if WALLET not in groups:
        rights.update(dict.fromkeys(WALLET_RIGHTS))
    for group, entries in groups.items():
        for entry in entries:
            rights.update(dict.fromkeys(MOVING.get((group, entry), ()), True))
        if entries and group in MOVING_GROUPS:
            rights[MOVING_GROUPS[group]] = True
    return rights


def _is_known(group: str, entry: str) -> bool:
    return (
        (group, entry) in MOVING
        or group in MOVING_GROUPS
        or (group, entry) in ACCOUNT_MARKS
        or any(group == name and entry in entries for name, entries in TRADING.values())
    )


def _read_only(key: Mapping[str, Any]) -> bool | None:
    value = reading.whole(key, "readOnly")
    if value not in (0, 1, None):
        raise UnreadableReplyError
    return None if value is None else value == 1


def _allow_list(key: Mapping[str, Any]) -> AllowList:
    if "ips" not in key:
        return AllowList()
    addresses = tuple(address.strip() for address in reading.texts(key["ips"]) if address.strip())
    if not addresses or "*" in addresses:
        return AllowList(bound=False, addresses=())
    return AllowList(bound=True, addresses=tuple(reading.stored_name(address) for address in addresses))


def _expires_at(key: Mapping[str, Any]) -> datetime | None:
    told = reading.moment(key, "expiredAt")
    return None if reading.whole(key, "deadlineDay") == -2 else told


def _is_permanent(key: Mapping[str, Any]) -> bool:
    """Said so, or bound to an app, whose keys do not end ("type" 2)."""
    return reading.whole(key, "deadlineDay") == -2 or reading.whole(key, "type") == 2


def _account_kind(key: Mapping[str, Any]) -> str:
    if reading.whole(key, "uta") == 1:
        return "unified trading account"
    if reading.whole(key, "unified") == 1:
        return "unified margin account"
    return "classic account" if "uta" in key else ""


def _key_kind(key: Mapping[str, Any]) -> str:
    public_key = key.get("rsaPublicKey", "")
    if not isinstance(public_key, str):
        raise UnreadableReplyError
    return "RSA" if public_key else "HMAC"


def _third_party_app(key: Mapping[str, Any]) -> str | None:
    kind = reading.whole(key, "type")
    if kind not in (1, 2, None):
        raise UnreadableReplyError
    if kind != 2:
        return None
    remark = key.get("note", "")
    return (reading.stored_name(remark.strip()) if isinstance(remark, str) else "") or UNKNOWN_APP


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


ADAPTER = Adapter(
    id="bybit",
    name="Bybit",
    site="www.bybit.com",
    key_page="API Management",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(QUESTION,),
    converse=ask_once(QUESTION, read_report, read_trouble),
    read_trouble=read_trouble,
    # Bybit documents no length. Its examples show keys of 18 and secrets of 36 letters and digits; the
    # ranges leave room and still tell a key from a paragraph.
    shape=CredentialShape(
        *(r"[A-Za-z0-9]{16,64}", "Letters and digits, usually 18."),
        *(r"[A-Za-z0-9]{20,128}", "Letters and digits, usually 36, shown once by Bybit."),
        key_files=(KeyKind.RSA,),
    ),
    labels={
        Right.SPOT: "Read-Write and SPOT: Trade",
        Right.DERIVATIVES: "Read-Write and Contract: Orders and Positions",
        Right.OPTIONS: "USDC Derivatives Trading",
        Right.WITHDRAW: "Withdrawal",
        Right.TRANSFER: "Account Transfer, Subaccount Transfer and anything about block trades",
        Right.FIAT: "anything about fiat, Bybit Pay, cards and affiliates",
        Right.CONVERT: "everything under Exchange",
        Right.EARN: "everything under Earn",
        Right.P2P: "everything under P2P",
        Right.KEY_EDIT: "everything under Wallet",
    },
    guide=guide.GUIDE,
    calls_per_second=60.0,
    clock=Clock(Call("v5/market/time", ("public",)), read_clock),
    hosts=(
        Host("netherlands", "api.bybit.nl"),
        Host("turkey", "api.bybit.tr"),
        Host("kazakhstan", "api.bybit.kz"),
        Host("georgia", "api.bybitgeorgia.ge"),
        Host("emirates", "api.bybit.ae"),
        Host("indonesia", "api.bybit.id"),
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
    address_separator=",",
    unbound_key_lives=(
        "A Bybit key that is bound to no address ends after 90 days, "
        "and 7 days after you change your password there."
    ),
)
