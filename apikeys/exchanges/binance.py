"""Binance (binance.com), keys of the system-generated HMAC kind.

Sources: Binance's wallet documentation, "Get API Key Permission"; the official connector's test data for it;
Binance's spot documentation, "Error codes" and "API Key Types". Names of boxes are those of the page
"API Management".
"""

from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.base import (
    Adapter,
    AllowList,
    Call,
    CredentialShape,
    KeyReport,
    Market,
    Right,
    Trouble,
    UnreadableReplyError,
)
from apikeys.findings import FindingCode

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
NO_SUCH_RIGHTS = (Right.FIAT, Right.CONVERT, Right.EARN, Right.LOAN, Right.P2P, Right.KEY_EDIT)

TROUBLE_OF_CODE = {
    -2015: FindingCode.INVALID_CREDENTIALS,  # key, address or permission: Binance does not say which
    -2014: FindingCode.NOT_FOUND,
    -2008: FindingCode.NOT_FOUND,
    -1022: FindingCode.BAD_SIGNATURE,
    -1021: FindingCode.CLOCK,
    -1002: FindingCode.INVALID_CREDENTIALS,
    -1003: FindingCode.EXCHANGE_UNAVAILABLE,
    -1008: FindingCode.EXCHANGE_UNAVAILABLE,
}
# Too many requests, banned for it, and not served in this country: about our address, not about the key.
OUR_STATUSES = frozenset({429, 418, 451})


def read_report(reply: Any) -> KeyReport:
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
        key_kind="HMAC",
    )


def _any_of(answers: list[bool | None]) -> bool | None:
    if any(answers):
        return True
    return None if None in answers else False


def read_trouble(status: int, reply: Any) -> Trouble | None:
    """Binance's error is `{"code": -2015, "msg": …}` with a 4xx status.

    A 5xx is Binance's own trouble whatever it carries, and so is every code that the table does not know.
    """
    code = reading.error_code(reply, "code")
    if code is not None and code < 0:
        ours = status >= 500 or status in OUR_STATUSES
        finding = None if ours else TROUBLE_OF_CODE.get(code)
        return Trouble(finding or FindingCode.EXCHANGE_UNAVAILABLE, str(code)[:20])
    if not 200 <= status < 300:
        return Trouble(FindingCode.EXCHANGE_UNAVAILABLE, f"HTTP {status}")
    return None


ADAPTER = Adapter(
    id="binance",
    name="Binance",
    site="www.binance.com",
    key_page="API Management",
    markets=(Market.SPOT, Market.DERIVATIVES),
    question=Call("account/apiRestrictions", ("sapi",)),
    read_report=read_report,
    read_trouble=read_trouble,
    shape=CredentialShape(
        *(r"[A-Za-z0-9]{64}", "64 letters and digits."),
        *(r"[A-Za-z0-9]{64}", "64 letters and digits, shown once by Binance."),
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
    address_separator=" ",
    unbound_key_lives="Binance warns that it deletes a trading key that is bound to no address.",
)
