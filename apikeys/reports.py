"""A key report as it is kept with a key and its checks: what was said, in JSON."""

from typing import Any

from apikeys.exchanges.base import KeyReport, Right


def as_json(report: KeyReport) -> dict[str, Any]:
    """Holds no secret and no whole API key: a report never carries one."""
    return {
        "rights": {right.value: report.rights.get(right) for right in Right},
        "unknown": list(report.unknown),
        "inherent_transfer": report.inherent_transfer,
        "product_off": [right.value for right in report.product_off],
        "allow_list": {
            "bound": report.allow_list.bound,
            "addresses": None if report.allow_list.addresses is None else list(report.allow_list.addresses),
        },
        "created_at": report.created_at.isoformat() if report.created_at else None,
        "expires_at": report.expires_at.isoformat() if report.expires_at else None,
        "permanent": report.permanent,
        "account_id": report.account_id,
        "parent_account_id": report.parent_account_id,
        "account_kind": report.account_kind,
        "key_kind": report.key_kind,
        "third_party_app": report.third_party_app,
        "region": report.region,
    }
