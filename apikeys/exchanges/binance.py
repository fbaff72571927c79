"""Binance (binance.com): system-generated keys (HMAC) and self-generated ones (Ed25519, RSA).

Sources: Binance's wallet documentation, "Get API Key Permission"; the official connector's test data for it;
Binance's spot documentation, "Account information" (`uid`), "Error codes", "API Key Types", "Limits" (12,000
weight a minute for each sapi endpoint, 1 a call; 6,000 a minute for the account, 20 a call). Names of boxes
are those of the page "API Management".
"""

from collections.abc import Callable
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
    ReadTrouble,
    Reply,
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
from apikeys.exchanges.guides import binance as guide
from apikeys.findings import FindingCode

PERMISSIONS = Call("account/apiRestrictions", ("sapi",))
# Asked for its `uid` alone, with what else it holds left out: that is about the account and proves nothing
# about the key.
ACCOUNT = Call("account", ("private",), params={"omitZeroBalances": "true"}, turns=40)

RIGHT_OF_FLAG = {
    "enableReading": Right.READ,
    "enableSpotAndMarginTrading": Right.SPOT,
    "enableMargin": Right.MARGIN,
    "enableFutures": Right.DERIVATIVES,
    "enableVanillaOptions": Right.OPTIONS,
    "enableWithdrawals": Right.WITHDRAW,
}
# Master to sub-account at once; and the universal transfer between an account's own wallets.
TRANSFER_FLAGS = ("enableInternalTransfer", "permitsUniversalTransfer")
# Other doors to the same trading: portfolio margin and the FIX protocol.
HARMLESS_FLAGS = ("enablePortfolioMarginTrading", "enableFixApiTrade", "enableFixReadOnly")
METADATA = ("ipRestrict", "createTime", "tradingAuthorityExpirationTime")
KNOWN = frozenset((*RIGHT_OF_FLAG, *TRANSFER_FLAGS, *HARMLESS_FLAGS, *METADATA))
# The documentation of the key's permissions knows no such rights for a key.
NO_SUCH_RIGHTS = (
    *(Right.FIAT, Right.CONVERT, Right.EARN, Right.LOAN, Right.P2P, Right.COPY, Right.KEY_EDIT),
)

TROUBLE_OF_CODE = {
    "-2015": FindingCode.INVALID_CREDENTIALS,  # key, address or permission: Binance does not say which
    "-2014": FindingCode.NOT_FOUND,
    "-2008": FindingCode.NOT_FOUND,
    "-1022": FindingCode.BAD_SIGNATURE,
    "-1021": FindingCode.CLOCK,
    "-1002": FindingCode.INVALID_CREDENTIALS,
    "-1003": FindingCode.EXCHANGE_UNAVAILABLE,
    "-1008": FindingCode.EXCHANGE_UNAVAILABLE,
}
UNKNOWN_KEY = frozenset({"-2015", "-2014", "-2008"})


def conversation(
    permissions: Call, account: Call, read: Callable[[Any, Own], KeyReport], read_refusal: ReadTrouble
) -> Callable[[Own], Conversation]:
    """The rights first, whose refusal `read_refusal` reads. A key that may read is then asked for its
    account's number; where that is refused the account is not known.
    """

    def converse(own: Own) -> Conversation:
        reply = yield permissions
        if trouble := read_refusal(reply):
            return trouble
        report = read(reply.body, own)
        if report.rights[Right.READ] is not True:
            return report
        reply = yield account
        if trouble := read_trouble(reply):
            return trouble if reading.is_for_later(trouble, reply.status) else report
        return replace(report, account_id=reading.account_number(reading.mapping(reply.body), "uid"))

    return converse


def read_report(reply: Any, own: Own) -> KeyReport:
    """What `GET /sapi/v1/account/apiRestrictions` says of the key that asks.

    Every flag is optional in the official connector, so that an absent one is None and never False. No flag
    names fiat, convert, earn, loans, P2P or the editing of keys: those rights are False. Margin and futures
    each bring a transfer between the customer's own wallets that no flag takes away ("Each business's own
    transfer API rights are not affected"). Addresses are not listed, only whether there are any. Without
    addresses the trading right may end by itself, told as `tradingAuthorityExpirationTime`.
    """
    flags = reading.mapping(reply)
    required = (*RIGHT_OF_FLAG, *TRANSFER_FLAGS)
    if not any(name in flags for name in required):
        raise UnreadableReplyError
    rights: dict[Right, bool | None] = {
        right: reading.flag(flags, name) for name, right in RIGHT_OF_FLAG.items()
    }
    rights[Right.TRANSFER] = _any_of([reading.flag(flags, name) for name in TRANSFER_FLAGS])
    rights.update(dict.fromkeys(NO_SUCH_RIGHTS, False))
    for name in HARMLESS_FLAGS:
        reading.flag(flags, name)
    return KeyReport(
        rights=rights,
        unknown=tuple(
            reading.stored_name(name) for name, value in flags.items() if value and name not in KNOWN
        ),
        inherent_transfer=bool(rights[Right.MARGIN] or rights[Right.DERIVATIVES]),
        allow_list=AllowList(bound=reading.flag(flags, "ipRestrict")),
        created_at=reading.moment_ms(flags, "createTime"),
        expires_at=reading.moment_ms(flags, "tradingAuthorityExpirationTime"),
        key_kind=own.kind,
    )


def _any_of(answers: list[bool | None]) -> bool | None:
    if any(answers):
        return True
    return None if None in answers else False


def read_trouble(reply: Reply) -> Trouble | None:
    """Binance's error is `{"code": -2015, "msg": …}` with a 4xx status; a good reply has no negative code."""
    code = reading.error_code(reply.body, "code")
    return reading.trouble(code if code.startswith("-") else "", reply.status, TROUBLE_OF_CODE)


def read_clock(reply: Any) -> float:
    return reading.clock_ms(reading.mapping(reply), "serverTime")


ADAPTER = Adapter(
    id="binance",
    name="Binance",
    site="www.binance.com",
    key_page="API Management",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(PERMISSIONS, ACCOUNT),
    converse=conversation(PERMISSIONS, ACCOUNT, read_report, read_trouble),
    read_trouble=read_trouble,
    shape=CredentialShape(
        *(r"[A-Za-z0-9]{64}", "64 letters and digits."),
        *(r"[A-Za-z0-9]{64}", "64 letters and digits, shown once by Binance."),
        key_files=(KeyKind.ED25519, KeyKind.RSA),
    ),
    labels={
        Right.READ: "Enable Reading",
        Right.SPOT: "Enable Spot & Margin Trading",
        Right.MARGIN: "Enable Margin Loan, Repay & Transfer",
        Right.DERIVATIVES: "Enable Futures",
        Right.OPTIONS: "the box for options",
        Right.WITHDRAW: "Enable Withdrawals",
        Right.TRANSFER: "Permits Universal Transfer and anything about internal transfers",
    },
    guide=guide.GUIDE,
    calls_per_second=100.0,
    clock=Clock(Call("time", ("public",)), read_clock),
    elsewhere=(
        # Whether it answers the other question is in none of its pages.
        Elsewhere(
            *("Binance.US", "api.binance.us", FindingCode.WRONG_REGION),
            *(Call("account", ("private",), turns=40), read_trouble),
        ),
        Elsewhere(
            *("Binance's testnet", "testnet.binance.vision", FindingCode.WRONG_ENVIRONMENT),
            *(ACCOUNT, read_trouble),
        ),
        Elsewhere(
            *("Binance's demo trading", "demo-api.binance.com", FindingCode.WRONG_ENVIRONMENT),
            *(ACCOUNT, read_trouble),
        ),
    ),
    unknown_key_codes=UNKNOWN_KEY,
    to_switch_on={
        # Of enableFutures: "API Key created before your futures account opened does not support futures".
        Right.DERIVATIVES: "Switch on Enable Futures. If your futures account is not open yet, or was opened"
        " after this key was made, make a new key once it is open: this one cannot use it."
    },
    address_separator=" ",
    unbound_key_lives="Binance warns that it deletes a trading key that is bound to no address.",
)
