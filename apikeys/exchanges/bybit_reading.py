"""What Bybit says of a key, on any of its sites.

Sources: Bybit's V5 documentation, pages "Get API Key Information", "Modify Master API Key" and "Create Sub
UID API Key".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.adapter import Own
from apikeys.exchanges.base import ALL_RIGHTS, AllowList, KeyReport, Right, UnreadableReplyError

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
    ("CopyTrading", "CopyTrading"): (Right.COPY,),
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
UNKNOWN_APP = "unknown app"
_REMARK_MAX = 60


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
    rights: dict[Right, bool | None] = dict.fromkeys(ALL_RIGHTS, False)
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
    words = remark.split() if isinstance(remark, str) else []
    return " ".join(reading.stored_name(word) for word in words)[:_REMARK_MAX] or UNKNOWN_APP
