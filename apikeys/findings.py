"""One reason in a decision: what was found, what is needed, what to do about it."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from django.db.models import TextChoices


class FindingCode(TextChoices):
    MALFORMED = "malformed"
    WRONG_ENVIRONMENT = "wrong_environment"
    WRONG_REGION = "wrong_region"
    NOT_FOUND = "not_found"
    BAD_SIGNATURE = "bad_signature"
    BAD_PASSPHRASE = "bad_passphrase"  # noqa: S105 - a code, no password
    EXPIRED = "expired"
    ACCOUNT_RESTRICTED = "account_restricted"
    INVALID_CREDENTIALS = "invalid_credentials"
    IP_BLOCKED = "ip_blocked"
    IP_NOT_OURS = "ip_not_ours"
    IP_EXTRA = "ip_extra"
    IP_OPEN = "ip_open"
    APP_FOREIGN = "app_foreign"
    INHERENT_TRANSFER = "inherent_transfer"
    MISSING_PERMISSION = "missing_permission"
    PRODUCT_NOT_ENABLED = "product_not_enabled"
    FORBIDDEN_PERMISSION = "forbidden_permission"
    UNPROVEN_PERMISSION = "unproven_permission"
    WRONG_ACCOUNT = "wrong_account"
    DUPLICATE = "duplicate"
    EXPIRES_SOON = "expires_soon"
    CLOCK = "clock"
    EXCHANGE_UNAVAILABLE = "exchange_unavailable"


# Nothing was said against the key: it is asked about again.
RETRIED = frozenset({FindingCode.CLOCK, FindingCode.EXCHANGE_UNAVAILABLE})


class Severity(TextChoices):
    """What a finding does to a newly submitted key."""

    REFUSE = "refuse"
    HOLD = "hold"  # waits for a person
    RETRY = "retry"  # asked again; nothing is said against the customer
    WARN = "warn"  # accepted, with a warning
    TELL = "tell"  # accepted; the customer is told a fact


@dataclass(frozen=True, slots=True)
class Finding:
    """Sentences are the customer's wording, the same on the page, in the mail and at the desk.

    looked_at, needed, found: a few words for one row of a table, such as "Withdrawals", "Off", "On".
    to_do: one sentence.
    step: of the exchange's guide, where this is mended at another one than its code says.
    """

    code: FindingCode
    severity: Severity
    looked_at: str
    needed: str
    found: str
    to_do: str
    step: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(
            code=FindingCode(data["code"]),
            severity=Severity(data["severity"]),
            looked_at=data["looked_at"],
            needed=data["needed"],
            found=data["found"],
            to_do=data["to_do"],
            step=data.get("step", ""),
        )
