"""Rows of keys as the flows leave them, for tests that only read."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from apikeys import reports
from apikeys.exchanges.base import KeyReport, Right
from apikeys.flows.decide import Policy, decide
from apikeys.models import ApiKey, Bot
from apikeys.status import LIVE, KeyStatus

NOW = datetime(2026, 11, 22, 17, 46, 31, tzinfo=UTC)
HARMLESS = {right: right in (Right.READ, Right.SPOT) for right in Right}


def make_key(bot: Bot, status: KeyStatus, last_four: str, ago: timedelta, **fields: Any) -> ApiKey:
    """A row as the flows leave it: submitted so long ago, checked seven seconds later."""
    at = NOW - ago
    checked = at + timedelta(seconds=7)
    usual: dict[str, Any] = {"submitted_at": at, "fingerprint": uuid4().hex}
    usual |= {"sealed": b"sealed" if status in LIVE else None}
    if status in (KeyStatus.READY, KeyStatus.ACTIVE, KeyStatus.RETIRED):
        usual |= {"checked_at": checked, "ready_at": checked}
    if status in (KeyStatus.ACTIVE, KeyStatus.RETIRED):
        usual |= {"activated_at": checked}
    if status not in LIVE:
        usual |= {"ended_at": checked}
    return ApiKey.objects.create(bot=bot, status=status, last_four=last_four, **(usual | fields))


def verdict(bot: Bot, report: KeyReport) -> dict[str, Any]:
    found = decide(report, bot, Policy(now=NOW, egress_ips=("203.0.113.10",))).findings
    return {"findings_json": [item.as_json() for item in found], "report_json": reports.as_json(report)}
