"""MEXC, spot and futures.

Sources: MEXC's spot documentation, "Query API key info" (its example is the reply of the test data), "Query
UID", "Permission" (the list of names), "Error codes", "Limits", "Internal transfer" and its official Java
example `updateApiKeyInfo`. Its limits: 500 calls in 10 seconds from one address for each endpoint; a third
party says 300, which stands here.

- The API key goes into the query of the question, so that addresses of requests are as secret as the key.
- The reply lists what is granted, so that what is not on the list is not. Names end in _READ and _WRITE, in
  parts of the documentation in _R and _W. Options, margin, fiat, earning, loans, peer-to-peer trades and copy
  trading have no name there, and so are False; a name that is not documented is unknown.
- An internal transfer to another user asks for the right to withdraw.
- The right to write an account stands for the editing of the key: a POST to the path of the question changes
  a key's own addresses, and the documentation does not say what it asks for. If it asks for less, a thief of
  a key could take its addresses off, but give it no right; a key without addresses is taken as well.
- Whether the account may trade is told elsewhere, of the account (`canTrade`, `canWithdraw`), and proves
  nothing.
- Error 10072 is an unknown key, and also the answer to a key that has futures rights only; 10073 is a time
  that does not fit, according to others an unknown key. Neither can be told apart, so the clock is looked at.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.adapter import Adapter, Call, Clock, Conversation, CredentialShape, Own, Reply
from apikeys.exchanges.base import ALL_RIGHTS, KeyReport, Market, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.guides import mexc as guide
from apikeys.findings import FindingCode

PERMISSIONS = Call("apiKeyInfo", ("spot", "private"))
ACCOUNT = Call("uid", ("spot", "private"))

# The whole set of each: a bot that cannot look at its orders cannot trade.
TRADING: Mapping[Right, frozenset[str]] = {
    Right.READ: frozenset({"SPOT_ACCOUNT_READ"}),
    Right.SPOT: frozenset({"SPOT_DEAL_READ", "SPOT_DEAL_WRITE"}),
    Right.DERIVATIVES: frozenset({"CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ", "CONTRACT_DEAL_WRITE"}),
}
MOVING: Mapping[str, tuple[Right, ...]] = {
    "SPOT_WITHDRAW_WRITE": (Right.WITHDRAW,),
    "SPOT_TRANSFER_WRITE": (Right.TRANSFER,),
    "SPOT_ACCOUNT_WRITE": (Right.KEY_EDIT, Right.CONVERT),
    "CONTRACT_ACCOUNT_WRITE": (Right.KEY_EDIT,),
}
# History, and addresses to deposit to.
HARMLESS = frozenset({"SPOT_WITHDRAW_READ", "SPOT_TRANSFER_READ", "SPOT_DEPOSIT_READ", "SPOT_DEPOSIT_WRITE"})
KNOWN = frozenset((*MOVING, *HARMLESS, *(name for names in TRADING.values() for name in names)))

TROUBLE_OF_CODE = {
    "400": FindingCode.INVALID_CREDENTIALS,
    "401": FindingCode.INVALID_CREDENTIALS,
    "402": FindingCode.EXPIRED,
    "403": FindingCode.EXCHANGE_UNAVAILABLE,
    "406": FindingCode.IP_BLOCKED,
    "429": FindingCode.EXCHANGE_UNAVAILABLE,
    "500": FindingCode.EXCHANGE_UNAVAILABLE,
    "503": FindingCode.EXCHANGE_UNAVAILABLE,
    "504": FindingCode.EXCHANGE_UNAVAILABLE,
    "602": FindingCode.BAD_SIGNATURE,
    "10001": FindingCode.ACCOUNT_RESTRICTED,
    "10072": FindingCode.INVALID_CREDENTIALS,
    "10073": FindingCode.INVALID_CREDENTIALS,
    "60005": FindingCode.ACCOUNT_RESTRICTED,
    "700001": FindingCode.NOT_FOUND,
    "700002": FindingCode.BAD_SIGNATURE,
    "700003": FindingCode.CLOCK,
    "700006": FindingCode.IP_BLOCKED,
    "700007": FindingCode.MISSING_PERMISSION,
}


def converse(own: Own) -> Conversation:
    """The rights first. A key that may read is then asked for its account's number."""
    reply = yield replace(PERMISSIONS, params={"accessKey": own.api_key})
    if trouble := read_trouble(reply):
        return trouble
    report = read_report(reply.body, own)
    if report.rights[Right.READ] is not True:
        return report
    reply = yield ACCOUNT
    if trouble := read_trouble(reply):
        return trouble if reading.is_for_later(trouble, reply.status) else report
    return replace(report, account_id=reading.account_number(reading.mapping(reply.body), "uid"))


def read_report(reply: Any, own: Own) -> KeyReport:
    """What `GET /api/v3/apiKeyInfo` says of the key that asks, which it names.

    Only `VALID` is documented as a status. `remainingValidity` is the rest of a key's life in whole days. For
    a key that is bound to addresses nothing is documented, so that a number below one says nothing there.
    """
    key = reading.mapping(reply)
    if key.get("accessKey") != own.api_key or key.get("status") != "VALID":
        raise UnreadableReplyError
    told = reading.comma_separated(key, "permissions")
    if told is None:
        raise UnreadableReplyError
    granted = frozenset(_full_name(name) for name in told)
    created_at = reading.moment(key, "createTime")
    allow_list = reading.allow_list(reading.comma_separated(key, "ipWhiteList"))
    return KeyReport(
        rights=_rights(granted),
        unknown=tuple(sorted(reading.stored_name(name) for name in granted - KNOWN)),
        allow_list=allow_list,
        created_at=created_at,
        expires_at=_expires_at(key, created_at, bound=bool(allow_list.bound)),
        key_kind=own.kind,
    )


def _full_name(name: str) -> str:
    if name.endswith("_R"):
        return name + "EAD"
    return name + "RITE" if name.endswith("_W") else name


def _rights(granted: frozenset[str]) -> dict[Right, bool | None]:
    rights: dict[Right, bool | None] = dict.fromkeys(ALL_RIGHTS, False)
    for right, needed in TRADING.items():
        rights[right] = granted >= needed
    for name in granted & MOVING.keys():
        rights.update(dict.fromkeys(MOVING[name], True))
    return rights


def _expires_at(key: Mapping[str, Any], created_at: datetime | None, *, bound: bool) -> datetime | None:
    if key.get("remainingValidity") is None:
        return None
    days = reading.whole(key, "remainingValidity")
    if days is None or (bound and days < 1):
        return None
    return reading.end_after(days, created_at)


def read_trouble(reply: Reply) -> Trouble | None:
    """MEXC's error is `{"code": 700002, "msg": …}`, most often with status 400; a good reply has no code."""
    return reading.trouble(reading.error_code(reply.body, "code"), reply.status, TROUBLE_OF_CODE)


def read_clock(reply: Any) -> float:
    return reading.clock_ms(reading.mapping(reply), "serverTime")


ADAPTER = Adapter(
    id="mexc",
    name="MEXC",
    site="www.mexc.com",
    key_page="API Management",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(PERMISSIONS, ACCOUNT),
    converse=converse,
    read_trouble=read_trouble,
    # MEXC documents no length. Its examples show keys of 18 letters and digits that begin with mx0; secrets
    # are of 32. The ranges leave room and still tell a key from a paragraph.
    shape=CredentialShape(
        *(r"[A-Za-z0-9]{12,64}", "Letters and digits, usually 18, called Access Key at MEXC."),
        *(r"[A-Za-z0-9]{24,128}", "Letters and digits, usually 32, shown once by MEXC."),
    ),
    labels={
        Right.READ: "View Account Details under Spot",
        Right.SPOT: "View Order Details and Trade under Spot",
        Right.DERIVATIVES: "View Account Details, View Order Details and the placing of orders under Futures",
        Right.WITHDRAW: "anything about withdrawals",
        Right.TRANSFER: "anything about transfers",
        Right.P2P: "anything about P2P",
        Right.CONVERT: "Edit Account Info, wherever it stands",
        Right.KEY_EDIT: "Edit Account Info, wherever it stands",
    },
    guide=guide.GUIDE,
    calls_per_second=15.0,
    clock=Clock(Call("time", ("spot", "public")), read_clock),
    unclear_codes=frozenset({"10073"}),
    address_separator=",",
    unbound_key_lives="A MEXC key that is bound to no address ends after 90 days, unless you renew it there.",
)
