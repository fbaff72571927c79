"""Kraken, spot trading. Its futures platform has keys of its own, whose rights it cannot state.

Sources: Kraken's API reference, pages "Get API Key Info", "Request Wallet Transfer" and "Account Transfer";
its guides "API keys", "Error messages" and "Spot REST Rate Limits"; its support articles "API error
messages", "How to find your account number (Public Account ID)" and "What is a nonce window?". Its limits
count calls of one key (15 at once, then one in three seconds); none is published for one address.

- A key's rights are one list, so that what is not on it is not granted. Margin is part of trading: no
  permission names it. Options, fiat, conversions, loans, peer-to-peer trades, copy trading and the editing of
  keys are no rights of a key, and so False.
- "Request Wallet Transfer" moves funds to the customer's own futures wallet and asks for the permission to
  query alone, which no bot can do without. Moves to sub-accounts ask for the permission to withdraw.
- The account's only number in the reply is the IIBAN, Kraken's "Public Account ID". It is no bank account,
  but it names a person's account to others, so that only its digest is kept: enough to see that a new key is
  of the same account.
- A nonce has to be higher than the key's last one, and the customer's bot uses the same key. Ours is in
  milliseconds, as a bot's is; a larger unit would lock it out. A nonce that is too low proves nothing.
- The time is told in whole seconds, too coarse to set a clock by, so there is no `clock`.
- No code is documented for a refused address. The question needs no permission, so a "Permission denied"
  cannot be about one: key or address, Kraken does not say.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.adapter import Adapter, Call, CredentialShape, Own, Reply, ask_once
from apikeys.exchanges.base import (
    ALL_RIGHTS,
    AllowList,
    KeyReport,
    Market,
    Right,
    Trouble,
    UnreadableReplyError,
)
from apikeys.exchanges.guides import kraken as guide
from apikeys.findings import FindingCode

QUESTION = Call("GetApiKeyInfo", ("private",), method="POST")

READING = "query-funds"
# The whole set: a bot that cannot look at its orders, or cannot cancel them, cannot trade.
TRADING = frozenset({"query-open-trades", "query-closed-trades", "modify-trades", "close-trades"})
MOVING: Mapping[str, tuple[Right, ...]] = {
    "withdraw-funds": (Right.WITHDRAW, Right.TRANSFER),
    "add-withdraw-address": (Right.WITHDRAW,),
    "update-withdraw-address": (Right.WITHDRAW,),
    "earn-funds": (Right.EARN,),
}
# Deposit addresses, the account's history, and the door to the same trading by WebSocket.
HARMLESS = frozenset({"add-funds", "query-ledger", "export-data", "create-ws-token"})

TROUBLE_OF_CODE = {
    "EAPI:Invalid key": FindingCode.NOT_FOUND,
    "EAPI:Invalid signature": FindingCode.BAD_SIGNATURE,
    "EAPI:Invalid nonce": FindingCode.EXCHANGE_UNAVAILABLE,
    "EAPI:Rate limit exceeded": FindingCode.EXCHANGE_UNAVAILABLE,
    "EGeneral:Permission denied": FindingCode.INVALID_CREDENTIALS,
    "EGeneral:Temporary lockout": FindingCode.EXCHANGE_UNAVAILABLE,  # our address, for others' wrong keys
    "EGeneral:Internal error": FindingCode.EXCHANGE_UNAVAILABLE,
    "EAuth:Account temporary disabled": FindingCode.ACCOUNT_RESTRICTED,
    "EAuth:Account unconfirmed": FindingCode.ACCOUNT_RESTRICTED,
    "EAuth:Rate limit exceeded": FindingCode.EXCHANGE_UNAVAILABLE,
    "EAuth:Too many requests": FindingCode.EXCHANGE_UNAVAILABLE,
    "EAccount:Invalid permissions": FindingCode.ACCOUNT_RESTRICTED,
    "EService:Unavailable": FindingCode.EXCHANGE_UNAVAILABLE,
    "EService:Busy": FindingCode.EXCHANGE_UNAVAILABLE,
}


def read_report(reply: Any, own: Own) -> KeyReport:
    """What `POST /0/private/GetApiKeyInfo` says of the key that asks.

    It echoes the key, which has to be the one that was asked about. Times are seconds as text, "0" for none:
    a key without an end. `ipAllowlist` holds addresses and networks, and is empty for a key that is bound to
    none. `queryFrom` and `queryTo` limit only how much history is shown.
    """
    answer = reading.mapping(reply)
    if answer.get("error") != [] or "result" not in answer:
        raise UnreadableReplyError
    key = reading.mapping(answer["result"])
    if key.get("apiKey") != own.api_key or "permissions" not in key or "validUntil" not in key:
        raise UnreadableReplyError
    granted = frozenset(reading.texts(key["permissions"]))
    expires_at = reading.moment_s(key, "validUntil")
    return KeyReport(
        rights=_rights(granted),
        unknown=tuple(
            sorted(
                reading.stored_name(name) for name in granted - TRADING - HARMLESS - MOVING.keys() - {READING}
            )
        ),
        inherent_transfer=READING in granted,
        allow_list=_allow_list(key),
        created_at=reading.moment_s(key, "createdTime"),
        expires_at=expires_at,
        permanent=expires_at is None,
        account_id=_account_id(key),
        key_kind=own.kind,
    )


def _rights(granted: frozenset[str]) -> dict[Right, bool | None]:
    rights: dict[Right, bool | None] = dict.fromkeys(ALL_RIGHTS, False)
    rights[Right.READ] = READING in granted
    rights[Right.SPOT] = rights[Right.MARGIN] = granted >= TRADING
    for name in granted & MOVING.keys():
        rights.update(dict.fromkeys(MOVING[name], True))
    return rights


def _allow_list(key: Mapping[str, Any]) -> AllowList:
    if "ipAllowlist" not in key:
        return AllowList()
    addresses = tuple(reading.stored_name(address) for address in reading.texts(key["ipAllowlist"]))
    return AllowList(bound=bool(addresses), addresses=addresses)


def _account_id(key: Mapping[str, Any]) -> str:
    """32 hexadecimal digits of a SHA-256; empty where there is no number."""
    number = reading.text(key, "iban").replace(" ", "")
    return hashlib.sha256(f"kraken {number}".encode()).hexdigest()[:32] if number else ""


def read_trouble(reply: Reply) -> Trouble | None:
    """Kraken's error is `{"error": ["EAPI:Invalid key"]}` with status 200.

    After a second colon come details of the request, which are not kept. A warning begins with W.
    """
    errors = reply.body.get("error") if isinstance(reply.body, dict) else None
    texts = [item for item in errors if isinstance(item, str)] if isinstance(errors, list) else []
    first = next((item for item in texts if not item.startswith("W")), "")
    code = reading.error_code({"code": ":".join(first.split(":")[:2])}, "code")
    return reading.trouble(code, reply.status, TROUBLE_OF_CODE)


ADAPTER = Adapter(
    id="kraken",
    name="Kraken",
    site="pro.kraken.com",
    key_page="Settings, API",
    markets=(Market.SPOT,),
    calls=(QUESTION,),
    converse=ask_once(QUESTION, read_report, read_trouble),
    read_trouble=read_trouble,
    # Kraken documents no length. The examples in its reference are a key of 56 characters and a private key
    # of 88, which is 64 bytes in base64; the signing library fails on what is no base64.
    shape=CredentialShape(
        *(r"[A-Za-z0-9+/]{50,64}", "56 letters, digits, + and /."),
        r"(?:[A-Za-z0-9+/]{4}){19,23}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})",
        "88 letters, digits, + and /, with == at its end, shown once by Kraken as the private key.",
    ),
    labels={
        Right.READ: "Query under Funds permissions",
        Right.SPOT: "all four boxes under Orders and trades",
        Right.WITHDRAW: "Withdraw, and anything about withdrawal addresses",
        Right.TRANSFER: "Withdraw, and anything about withdrawal addresses",
        Right.EARN: "Earn",
    },
    guide=guide.GUIDE,
    calls_per_second=5.0,
    address_separator=",",
    unbound_key_lives="At Kraken a key that is bound to no address goes on working, from anywhere.",
)
