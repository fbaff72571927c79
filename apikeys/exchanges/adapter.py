"""What an exchange adapter is made of. Plain data and readers: nothing here opens a connection."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from apikeys.exchanges.base import KeyKind, KeyReport, Market, Right, Trouble
from apikeys.exchanges.guide import Guide, StepId
from apikeys.findings import FindingCode


@dataclass(frozen=True, slots=True)
class Call:
    """One request in the terms of `ccxt.Exchange.sign`. Reading only: nothing of an account may change by it.

    params: what goes into its query. May hold the API key itself, so it is in no repr.
    turns: what it costs, in calls of the adapter's `calls_per_second`; 0: paid with the call before it.
    """

    path: str
    api: tuple[str, ...]
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    turns: int = 1


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: HTTP status, and the decoded JSON; None where the body is no JSON that can be trusted."""

    status: int
    body: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Own:
    """What an adapter may know of the credential it asks about: never the secret."""

    api_key: str = field(repr=False)
    kind: KeyKind = KeyKind.HMAC


ReadTrouble = Callable[[Reply], Trouble | None]
"""Takes a reply of any status; None: it is no error."""

Conversation = Generator[Call, Reply, KeyReport | Trouble]
"""Yields calls, is sent the reply to each, returns what came of it. Raises UnreadableReplyError.

Whatever fails below (no connection, no answer in time, an answer too long) ends the conversation from outside
as exchange_unavailable, so that a conversation sees complete replies only.
"""


@dataclass(frozen=True, slots=True)
class Host:
    """A further address, at which an exchange serves one of its regions."""

    code: str  # kept on the key that was known there, such as "eea"
    name: str  # host name, such as "eea.okx.com"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a key that this exchange does not know may belong. Asked only to say so; never used to trade."""

    name: str  # as the customer reads it, such as "Binance.US"
    host: str
    code: FindingCode  # wrong_region or wrong_environment
    question: Call  # known there: it answers with status 2xx and no trouble
    read_trouble: ReadTrouble


@dataclass(frozen=True, slots=True)
class Clock:
    """The public call that tells an exchange's time; it is sent without a signature."""

    question: Call
    read: Callable[[Any], float]
    """Takes the decoded JSON, gives milliseconds since 1970; raises UnreadableReplyError."""


@dataclass(frozen=True, slots=True)
class CredentialShape:
    """What a pasted value looks like at this exchange; used by the form before anything is stored."""

    key_pattern: str  # full-match regular expression
    key_hint: str  # shown under the field, such as "64 letters and digits."
    secret_pattern: str  # of a shared secret; empty where this exchange has key files only
    secret_hint: str
    key_files: tuple[KeyKind, ...] = ()  # kinds of private key (PEM) that are taken as the secret
    json_file: bool = False  # the exchange hands both values out in one JSON file
    passphrase: bool = False
    passphrase_pattern: str = r".{1,100}"  # noqa: S105
    passphrase_hint: str = "The one you chose for this key, not your login password."  # noqa: S105


@dataclass(frozen=True, slots=True)
class Words:
    """What a customer reads of one finding at one exchange, in place of the usual words: those left empty
    stay. In each, {name} is the exchange, {page} its page for keys and {site} its site.

    step: of the guide, where the finding is mended at another one than usual.
    """

    to_do: str
    looked_at: str = ""
    needed: str = ""
    found: str = ""
    step: StepId | None = None


# Of ip_blocked, where an exchange makes keys for apps too: theirs have no list that anybody could add to.
NO_LIST_OF_AN_APP = Words(
    to_do="Open the key at {page} and add our addresses to its list. A key made through the path for"
    " third-party apps has no list: make a new one without it."
)


@dataclass(frozen=True, slots=True)
class Adapter:
    """One exchange: one file, one line in the registry, one test file, one guide."""

    id: str  # also the name of the ccxt class
    name: str
    site: str  # host of the customer's own site, such as "www.binance.com"
    key_page: str  # what the exchange calls the page where keys are made and deleted
    markets: tuple[Market, ...]
    calls: tuple[Call, ...]
    """Every call that `converse` may make. The client sends no other."""
    converse: Callable[[Own], Conversation]
    read_trouble: ReadTrouble
    shape: CredentialShape
    labels: Mapping[Right, str]
    """The exchange's own words for a right, as its key page writes them."""
    guide: Guide
    calls_per_second: float
    """From one address, all customers together; at most half of what the exchange publishes."""
    clock: Clock | None = None
    hosts: tuple[Host, ...] = ()
    """Regions beside the usual host, which ccxt knows."""
    elsewhere: tuple[Elsewhere, ...] = ()
    unknown_key_codes: frozenset[str] = frozenset()
    """`Trouble.exchange_code`s after which the other hosts are asked."""
    unclear_codes: frozenset[str] = frozenset()
    """`Trouble.exchange_code`s behind which a wrong clock may hide as well: it is measured, and the exchange
    asked again if it was off."""
    trading_moves: str = "between your own wallets"
    """Where trading itself moves funds, for the customer; read where a report has `inherent_transfer`."""
    must_be_bound: bool = False
    """Trading reaches other accounts of the customer, so that only a key bound to our addresses passes."""
    address_separator: str = ", "
    to_switch_on: Mapping[Right, str] = field(default_factory=dict)
    """What to do where a right that the bot needs is off, and to tick its box may not be all."""
    words: Mapping[str, Words] = field(default_factory=dict)
    """By `Trouble.exchange_code`, or by the code of a finding."""
    without_our_app: str = ""
    """For the customer, as one sentence, as long as PARTNER_APPS names no app of ours there."""
    unbound_key_lives: str = ""
    """What becomes of a key that is bound to no address, as one sentence for the customer."""

    @property
    def keys_per_second(self) -> float:
        """As its pace allows, if a check makes every call that it may make."""
        return self.calls_per_second / sum(call.turns for call in self.calls)


def ask_once(
    question: Call, read_report: Callable[[Any, Own], KeyReport], read_trouble: ReadTrouble
) -> Callable[[Own], Conversation]:
    """The conversation of an exchange that says everything in one reply."""

    def converse(own: Own) -> Conversation:
        reply = yield question
        return read_trouble(reply) or read_report(reply.body, own)

    return converse
