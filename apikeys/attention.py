"""What its customer reads about an active key that is found wanting: the same sentences on page and mail."""

from datetime import UTC, datetime

from django.conf import settings

from apikeys.findings import FindingCode, Severity
from apikeys.models import ApiKey
from apikeys.status import KeyStatus

_CODE = FindingCode
_PROBLEMS = {
    _CODE.FORBIDDEN_PERMISSION: "this key has a right that it must not have",
    _CODE.MISSING_PERMISSION: "this key lacks a right that the bot needs",
    _CODE.PRODUCT_NOT_ENABLED: "the account cannot trade this market",
    _CODE.EXPIRED: "this key has expired",
    _CODE.NOT_FOUND: "this key no longer exists",
    _CODE.IP_BLOCKED: "this key refuses our addresses",
    _CODE.IP_NOT_OURS: "this key is not bound to all our addresses",
    _CODE.ACCOUNT_RESTRICTED: "the account is restricted",
    _CODE.BAD_SIGNATURE: "the secret of this key no longer fits",
    _CODE.BAD_PASSPHRASE: "the passphrase of this key no longer fits",
    _CODE.WRONG_ENVIRONMENT: "this key is one of a demo or test system",
    _CODE.WRONG_REGION: "this key belongs to another site of the exchange",
    _CODE.INVALID_CREDENTIALS: "the exchange refuses this key",
}
_CONCERNS = {
    _CODE.UNPROVEN_PERMISSION: "a right that is not known, or not stated",
    _CODE.WRONG_ACCOUNT: "this key moved to another exchange account",
    _CODE.EXCHANGE_UNAVAILABLE: "the exchange gives no answer",
    _CODE.CLOCK: "the exchange's clock and ours differ",
}
# The exchange still answers to the key, so the bot may trade with it as far as its rights go.
_ANSWERED_TO = frozenset(
    {_CODE.FORBIDDEN_PERMISSION, _CODE.MISSING_PERMISSION, _CODE.PRODUCT_NOT_ENABLED, _CODE.IP_NOT_OURS}
)
# What is mended at the exchange, on the key or on the account. All else needs a new key.
_MENDABLE = _ANSWERED_TO | {_CODE.IP_BLOCKED, _CODE.ACCOUNT_RESTRICTED, _CODE.INVALID_CREDENTIALS}


def problem_in_words(code: str) -> str:
    """Goes on after `Needs attention: `."""
    return _PROBLEMS.get(FindingCode(code), "this key no longer passes our check")


def concern_in_words(code: str) -> str:
    """For the desk alone. Goes on after `For the desk only: `."""
    return _CONCERNS.get(FindingCode(code), "our check came to no end")


def is_answered_to(key: ApiKey) -> bool:
    """Whether the exchange still reports on the key, wanting or not, and does not refuse it outright."""
    return not key.problem or key.problem in _ANSWERED_TO


def what_works(key: ApiKey) -> str:
    end, exchange = f"…{key.last_four}", key.adapter.name
    if key.problem == _CODE.FORBIDDEN_PERMISSION:
        return f"Your bot goes on trading with the key ending {end}."
    if is_answered_to(key):
        return (
            f"The key ending {end} stays connected, and your bot goes on trading as far as {exchange}"
            " lets it."
        )
    return f"The key ending {end} stays connected, but while {exchange} refuses it your bot cannot trade."


def what_is_to_come(key: ApiKey) -> str:
    """When the key is to be revoked; empty where it is not."""
    if key.revoke_at is None:
        return ""
    exchange = key.adapter.name
    return (
        f"We disconnect it {moment_in_words(key.revoke_at)}, unless {exchange} tells us before then that the"
        " right is off."
    )


def how_to_mend(key: ApiKey) -> str:
    if key.problem in _MENDABLE:
        return (
            f"Change it at {key.adapter.name} on this same key: we look again by ourselves, usually"
            " within an hour or two, and tell you when it is in order. Or hand over a new key with Refresh"
            " key."
        )
    return "A new key, handed over with Refresh key, puts it right. Nothing else of the bot changes."


def was_disconnected_for_a_right(key: ApiKey) -> bool:
    return (
        key.status == KeyStatus.REVOKED
        and key.revoke_at is not None
        and key.ended_at is not None
        and key.ended_at >= key.revoke_at
    )


def why_disconnected(key: ApiKey) -> str:
    hours = round(settings.REVOKE_AFTER.total_seconds() / 3600)
    return (
        f"The key ending …{key.last_four} still had a right that it must not have, {hours} hours after we"
        " told you of it."
    )


def moment_in_words(at: datetime) -> str:
    """`on 30 November 2026 at 13:20 UTC`."""
    at = at.astimezone(UTC)
    return f"on {at.day} {at:%B %Y at %H:%M} UTC"


def wanting(key: ApiKey) -> list[dict[str, str]]:
    """The findings that make it a problem, as mails list them."""
    return [item.as_json() for item in key.findings if item.severity is Severity.REFUSE]
