"""KuCoin, spot and futures alike: one host and one kind of key.

Sources: KuCoin's documentation of 2026, pages "Introduction" (what each permission allows), "Get Apikey Info"
(weight 20 of the management pool, for each user) with the official SDK's test data, "Authentication"; its
documentation of 2020 to 2023 for the older names and for what trading moves; its support page on keys (30
days, 20 addresses). Error codes are those of the pages "Request" and "Errors".
"""

from collections.abc import Mapping
from typing import Any

from apikeys.exchanges import reading
from apikeys.exchanges.adapter import (
    NO_LIST_OF_AN_APP,
    Adapter,
    Call,
    Clock,
    CredentialShape,
    Own,
    Reply,
    ask_once,
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
from apikeys.exchanges.guides import kucoin as guide
from apikeys.findings import FindingCode

QUESTION = Call("user/api-key", ("private",))

# Both spellings of both editions. The "Transfer" of the older one is the right to withdraw.
RIGHTS_OF_NAME: Mapping[str, tuple[Right, ...]] = {
    "General": (Right.READ,),
    "Spot": (Right.SPOT,),
    "Trade": (Right.SPOT, Right.MARGIN),
    "Margin": (Right.MARGIN,),
    "Futures": (Right.DERIVATIVES,),
    "Transfer": (Right.WITHDRAW,),
    "Withdrawal": (Right.WITHDRAW,),
    "InnerTransfer": (Right.TRANSFER,),
    "FlexTransfers": (Right.TRANSFER,),
    "Earn": (Right.EARN,),
    "LeadtradeFutures": (Right.COPY,),
}
TRADING = (Right.SPOT, Right.MARGIN, Right.DERIVATIVES)

TROUBLE_OF_CODE = {
    "400001": FindingCode.INVALID_CREDENTIALS,  # one of the headers is missing
    "400002": FindingCode.CLOCK,
    "400003": FindingCode.NOT_FOUND,
    "400004": FindingCode.BAD_PASSPHRASE,
    "400005": FindingCode.BAD_SIGNATURE,
    "400006": FindingCode.IP_BLOCKED,
    "400007": FindingCode.MISSING_PERMISSION,
    "411100": FindingCode.ACCOUNT_RESTRICTED,
    "429000": FindingCode.EXCHANGE_UNAVAILABLE,
    "500000": FindingCode.EXCHANGE_UNAVAILABLE,
}
FINE = "200000"


def read_report(reply: Any, own: Own) -> KeyReport:
    """What `GET /api/v1/user/api-key` says of the key that asks.

    - `permission` is a list of names with commas. Each thing that moves money has a name of its own, so that
      what is not in the list is not granted. No name is about options, fiat, converting, loans, P2P or the
      editing of keys: those rights are False.
    - Of "Unified" no page says what it allows beside trading. It is not proved.
    - The older edition lets a key with "Trade" move funds between the main and the trading account, and to
      and from sub-accounts ("Transfer between Master user and Sub-user requires Trade permission"); the newer
      one leaves "the respective permissions for each individual transfer type" as they were. So trading is
      told as moving funds by itself, as far as that.
    - `ipWhitelist` is a list with commas. It is not among the fields that are always there: absent, it was
      not said. Examples show addresses with stars in them; of such a list only that there is one is known.
    - A key of version 1 cannot be told by its error: it wants the passphrase unsigned, and is answered as if
      the passphrase were wrong. KuCoin stopped serving them in 2021.
    - Expiry is not told.
    """
    answer = reading.mapping(reply)
    if answer.get("code") != FINE:
        raise UnreadableReplyError
    key = reading.mapping(answer.get("data"))
    names = reading.comma_separated(key, "permission")
    if names is None:
        raise UnreadableReplyError
    rights: dict[Right, bool | None] = dict.fromkeys(ALL_RIGHTS, False)
    for name in names:
        rights.update(dict.fromkeys(RIGHTS_OF_NAME.get(name, ()), True))
    return KeyReport(
        rights=rights,
        unknown=tuple(reading.stored_name(name) for name in names if name not in RIGHTS_OF_NAME),
        inherent_transfer=any(rights[right] for right in TRADING),
        allow_list=_allow_list(key),
        created_at=reading.moment_ms(key, "createdAt"),
        account_id=reading.account_number(key, "uid"),
        account_kind=_account_kind(key),
        key_kind=own.kind,
    )


def _allow_list(key: Mapping[str, Any]) -> AllowList:
    found = reading.allow_list(reading.comma_separated(key, "ipWhitelist"))
    masked = any("*" in address for address in found.addresses or ())
    return AllowList(bound=True) if masked else found


def _account_kind(key: Mapping[str, Any]) -> str:
    is_master = reading.flag(key, "isMaster")
    if is_master is None:
        return ""
    return "main account" if is_master else "sub-account"


def read_trouble(reply: Reply) -> Trouble | None:
    """KuCoin's error is `{"code": "400003", "msg": …}`, with a 4xx status or 200."""
    code = reading.error_code(reply.body, "code")
    return reading.trouble("" if code == FINE else code, reply.status, TROUBLE_OF_CODE)


def read_clock(reply: Any) -> float:
    return reading.clock_ms(reading.mapping(reply), "data")


ADAPTER = Adapter(
    id="kucoin",
    name="KuCoin",
    site="www.kucoin.com",
    key_page="API Management",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(QUESTION,),
    converse=ask_once(QUESTION, read_report, read_trouble),
    read_trouble=read_trouble,
    # KuCoin documents no lengths for the two. Its examples show keys of 24 and secrets of 36 characters.
    shape=CredentialShape(
        *(r"[A-Za-z0-9]{20,64}", "Letters and digits, usually 24."),
        *(r"[A-Za-z0-9-]{30,64}", "Letters, digits and hyphens, usually 36, shown once by KuCoin."),
        passphrase=True,
        passphrase_pattern=r"\S{7,32}",  # noqa: S106
        passphrase_hint="7 to 32 characters, no spaces: the one you chose for this key.",  # noqa: S106
    ),
    labels={
        Right.READ: "General",
        Right.SPOT: "Spot Trading",
        Right.MARGIN: "Margin Trading",
        Right.DERIVATIVES: "Futures Trading",
        Right.WITHDRAW: "Withdrawal (older pages call it Transfer)",
        Right.TRANSFER: "FlexTransfers and anything about internal transfers",
        Right.EARN: "Earn",
        Right.COPY: "the box for lead trading",
    },
    guide=guide.GUIDE,
    # The pool is for each user, and none for an address is published for signed calls: our own choice.
    calls_per_second=20.0,
    clock=Clock(Call("timestamp", ("public",)), read_clock),
    words={FindingCode.IP_BLOCKED: NO_LIST_OF_AN_APP},
    trading_moves="between your own wallets, those of your sub-accounts included",
    address_separator=",",
    unbound_key_lives=(
        "KuCoin deletes a trading key that is bound to no address, or takes its trading rights, after 30 days"
        " in which it is not used."
    ),
)
