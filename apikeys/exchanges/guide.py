"""How a customer makes a key at an exchange, step by step, as data that pages render.

In a text, `[Create API]` is the exchange's own word, as it stands on its page, and `{site}` its address. A
label that nobody has seen is never written: the thing is described instead.
"""

from dataclasses import dataclass
from enum import StrEnum

from apikeys.exchanges.base import Market
from apikeys.findings import Finding, FindingCode


class StepId(StrEnum):
    """What a step is about; also its place on the page, to which refusals link."""

    SIGN_IN = "sign-in"
    ACCOUNT = "account"  # what has to be open on the account first
    WAY = "way"  # to the page and the button
    KIND = "kind"  # the kind of key, and the path for third-party apps to stay off
    NAME = "name"
    PASSPHRASE = "passphrase"  # noqa: S105 - a place on a page
    ADDRESSES = "addresses"
    RIGHTS = "rights"
    CONFIRM = "confirm"  # the codes, and what is shown only once
    PASTE = "paste"


@dataclass(frozen=True, slots=True)
class Step:
    id: StepId
    text: str
    small: str = ""  # what some need to know, in small print
    market: Market | None = None  # for bots of this market only


@dataclass(frozen=True, slots=True)
class Guide:
    """Each id at most once for a market; NAME is followed by a name to copy.

    address: of the page where keys are made, without https://, or empty where it is reached by menus only.
    most_addresses: how many addresses a key's list takes; None where the sources disagree or are silent.
    """

    steps: tuple[Step, ...]
    address: str = ""
    most_addresses: int | None = None

    def for_market(self, market: Market) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.market in (None, market))


_ABOUT: dict[StepId, tuple[FindingCode, ...]] = {
    StepId.SIGN_IN: (
        FindingCode.WRONG_ENVIRONMENT,
        FindingCode.WRONG_REGION,
        FindingCode.WRONG_ACCOUNT,
    ),
    StepId.ACCOUNT: (FindingCode.PRODUCT_NOT_ENABLED, FindingCode.ACCOUNT_RESTRICTED),
    StepId.KIND: (FindingCode.APP_FOREIGN,),
    StepId.PASSPHRASE: (FindingCode.BAD_PASSPHRASE,),
    StepId.ADDRESSES: (
        FindingCode.IP_BLOCKED,
        FindingCode.IP_NOT_OURS,
        FindingCode.IP_EXTRA,
        FindingCode.IP_OPEN,
        FindingCode.INHERENT_TRANSFER,
        FindingCode.INVALID_CREDENTIALS,
    ),
    StepId.RIGHTS: (
        FindingCode.MISSING_PERMISSION,
        FindingCode.FORBIDDEN_PERMISSION,
        FindingCode.UNPROVEN_PERMISSION,
    ),
    StepId.WAY: (FindingCode.NOT_FOUND, FindingCode.EXPIRED, FindingCode.EXPIRES_SOON),
    StepId.CONFIRM: (FindingCode.BAD_SIGNATURE, FindingCode.MALFORMED, FindingCode.DUPLICATE),
}
_STEP_OF_FINDING = {code: step for step, codes in _ABOUT.items() for code in codes}


def step_about(finding: Finding, steps: tuple[Step, ...]) -> Step | None:
    """The step at which a finding is mended, or None where none of these is about it."""
    wanted = finding.step or _STEP_OF_FINDING.get(finding.code)
    return next((step for step in steps if step.id == wanted), None)
