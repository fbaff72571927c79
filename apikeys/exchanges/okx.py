"""OKX, with the sites of the EEA and the US: one account lives at one of them.

Sources: OKX's V5 documentation, pages "Get account configuration" (5 calls in 2 seconds for one user),
"Funds transfer", "Reset the API Key of a sub-account", "Account mode", "Error Code", "Get system time", and
its overview on keys (14 days, 20 addresses); OKX's API FAQs, global and EEA, of 2026. Which host serves which
region, and that a key of another one is answered 50119, is told in user reports on trading software.
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
    Host,
    Own,
    Reply,
    Words,
    ask_once,
)
from apikeys.exchanges.base import ALL_RIGHTS, KeyReport, Market, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.guides import okx as guide
from apikeys.findings import FindingCode

QUESTION = Call("account/config", ("private",))

READ, TRADE, WITHDRAW = "read_only", "trade", "withdraw"
TRADING = (Right.SPOT, Right.MARGIN, Right.DERIVATIVES, Right.OPTIONS)
# "Spot mode". The other three trade futures and perpetual swaps too.
SPOT_MODE = "1"
ACCOUNT_KINDS = {"0": "main account", "1": "sub-account", "2": "managed sub-account"}

TROUBLE_OF_CODE = {
    "50001": FindingCode.EXCHANGE_UNAVAILABLE,
    "50004": FindingCode.EXCHANGE_UNAVAILABLE,
    "50005": FindingCode.EXCHANGE_UNAVAILABLE,
    "50007": FindingCode.ACCOUNT_RESTRICTED,
    "50009": FindingCode.ACCOUNT_RESTRICTED,
    "50011": FindingCode.EXCHANGE_UNAVAILABLE,
    "50012": FindingCode.ACCOUNT_RESTRICTED,
    "50013": FindingCode.EXCHANGE_UNAVAILABLE,
    "50026": FindingCode.EXCHANGE_UNAVAILABLE,
    "50027": FindingCode.ACCOUNT_RESTRICTED,
    "50029": FindingCode.ACCOUNT_RESTRICTED,
    "50030": FindingCode.MISSING_PERMISSION,
    "50035": FindingCode.IP_BLOCKED,  # "requires that APIKey must be bound to IP": mended in the same list
    "50051": FindingCode.ACCOUNT_RESTRICTED,
    "50059": FindingCode.ACCOUNT_RESTRICTED,
    "50060": FindingCode.ACCOUNT_RESTRICTED,
    "50100": FindingCode.ACCOUNT_RESTRICTED,  # "API frozen"
    "50101": FindingCode.WRONG_ENVIRONMENT,
    "50102": FindingCode.CLOCK,
    "50103": FindingCode.INVALID_CREDENTIALS,
    "50104": FindingCode.BAD_PASSPHRASE,
    "50105": FindingCode.BAD_PASSPHRASE,
    "50106": FindingCode.INVALID_CREDENTIALS,
    "50107": FindingCode.CLOCK,
    "50110": FindingCode.IP_BLOCKED,
    "50111": FindingCode.NOT_FOUND,
    "50112": FindingCode.CLOCK,
    "50113": FindingCode.BAD_SIGNATURE,
    "50114": FindingCode.INVALID_CREDENTIALS,
    # "To link the app using your API key, your broker needs to share their IP to be whitelisted".
    "50118": FindingCode.APP_FOREIGN,
    "50119": FindingCode.NOT_FOUND,
    "50120": FindingCode.MISSING_PERMISSION,
}
# "API key doesn't exist": also what the host of one region says of a key of another one.
UNKNOWN_KEY = frozenset({"50119"})


def read_report(reply: Any, own: Own) -> KeyReport:
    """What `GET /api/v5/account/config` says of the key that asks: one entry in `data`.

    - `perm` is a list of read_only, trade, withdraw, with commas. All that a key may do is one of the three,
      so that what is not in it is not granted.
    - trade says nothing finer: spot, margin, derivatives and options follow it. "Funds transfer" lets it move
      funds between the account's own wallets and from the master to sub-accounts, and the bound key of a
      master may reset keys of sub-accounts. OKX has no right of its own for either, so that transfers and key
      editing are False and `inherent_transfer` tells it; a key passes only bound to our addresses. The same
      goes for converting, earning, lending and copy trading.
    - `ip` is a list with commas, empty for a key that works from anywhere. A key made for an app reads empty
      too, and is not told apart.
    - `acctLv` 1 is the account mode that trades spot only.
    - Expiry is not told.
    """
    account = _only_entry(reply)
    names = reading.comma_separated(account, "perm")
    if names is None:
        raise UnreadableReplyError
    rights: dict[Right, bool | None] = dict.fromkeys(ALL_RIGHTS, False)
    rights[Right.READ] = READ in names
    rights[Right.WITHDRAW] = WITHDRAW in names
    rights.update(dict.fromkeys(TRADING, TRADE in names))
    uid = reading.account_number(account, "uid")
    main = reading.account_number(account, "mainUid")
    return KeyReport(
        rights=rights,
        unknown=tuple(reading.stored_name(name) for name in names if name not in (READ, TRADE, WITHDRAW)),
        inherent_transfer=TRADE in names,
        product_off=(Right.DERIVATIVES,) if reading.text(account, "acctLv") == SPOT_MODE else (),
        allow_list=reading.allow_list(reading.comma_separated(account, "ip")),
        account_id=uid,
        parent_account_id="" if main == uid else main,
        account_kind=ACCOUNT_KINDS.get(reading.text(account, "type"), ""),
        key_kind=own.kind,
    )


def _only_entry(reply: Any) -> Mapping[str, Any]:
    answer = reading.mapping(reply)
    entries = answer.get("data")
    if answer.get("code") != "0" or not isinstance(entries, list) or len(entries) != 1:
        raise UnreadableReplyError
    return reading.mapping(entries[0])


def read_trouble(reply: Reply) -> Trouble | None:
    """OKX's error is `{"code": "50119", "msg": …}`, with status 401 or 200. The message may quote the key."""
    code = reading.error_code(reply.body, "code")
    return reading.trouble(code, reply.status, TROUBLE_OF_CODE)


def read_clock(reply: Any) -> float:
    return reading.clock_ms(_only_entry(reply), "ts")


ADAPTER = Adapter(
    id="okx",
    name="OKX",
    site="www.okx.com",
    key_page="API",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(QUESTION,),
    converse=ask_once(QUESTION, read_report, read_trouble),
    read_trouble=read_trouble,
    # OKX documents no lengths. Its keys are seen with 36 characters and secrets with 32; the ranges leave
    # room. No rule for passphrases is known, so that any text is taken.
    shape=CredentialShape(
        *(r"[A-Za-z0-9-]{30,64}", "Letters, digits and hyphens, usually 36."),
        *(r"[A-Za-z0-9]{24,64}", "Letters and digits, usually 32, shown by OKX with the key."),
        passphrase=True,
    ),
    labels={
        Right.READ: "Read",
        Right.SPOT: "Trade",
        Right.DERIVATIVES: "Trade",
        Right.WITHDRAW: "Withdraw",
    },
    guide=guide.GUIDE,
    # The limit is for each user, and none for an address is published: this one is our own choice.
    calls_per_second=20.0,
    clock=Clock(Call("public/time", ("public",)), read_clock),
    hosts=(
        Host("eea", "eea.okx.com"),
        Host("us", "us.okx.com"),
    ),
    unknown_key_codes=UNKNOWN_KEY,
    words={
        FindingCode.IP_BLOCKED: NO_LIST_OF_AN_APP,
        FindingCode.PRODUCT_NOT_ENABLED: Words(
            needed="An account mode with futures",
            found="Spot mode",
            to_do="Choose another account mode in the settings of OKX's trading page. This same key will do"
            " after that.",
        ),
    },
    trading_moves="between your own wallets and to your sub-accounts",
    must_be_bound=True,
    address_separator=",",
    unbound_key_lives=(
        "OKX deletes a trading key that is bound to no address after 14 days in which it is not used."
    ),
)
