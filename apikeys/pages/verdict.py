"""What the exchange said about a key, read back from its row: as table rows and as one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString

from apikeys import attention
from apikeys.exchanges.base import FORBIDDEN_RIGHTS, NEEDED_RIGHTS, Market
from apikeys.exchanges.guide import step_about
from apikeys.findings import Finding, FindingCode, Severity
from apikeys.flows.decide import right_name
from apikeys.models import ApiKey
from apikeys.pages import words
from apikeys.status import KeyStatus

_TONES = {
    Severity.REFUSE: "bad",
    Severity.HOLD: "warn",
    Severity.RETRY: "busy",
    Severity.WARN: "warn",
    Severity.TELL: "off",
}
_ABOUT_ADDRESSES = {
    FindingCode.IP_BLOCKED,
    FindingCode.IP_NOT_OURS,
    FindingCode.IP_EXTRA,
    FindingCode.IP_OPEN,
    FindingCode.APP_FOREIGN,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: looked at, needed, found, what to do. `code` is empty where all is in order.

    step: where in the guide this is mended, as its number and its place on the page of the form; None where
    nothing is to be mended.
    """

    looked_at: SafeString
    needed: SafeString
    found: SafeString
    to_do: SafeString
    tone: str
    code: str = ""
    step: tuple[int, str] | None = None


def rows(key: ApiKey) -> tuple[Row, ...]:
    """Findings first, in the order in which they were made, then what is in order."""
    if key.status == KeyStatus.ACTIVE and not attention.is_answered_to(key):
        return found_rows(key)  # the last report is older than that
    return (*found_rows(key), *_in_order(key, key.findings))


def found_rows(key: ApiKey) -> tuple[Row, ...]:
    """What was found, in the customer's wording and the order in which it was found."""
    unknown = tuple((key.report_json or {}).get("unknown", ()))
    labels = (*key.adapter.labels.values(), *unknown)
    return tuple(
        Row(
            looked_at=words.marked(item.looked_at, unknown),
            needed=words.marked(item.needed),
            found=words.marked(item.found),
            to_do=words.marked(item.to_do, labels),
            tone=_TONES[item.severity],
            code=item.code,
            step=_step(key, item),
        )
        for item in key.findings
    )


def _step(key: ApiKey, item: Finding) -> tuple[int, str] | None:
    if item.severity not in (Severity.REFUSE, Severity.WARN):
        return None
    steps = key.adapter.guide.for_market(Market(key.bot.market))
    step = step_about(item, steps)
    return None if step is None else (steps.index(step) + 1, f"step-{step.id.value}")


def _in_order(key: ApiKey, findings: Sequence[Finding]) -> list[Row]:
    report: dict[str, Any] = key.report_json or {}
    rights: dict[str, bool | None] = report.get("rights", {})
    unusable = report.get("product_off", [])
    lines = [
        _plain_row(right_name(right), "On", "On")
        for right in NEEDED_RIGHTS[Market(key.bot.market)]
        if rights.get(right) is True and right not in unusable
    ]
    lines += [
        _plain_row(right_name(right), "Off", "Off")
        for right in FORBIDDEN_RIGHTS
        # A right that the exchange's key page does not name would only puzzle.
        if rights.get(right) is False and right in key.adapter.labels
    ]
    bound, addresses = _allow_list(key)
    codes = {item.code for item in findings}
    if report.get("third_party_app") is not None and FindingCode.APP_FOREIGN not in codes:
        lines.append(_plain_row("Made for", "Our app", "Our app, to which it is bound"))
    elif bound and not codes & _ABOUT_ADDRESSES:
        found = "Ours only" if _are_ours(addresses) else "Bound"
        lines.append(_plain_row("Addresses", "Ours only", found))
    return lines


def _are_ours(addresses: list[str] | None) -> bool:
    """Some exchanges say only that a key is bound; and lists are compared only where ours are known."""
    return bool(addresses and settings.PORTAL_EGRESS_IPS)


def _allow_list(key: ApiKey) -> tuple[bool | None, list[str] | None]:
    """Whether the key is bound, and to which addresses; None where the exchange did not say."""
    found: dict[str, Any] = (key.report_json or {}).get("allow_list", {})
    return found.get("bound"), found.get("addresses")


def _plain_row(looked_at: str, needed: str, found: str) -> Row:
    return Row(
        looked_at=words.marked(looked_at),
        needed=words.marked(needed),
        found=words.marked(found),
        to_do=words.marked("Nothing"),
        tone="ok",
    )


def has(key: ApiKey, code: FindingCode) -> bool:
    return any(item.code is code for item in key.findings)


def held_because(key: ApiKey) -> str:
    """Why a person looks at a key first."""
    exchange = key.adapter.name
    if not key.account_id:
        return f"{exchange} does not tell whether it belongs to the same account as before."
    return f"It belongs to another {exchange} account than before."


def accepted_because(key: ApiKey) -> str:
    """What the check proved, as one sentence."""
    if (key.report_json or {}).get("third_party_app") is not None:
        return "It can trade, it cannot withdraw or transfer, and it is bound to our app."
    if works_from_anywhere(key):
        return "It can trade and cannot withdraw or transfer. It works from any address."
    if has(key, FindingCode.IP_OPEN):
        return (
            "It can trade and cannot withdraw or transfer."
            f" {key.adapter.name} does not say whether it is bound to addresses."
        )
    bound, addresses = _allow_list(key)
    if bound:
        to_what = "our addresses" if _are_ours(addresses) else "addresses"
        return f"It can trade, it cannot withdraw or transfer, and it is bound to {to_what}."
    return "It can trade and cannot withdraw or transfer."


def works_from_anywhere(key: ApiKey) -> bool:
    """As its exchange said; one that says nothing of addresses leaves it open."""
    return has(key, FindingCode.IP_OPEN) and _allow_list(key)[0] is not None


def never_answered(key: ApiKey) -> bool:
    """Nothing was found against the key: the exchange gave no answer."""
    codes = {item.code for item in key.findings}
    return bool(codes) and codes <= {FindingCode.EXCHANGE_UNAVAILABLE, FindingCode.CLOCK}
