"""HTX, formerly Huobi: spot and futures by the same key.

Sources: HTX's API documentation, "API key query", "Get UID", "Authentication" (permissions and expiry), "Rate
limiting rule" (10 calls a second of one key, or of one address where no key is needed; the latter stands here
for all of them) and its change log of June 2022 on keys without addresses. Texts of errors are those of
public issues of its own SDKs ("Signature not valid: Incorrect IP address", "Incorrect Access key",
"Verification failure") and of a trading service's source ("API key has expired").

- A key may read, trade and withdraw. "Trade permission: place order, cancel order and transfer": by trading a
  key moves funds between the customer's own wallets and to sub-accounts, and makes keys for these. Nothing
  finer can be chosen, so that only keys pass that are bound to our addresses. Margin with its loans and
  futures are part of trading. Loans, fiat, conversions, earning, peer-to-peer trades, copy trading and the
  editing of the key itself are no rights of their own, and so False.
- The question needs the account's number, which is asked first and serves as the account. It answers keys of
  main accounts only: of a sub-account's own key nothing can be proved.
- Asked without a key the reply tells of all keys; with one there has to be exactly one that is ours.
- `api-signature-not-valid` stands for an unknown key, a wrong secret, an end, an address and the time. The
  texts tell some of them apart, and are not kept; behind all of them the clock is looked at.
- The signature covers the host's name.
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
    Own,
    Reply,
    Words,
)
from apikeys.exchanges.base import ALL_RIGHTS, KeyReport, Market, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.guide import StepId
from apikeys.exchanges.guides import htx as guide
from apikeys.findings import FindingCode

ACCOUNT = Call("v2/user/uid", ("spot", "private"))
KEYS = Call("v2/user/api-key", ("spot", "private"))

RIGHTS_OF_NAME: Mapping[str, tuple[Right, ...]] = {
    "readOnly": (Right.READ,),
    "trade": (Right.SPOT, Right.MARGIN, Right.DERIVATIVES),
    "withdraw": (Right.WITHDRAW,),
}

# What a refused signature was about, by a part of its text.
SIGNATURE_TEXTS = (
    ("incorrect access key", FindingCode.NOT_FOUND),
    ("ip address", FindingCode.IP_BLOCKED),
    ("ip地址", FindingCode.IP_BLOCKED),
    ("key has expired", FindingCode.EXPIRED),
    ("verification failure", FindingCode.BAD_SIGNATURE),
)
SIGNATURE_CODES = frozenset({"api-signature-not-valid", "api-signature-check-failed", "1003", "401"})
NOT_ALLOWED = "1002"  # to ask, as a sub-account is not
TROUBLE_OF_CODE = {
    **dict.fromkeys(SIGNATURE_CODES, FindingCode.INVALID_CREDENTIALS),
    "login-required": FindingCode.INVALID_CREDENTIALS,
    NOT_ALLOWED: FindingCode.UNPROVEN_PERMISSION,
    "2000": FindingCode.EXCHANGE_UNAVAILABLE,
    "gateway-internal-error": FindingCode.EXCHANGE_UNAVAILABLE,
    "base-system-error": FindingCode.EXCHANGE_UNAVAILABLE,
    "429": FindingCode.EXCHANGE_UNAVAILABLE,
    "500": FindingCode.EXCHANGE_UNAVAILABLE,
}
EXPIRED = "expired"


def converse(own: Own) -> Conversation:
    """The account's number first, without which HTX tells nothing of the key."""
    reply = yield ACCOUNT
    if trouble := read_trouble(reply):
        return trouble
    account = reading.account_number(_answer(reply.body), "data")
    if not account:
        raise UnreadableReplyError
    reply = yield replace(KEYS, params={"uid": account, "accessKey": own.api_key})
    if trouble := read_trouble(reply):
        return trouble
    key = _own_key(reply.body, own)
    if key.get("status") == EXPIRED:
        return Trouble(FindingCode.EXPIRED, EXPIRED)
    return replace(read_report(key, own), account_id=account)


def _answer(body: Any) -> Mapping[str, Any]:
    answer = reading.mapping(body)
    if reading.whole(answer, "code") != 200 or "data" not in answer:
        raise UnreadableReplyError
    return answer


def _own_key(body: Any, own: Own) -> Mapping[str, Any]:
    """What is told of the key that asks. Whatever else the reply holds is about other keys."""
    keys = _answer(body)["data"]
    if not isinstance(keys, list):
        raise UnreadableReplyError
    ours = [key for key in keys if reading.mapping(key).get("accessKey") == own.api_key]
    if len(ours) != 1:
        raise UnreadableReplyError
    return reading.mapping(ours[0])


def read_report(key: Mapping[str, Any], own: Own) -> KeyReport:
    """What `GET /v2/user/api-key` says of one key.

    `permission` lists what is granted. `validDays` is the rest of the key's life in whole days, -1 for ever.
    `ipAddresses` holds addresses and networks.
    """
    granted = reading.comma_separated(key, "permission")
    if granted is None or key.get("status") != "normal":
        raise UnreadableReplyError
    rights: dict[Right, bool | None] = dict.fromkeys(ALL_RIGHTS, False)
    for name in granted:
        rights.update(dict.fromkeys(RIGHTS_OF_NAME.get(name, ()), True))
    created_at = reading.moment_ms(key, "createTime")
    days = reading.whole(key, "validDays")
    return KeyReport(
        rights=rights,
        unknown=tuple(reading.stored_name(name) for name in granted if name not in RIGHTS_OF_NAME),
        inherent_transfer=rights[Right.SPOT] is True,
        allow_list=reading.allow_list(reading.comma_separated(key, "ipAddresses")),
        created_at=created_at,
        expires_at=reading.end_after(days, created_at) if days is not None and days >= 0 else None,
        permanent=days == -1,
        key_kind=own.kind,
    )


def read_trouble(reply: Reply) -> Trouble | None:
    """HTX has two forms of errors, both with status 200: `{"status": "error", "err-code": …, "err-msg": …}`,
    and `{"code": 1002, "message": …}`, whose code is 200 where all is well.
    """
    body = reply.body if isinstance(reply.body, dict) else {}
    code = reading.error_code(body, "err-code") or reading.error_code(body, "code")
    found = reading.trouble("" if code == "200" else code, reply.status, TROUBLE_OF_CODE)
    if found is None or found.code is not FindingCode.INVALID_CREDENTIALS or code not in SIGNATURE_CODES:
        return found
    said = f"{body.get('err-msg')} {body.get('message')}".lower()
    meant = (finding for part, finding in SIGNATURE_TEXTS if part in said)
    return replace(found, code=next(meant, found.code))


def read_clock(reply: Any) -> float:
    return reading.clock_ms(reading.mapping(reply), "data")


ADAPTER = Adapter(
    id="htx",
    name="HTX",
    site="www.htx.com",
    key_page="API Management",
    markets=(Market.SPOT, Market.DERIVATIVES),
    calls=(ACCOUNT, KEYS),
    converse=converse,
    read_trouble=read_trouble,
    # HTX documents no length. Its examples are four groups with dashes between, keys and secrets alike.
    shape=CredentialShape(
        *(r"(?:[A-Za-z0-9]{4,12}-){3}[A-Za-z0-9]{4,16}", "Four groups of letters and digits, with dashes."),
        r"(?:[A-Za-z0-9]{4,12}-){3}[A-Za-z0-9]{4,16}",
        "Four groups of letters and digits, with dashes, shown once by HTX.",
    ),
    labels={
        Right.READ: "Read",
        Right.SPOT: "Trade",
        Right.DERIVATIVES: "Trade",
        Right.WITHDRAW: "Withdraw",
    },
    guide=guide.GUIDE,
    calls_per_second=5.0,
    clock=Clock(Call("v1/common/timestamp", ("spot", "public")), read_clock),
    unclear_codes=SIGNATURE_CODES,
    words={
        NOT_ALLOWED: Words(
            looked_at="Kind of account",
            needed="The main account",
            found="{name} tells this key nothing of itself",
            to_do="{name} states what a key may do only for keys of the main account. Sign in to your main"
            " account and make the key there. If you did, write to support.",
            step=StepId.SIGN_IN,
        ),
    },
    trading_moves="between your own wallets and to your sub-accounts",
    must_be_bound=True,
    address_separator=",",
    unbound_key_lives="HTX itself ends a trading key that is bound to no address after 90 days without use.",
)
