"""The terms in which every exchange is spoken of: rights, credentials, reports, troubles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db.models import TextChoices

from apikeys.findings import FindingCode


class Market(TextChoices):
    SPOT = "spot", "spot"
    DERIVATIVES = "derivatives", "derivatives"


class Right(StrEnum):
    """Everything a key may be allowed to do, in our words.

    An adapter states each of them as True, False or None. False means that the exchange said no, or that
    it has no such right for keys at all (the adapter's docstring gives the source); None means that the
    exchange did not say.
    """

    READ = "read"
    SPOT = "spot"
    MARGIN = "margin"
    DERIVATIVES = "derivatives"
    OPTIONS = "options"
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"
    FIAT = "fiat"
    CONVERT = "convert"
    EARN = "earn"
    LOAN = "loan"
    P2P = "p2p"
    COPY = "copy"
    KEY_EDIT = "key_edit"

    # A report hashes each right several times, and the hash of `Enum` is Python code.
    __hash__ = str.__hash__


# Made once: to go through the members of an `Enum` is Python code, a fourth of the reading of a reply.
ALL_RIGHTS: tuple[Right, ...] = tuple(Right)

FORBIDDEN_RIGHTS: tuple[Right, ...] = (
    Right.WITHDRAW,
    Right.TRANSFER,
    Right.FIAT,
    Right.CONVERT,
    Right.EARN,
    Right.LOAN,
    Right.P2P,
    Right.COPY,
    Right.KEY_EDIT,
)

NEEDED_RIGHTS: Mapping[Market, tuple[Right, ...]] = {
    Market.SPOT: (Right.READ, Right.SPOT),
    Market.DERIVATIVES: (Right.READ, Right.DERIVATIVES),
}


class KeyKind(StrEnum):
    """How a key signs."""

    HMAC = "HMAC"  # a shared secret
    ED25519 = "Ed25519"
    RSA = "RSA"
    EC = "EC"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One opened credential. Its repr shows nothing, so a traceback or a log line cannot carry it."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AllowList:
    """From which addresses a key works.

    bound: True, False, or None when the exchange did not say.
    addresses: the list in the exchange's order, or None where the exchange tells only yes or no.
    """

    bound: bool | None = None
    addresses: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What the exchange said about one key. Times are aware UTC; ids are the exchange's own, as text."""

    rights: Mapping[Right, bool | None]
    unknown: tuple[str, ...] = ()  # granted rights whose names we do not know, as the exchange writes them
    inherent_transfer: bool = False  # trading itself moves funds between the customer's own wallets
    product_off: tuple[Right, ...] = ()  # granted, but not open on the account
    allow_list: AllowList = AllowList()
    created_at: datetime | None = None
    expires_at: datetime | None = None
    permanent: bool = False  # the exchange said that the key does not end by itself
    account_id: str = ""
    parent_account_id: str = ""
    account_kind: str = ""
    key_kind: str = ""
    third_party_app: str | None = None  # the app a key is bound to; None: made for the customer's own use
    region: str = ""  # code of the adapter's host that knows the key; empty: the usual one


# In place of an exchange's code: the secret does not open, which is ours to mend.
SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no report. `code` follows the adapter's own error table.

    exchange_code: the exchange's error code as text, safe to store; never its message, which may quote a key.
    """

    code: FindingCode
    exchange_code: str = ""
    retry_after: float | None = None  # seconds, where the exchange said so
    outage: bool | None = None  # the exchange as a whole did not serve us; None: as the HTTP status says
    belongs_to: str = ""  # where the key is known instead, such as "Binance.US", for wrong_region
    unheard: bool = False  # a further host, which may be the one that knows the key, gave no answer


class UnreadableReplyError(Exception):
    """A reply that is not of the documented type or shape, so that nothing is proved by it."""
