"""What every act of the desk shares."""

from dataclasses import dataclass

from accounts.models import User


class NotPossibleError(Exception):
    """Why an act cannot be done, as a sentence for the desk. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, from which network address, and why. All of it goes into the event.

    seen: what the page showed of the thing that is acted on, so that an act on something that has changed
    meanwhile changes nothing. Empty where nothing is compared.
    """

    actor: User
    address: str
    reason: str
    seen: str = ""
