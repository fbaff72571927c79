"""The decision about a key. Pure: a report goes in, an outcome and its reasons come out.

An allow-list, not a deny-list: what is needed must be stated as on, what could move money must be stated as
off, and whatever was not stated, or has a name we do not know, is not proved.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from apikeys.exchanges.base import FORBIDDEN_RIGHTS, NEEDED_RIGHTS, Adapter, KeyReport, Market, Right, Trouble
from apikeys.findings import Finding, FindingCode, Severity
from apikeys.wording import trouble_finding

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
    Right.KEY_EDIT: "Changing the key itself",
}


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
    previous_account_id: str = ""  # of the key that the bot trades with now
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
        *_inherent_transfer(report, bot.adapter),
        *_life(report, policy),
        *_account(report, policy),
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
            yield _refuse(
                FindingCode.PRODUCT_NOT_ENABLED,
                right_name(right),
                "Open on the account",
                "Not open",
                f"Open {right_name(right).lower()} on your account at {bot.adapter.name} first, then make a"
                " new key.",
            )
        elif right in needed and not granted:
            yield _refuse(
                FindingCode.MISSING_PERMISSION, right_name(right), "On", "Off", f"Switch on {label}."
            )
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
        ours = (policy.partner_apps or {}).get(adapter.id)
        if ours is None or report.third_party_app != ours:
            yield _refuse(
                FindingCode.APP_FOREIGN,
                "Made for",
                "Your own use",
                "Another company's app",
                "Make a new key, and do not choose the path for third-party applications.",
            )
        return
    if not report.allow_list.bound:
        yield Finding(
            FindingCode.IP_OPEN,
            Severity.WARN,
            "Addresses",
            "Ours only",
            "Any" if report.allow_list.bound is False else "Not said",
            f"Recommended: bind the key to our addresses. {adapter.unbound_key_lives}".rstrip(),
        )
    if not report.allow_list.bound or report.allow_list.addresses is None or not policy.egress_ips:
        return
    listed = report.allow_list.addresses
    missing = [ip for ip in policy.egress_ips if not any(_covers(entry, ip) for entry in listed)]
    extra = [entry for entry in listed if not any(_covers(ip, entry) for ip in policy.egress_ips)]
    if missing:
        yield _refuse(
            FindingCode.IP_NOT_OURS,
            "Addresses",
            ", ".join(policy.egress_ips),
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


def _inherent_transfer(report: KeyReport, adapter: Adapter) -> Iterator[Finding]:
    if report.inherent_transfer:
        yield Finding(
            FindingCode.INHERENT_TRANSFER,
            Severity.TELL,
            "Between your own wallets",
            "Only what trading itself needs",
            "Part of trading",
            f"Nothing. At {adapter.name} this kind of trading moves funds between your own wallets, and to"
            " nobody else.",
        )


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


def _account(report: KeyReport, policy: Policy) -> Iterator[Finding]:
    if policy.previous_account_id and report.account_id and report.account_id != policy.previous_account_id:
        yield Finding(
            FindingCode.WRONG_ACCOUNT,
            Severity.HOLD,
            "Account at the exchange",
            "The same as before",
            "Another one",
            "Take the key back and make one on the account that the bot trades on, or ask support to"
            " confirm the change.",
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
