"""The decision about a key. Pure: a report goes in, an outcome and its reasons come out.

An allow-list, not a deny-list: what is needed must be stated as on, what could move money must be stated as
off, and whatever was not stated, or has a name we do not know, is not proved.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.base import (
    FORBIDDEN_RIGHTS,
    NEEDED_RIGHTS,
    AllowList,
    KeyReport,
    Market,
    Right,
    Trouble,
)
from apikeys.findings import Finding, FindingCode, Severity
from apikeys.wording import in_its_words, trouble_finding

# Shorter ones are no networks of anybody's own: a company has a /16, a site a /48, at the most.
_LEAST_PREFIX_V4, _LEAST_PREFIX_V6 = 16, 32

_NAMES: Mapping[Right, str] = {
    Right.READ: "Reading",
    Right.SPOT: "Spot trading",
    Right.MARGIN: "Margin trading",
    Right.DERIVATIVES: "Derivatives trading",
    Right.OPTIONS: "Options trading",
    Right.WITHDRAW: "Withdrawals",
    Right.TRANSFER: "Transfers",
    Right.FIAT: "Fiat payments",
    Right.CONVERT: "Conversions",
    Right.EARN: "Earn products",
    Right.LOAN: "Loans",
    Right.P2P: "Peer-to-peer trades",
    Right.COPY: "Copy trading",
    Right.KEY_EDIT: "Changing keys",
}

# What stands for an account that the exchange does not tell, where support lets a bot change over to it.
UNTOLD_ACCOUNT = "not told"


class Outcome(Enum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    HELD = "held"  # waits for a person
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a decision depends on beside the report. Times are aware UTC."""

    now: datetime
    egress_ips: tuple[str, ...] = ()  # empty: lists are not compared
    partner_apps: Mapping[str, str] | None = None  # exchange id to our app's name there
    previous_account_id: str = ""  # the last on which the bot is known to have traded
    confirmed_account_id: str = ""  # another one, or UNTOLD_ACCOUNT: support let this bot change over to it
    expires_soon: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Decision:
    outcome: Outcome
    findings: tuple[Finding, ...]


class TradingBot(Protocol):
    """The part of a bot that a decision needs."""

    @property
    def market(self) -> str: ...
    @property
    def adapter(self) -> Adapter: ...


def right_name(right: Right) -> str:
    return _NAMES[right]


def decide(report: KeyReport, bot: TradingBot, policy: Policy) -> Decision:
    """Judge a newly submitted key by what its exchange said about it."""
    findings = (
        *_rights(report, bot),
        *_unknown(report),
        *_binding(report, bot.adapter, policy),
        *_inherent_transfer(report, bot.adapter, policy),
        *_life(report, policy),
        *_account(report, bot.adapter, policy),
    )
    severities = {finding.severity for finding in findings}
    if Severity.REFUSE in severities:
        return Decision(Outcome.REFUSED, findings)
    if Severity.HOLD in severities:
        return Decision(Outcome.HELD, findings)
    return Decision(Outcome.ACCEPTED, findings)


def decide_trouble(trouble: Trouble, bot: TradingBot) -> Decision:
    """Judge a key about which there is no report."""
    finding = trouble_finding(trouble, bot.adapter)
    outcome = Outcome.RETRY if finding.severity is Severity.RETRY else Outcome.REFUSED
    return Decision(outcome, (finding,))


def _rights(report: KeyReport, bot: TradingBot) -> Iterator[Finding]:
    needed = NEEDED_RIGHTS[Market(bot.market)]
    for right in Right:
        granted = report.rights.get(right)
        label = bot.adapter.labels.get(right, right_name(right))
        if granted is None:
            yield _refuse(
                FindingCode.UNPROVEN_PERMISSION,
                right_name(right),
                "On" if right in needed else "Stated",
                "Not said",
                f"{bot.adapter.name} did not say whether this is on, so nothing is proved. Paste the key"
                " again later; if this stays, write to support.",
            )
        elif right in needed and right in report.product_off:
            not_open = _refuse(
                FindingCode.PRODUCT_NOT_ENABLED,
                right_name(right),
                "Open on the account",
                "Not open",
                f"Open {right_name(right).lower()} on your account at {bot.adapter.name} first, then make a"
                " new key.",
            )
            yield in_its_words(not_open, bot.adapter)
        elif right in needed and not granted:
            to_do = bot.adapter.to_switch_on.get(right, f"Switch on {label}.")
            yield _refuse(FindingCode.MISSING_PERMISSION, right_name(right), "On", "Off", to_do)
        elif right in FORBIDDEN_RIGHTS and granted:
            yield _refuse(
                FindingCode.FORBIDDEN_PERMISSION, right_name(right), "Off", "On", f"Switch off {label}."
            )


def _unknown(report: KeyReport) -> Iterator[Finding]:
    for name in report.unknown:
        yield _refuse(
            FindingCode.UNPROVEN_PERMISSION,
            name,
            "Off, since we do not know it",
            "On",
            f"Switch off {name}. If it is needed to trade, write to support and give this name.",
        )


def _binding(report: KeyReport, adapter: Adapter, policy: Policy) -> Iterator[Finding]:
    if report.third_party_app is not None:
        if not _is_our_app(report, adapter, policy):
            yield trouble_finding(Trouble(FindingCode.APP_FOREIGN), adapter)
        return
    if not _is_bound(report.allow_list):
        yield _open(report, adapter)
    elif report.allow_list.addresses is not None and policy.egress_ips:
        yield from _compared(report.allow_list.addresses, policy.egress_ips)


def _open(report: KeyReport, adapter: Adapter) -> Finding:
    found = "Not said" if report.allow_list.bound is None else "Any"
    if adapter.must_be_bound:
        return _refuse(
            FindingCode.IP_OPEN,
            "Addresses",
            "Ours only",
            found,
            f"Bind the key to our addresses: at {adapter.name} a trading key can also move funds to"
            " sub-accounts, so we take none that works from anywhere.",
        )
    return Finding(
        FindingCode.IP_OPEN,
        Severity.WARN,
        "Addresses",
        "Ours only",
        found,
        f"Recommended: bind the key to our addresses. {adapter.unbound_key_lives}".rstrip(),
    )


def _compared(listed: tuple[str, ...], ours: tuple[str, ...]) -> Iterator[Finding]:
    missing = [ip for ip in ours if not any(_covers(entry, ip) for entry in listed)]
    extra = _extra(listed, ours)
    if missing:
        yield _refuse(
            FindingCode.IP_NOT_OURS,
            "Addresses",
            ", ".join(ours),
            ", ".join(listed),
            f"Add {', '.join(missing)} to the key's list of addresses.",
        )
    elif extra:
        yield Finding(
            FindingCode.IP_EXTRA,
            Severity.WARN,
            "Addresses",
            "Ours only",
            f"Also {', '.join(extra)}",
            "Recommended: remove the addresses that are not ours, unless you use them yourself.",
        )


def _extra(listed: Iterable[str], ours: tuple[str, ...]) -> list[str]:
    return [entry for entry in listed if not any(_covers(ip, entry) for ip in ours)]


def _inherent_transfer(report: KeyReport, adapter: Adapter, policy: Policy) -> Iterator[Finding]:
    if not report.inherent_transfer:
        return
    looked_at, needed, found = (
        "Between your own wallets",
        "Only what trading itself needs",
        "Part of trading",
    )
    if not adapter.must_be_bound:
        yield Finding(
            *(FindingCode.INHERENT_TRANSFER, Severity.TELL, looked_at, needed, found),
            f"Nothing. At {adapter.name} this kind of trading moves funds {adapter.trading_moves},"
            " and to nobody else.",
        )
    elif _is_bound_to_us(report, adapter, policy):
        to_do, whence = "Nothing.", "our addresses only"
        # A key of our app has no list that counts.
        if report.third_party_app is None and _extra(report.allow_list.addresses or (), policy.egress_ips):
            to_do, whence = (
                "Take the addresses that are not ours off its list.",
                "every address in its list, ours and others",
            )
        yield Finding(
            *(FindingCode.INHERENT_TRANSFER, Severity.TELL, looked_at, needed, found),
            f"{to_do} At {adapter.name} trading includes moves {adapter.trading_moves};"
            f" this key can make them from {whence}.",
        )
    else:
        to_do = "Bind the key to our addresses."
        if not policy.egress_ips:
            to_do = "We cannot compare addresses at the moment. Write to support before you make another key."
        yield _refuse(
            FindingCode.INHERENT_TRANSFER,
            looked_at,
            "Only from our addresses",
            "From other addresses too",
            f"{to_do} At {adapter.name} trading includes moves {adapter.trading_moves}.",
        )


def is_our_app(app: str | None, ours: str | None) -> bool:
    """app: as an exchange names what a key is bound to. ours: our app's name there, where we have one.

    The name may go on after a space, since Bybit tells no app's name but the key's remark, into which its
    customer writes the name of the key. Who lies there gains nothing by it: an app's key works from that
    app's addresses only, so that it answers us only if they are ours, and its rights are judged as ever.
    """
    return bool(ours) and app is not None and f"{app} ".startswith(f"{ours} ")


def _is_our_app(report: KeyReport, adapter: Adapter, policy: Policy) -> bool:
    return is_our_app(report.third_party_app, (policy.partner_apps or {}).get(adapter.id))


def _is_bound_to_us(report: KeyReport, adapter: Adapter, policy: Policy) -> bool:
    """Proved: the list is told and holds ours, or the exchange binds the key to our own app."""
    if report.third_party_app is not None:
        return _is_our_app(report, adapter, policy)
    listed = report.allow_list.addresses
    if not _is_bound(report.allow_list) or listed is None or not policy.egress_ips:
        return False
    return all(any(_covers(entry, ip) for entry in listed) for ip in policy.egress_ips)


def _is_bound(allow_list: AllowList) -> bool:
    """A list that holds half the internet binds to nothing."""
    return bool(allow_list.bound) and not any(_is_wide(entry) for entry in allow_list.addresses or ())


def _is_wide(entry: str) -> bool:
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
    return network.prefixlen < (_LEAST_PREFIX_V4 if network.version == 4 else _LEAST_PREFIX_V6)


def _life(report: KeyReport, policy: Policy) -> Iterator[Finding]:
    if report.expires_at is None:
        return
    day = f"{report.expires_at:%d %B %Y}".lstrip("0")
    if report.expires_at <= policy.now:
        yield _refuse(
            FindingCode.EXPIRED, "Life of the key", "Still valid", f"Ended {day}", "Make a new key."
        )
    elif report.expires_at <= policy.now + policy.expires_soon:
        yield Finding(
            FindingCode.EXPIRES_SOON,
            Severity.WARN,
            "Life of the key",
            "Long",
            f"Ends {day}",
            "Refresh it before that day. A key bound to our addresses lasts longer.",
        )


def _account(report: KeyReport, adapter: Adapter, policy: Policy) -> Iterator[Finding]:
    known = {policy.previous_account_id, policy.confirmed_account_id}
    if not policy.previous_account_id or (report.account_id or UNTOLD_ACCOUNT) in known:
        return
    found, key_to_make = "Another one", "make one on the account that the bot trades on"
    if not report.account_id:
        found = "Not said"
        key_to_make = f"make one that lets {adapter.name} tell its account"
    yield Finding(
        FindingCode.WRONG_ACCOUNT,
        Severity.HOLD,
        "Account at the exchange",
        "The same as before",
        found,
        f"Take the key back and {key_to_make}, or ask support to confirm this one.",
    )


def _refuse(code: FindingCode, looked_at: str, needed: str, found: str, to_do: str) -> Finding:
    return Finding(code, Severity.REFUSE, looked_at, needed, found, to_do)


def _covers(entry: str, address: str) -> bool:
    """Whether an entry of an allow-list, an address or a network, covers all of another one."""
    try:
        outer, inner = ipaddress.ip_network(entry, strict=False), ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False
    if isinstance(outer, ipaddress.IPv4Network) and isinstance(inner, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(outer, ipaddress.IPv6Network) and isinstance(inner, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False
