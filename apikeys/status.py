"""The states of a key and of a bot, and the one table of allowed moves."""

from django.db.models import TextChoices


class KeyStatus(TextChoices):
    CHECKING = "checking", "Being checked"
    REFUSED = "refused", "Refused"
    READY = "ready", "Accepted, waiting for the bot"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"
    REVOKED = "revoked", "Revoked"


WAITING = (KeyStatus.CHECKING, KeyStatus.READY)
LIVE = (*WAITING, KeyStatus.ACTIVE)

MOVES: dict[KeyStatus, frozenset[KeyStatus]] = {
    KeyStatus.CHECKING: frozenset({KeyStatus.REFUSED, KeyStatus.READY, KeyStatus.REVOKED}),
    KeyStatus.READY: frozenset({KeyStatus.ACTIVE, KeyStatus.REVOKED}),
    KeyStatus.ACTIVE: frozenset({KeyStatus.RETIRED, KeyStatus.REVOKED}),
    KeyStatus.REFUSED: frozenset(),
    KeyStatus.RETIRED: frozenset(),
    KeyStatus.REVOKED: frozenset(),
}


class BotStatus(TextChoices):
    """What a bot's customer is told; a key that is ready still counts as checking."""

    NONE = "none", "Not connected"
    CHECKING = "checking", "Checking your new key"
    ACTIVE = "active", "Active"
    PROBLEM = "problem", "Needs attention"
    REVOKED = "revoked", "Disconnected"
