"""What an exchange said about a key, as a table of needed and found, every right of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apikeys.exchanges.base import FORBIDDEN_RIGHTS, NEEDED_RIGHTS, Market, Right
from apikeys.flows.decide import is_our_app, right_name
from apikeys.models import ApiKey


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at. named: as the exchange's own page calls it. tone: bad if not as needed."""

    looked_at: str
    named: str
    needed: str
    found: str
    tone: str = ""


def lines(key: ApiKey) -> tuple[Line, ...]:
    """Rights that are needed first, then what is forbidden, then the rest. Empty without a report."""
    report: dict[str, Any] | None = key.report_json
    if report is None:
        return ()
    return (*_rights(key, report), *_unknown(report), *_about_the_key(key, report))


def _rights(key: ApiKey, report: dict[str, Any]) -> Iterator[Line]:
    needed = NEEDED_RIGHTS[Market(key.bot.market)]
    others = [right for right in Right if right not in needed and right not in FORBIDDEN_RIGHTS]
    rights: dict[str, bool | None] = report.get("rights", {})
    closed = report.get("product_off", ())
    for right in (*needed, *FORBIDDEN_RIGHTS, *others):
        granted = rights.get(right.value)
        found = {True: "On", False: "Off"}.get(granted, "Not said")  # type: ignore[arg-type]  # None too
        if granted and right.value in closed:
            found = "On, but not open on the account"
        wanted = "On" if right in needed else "Off" if right in FORBIDDEN_RIGHTS else "Either"
        is_fine = found == wanted or (wanted == "Either" and granted is not None)
        yield Line(
            looked_at=right_name(right),
            named=key.adapter.labels.get(right, ""),
            needed=wanted,
            found=found,
            tone="" if is_fine else "bad",
        )


def _unknown(report: dict[str, Any]) -> Iterator[Line]:
    for name in report.get("unknown", ()):
        yield Line(str(name), "", "Off, since we do not know it", "On", "bad")


def _about_the_key(key: ApiKey, report: dict[str, Any]) -> Iterator[Line]:
    allow_list = report.get("allow_list", {})
    bound, addresses = allow_list.get("bound"), allow_list.get("addresses")
    ours = ", ".join(settings.PORTAL_EGRESS_IPS) or "Bound"
    found = {True: "Bound; which addresses is not said", False: "Any"}.get(bound, "Not said")
    if bound and addresses is not None:
        found = ", ".join(str(address) for address in addresses) or "None"
    yield Line("Addresses", "", ours, found, "" if bound else "warn")
    if report.get("third_party_app") is not None:
        app = (settings.PARTNER_APPS or {}).get(key.adapter.id, "")
        found = str(report["third_party_app"])
        yield Line("Made for an app", "", app or "None", found, "" if is_our_app(found, app) else "bad")
    moves = "Yes" if report.get("inherent_transfer") else "No"
    yield Line("Trading moves funds between the customer's own wallets", "", "Either", moves)
    kept = (("Account at the exchange", "account_id"), ("Its main account", "parent_account_id"))
    told = (("Kind of account", "account_kind"), ("Kind of key", "key_kind"), ("Region", "region"))
    for looked_at, name in (*kept, *told):
        if report.get(name):
            yield Line(looked_at, "", "", str(report[name]))
