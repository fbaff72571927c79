"""What every exchange adapter is made of. Plain data and readers: nothing here opens a connection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

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
    KEY_EDIT = "key_edit"


FORBIDDEN_RIGHTS: tuple[Right, ...] = (
    Right.WITHDRAW,
    Right.TRANSFER,
    Right.FIAT,
    Right.CONVERT,
    Right.EARN,
    Right.LOAN,
    Right.P2P,
    Right.KEY_EDIT,
)

NEEDED_RIGHTS: Mapping[Market, tuple[Right, ...]] = {
    Market.SPOT: (Right.READ, Right.SPOT),
    Market.DERIVATIVES: (Right.READ, Right.DERIVATIVES),
}


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
    account_id: str = ""
    parent_account_id: str = ""
    account_kind: str = ""
    key_kind: str = ""
    third_party_app: str | None = None  # the app a key is bound to; None: made for the customer's own use


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no report. `code` follows the adapter's own error table.

    exchange_code: the exchange's error code as text, safe to store; never its message, which may quote a key.
    """

    code: FindingCode
    exchange_code: str = ""
    retry_after: float | None = None  # seconds, where the exchange said so


class UnreadableReplyError(Exception):
    """A reply that is not of the documented type or shape, so that nothing is proved by it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One signed request in the terms of `ccxt.Exchange.sign`."""

    path: str
    api: tuple[str, ...]
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class CredentialShape:
    """What a pasted value looks like at this exchange; used by the form before anything is stored."""

    key_pattern: str  # full-match regular expression
    key_hint: str  # shown under the field, such as "64 letters and digits."
    secret_pattern: str
    secret_hint: str
    passphrase: bool = False


@dataclass(frozen=True, slots=True)
class Adapter:
    """One exchange: one file, one line in the registry, one test file, one guide."""

    id: str  # also the name of the ccxt class
    name: str
    site: str  # host of the customer's own site, such as "www.binance.com"
    key_page: str  # what the exchange calls the page where keys are made and deleted
    markets: tuple[Market, ...]
    question: Call
    read_report: Callable[[Any], KeyReport]
    """Takes the decoded JSON of a 2xx reply; raises UnreadableReplyError."""
    read_trouble: Callable[[int, Any], Trouble | None]
    """Takes the HTTP status and the decoded JSON (None where it is no JSON); None: the reply is no error."""
    shape: CredentialShape
    labels: Mapping[Right, str]
    """The exchange's own words for a right, as its key page writes them."""
    address_separator: str = ", "
    unbound_key_lives: str = ""
    """What becomes of a key that is bound to no address, as one sentence for the customer."""
