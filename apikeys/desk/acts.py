"""What can be done on the pages of a key and of a bot; see `accounts.desk.acts`."""

from accounts.desk.acts import ActLink
from accounts.roles import Act
from apikeys.findings import FindingCode
from apikeys.flows import settle_account
from apikeys.models import ApiKey
from apikeys.status import LIVE, KeyStatus


def _is_asked_about(key: ApiKey) -> bool:
    """Also where it was given up for no fault of the key: the page says what can be done then."""
    given_up = FindingCode.EXCHANGE_UNAVAILABLE in {item.code for item in key.findings}
    return key.status in (KeyStatus.CHECKING, KeyStatus.ACTIVE) or (
        key.status == KeyStatus.REFUSED and given_up
    )


def _is_live(key: ApiKey) -> bool:
    return key.status in LIVE


KEY_ACTS = (
    ActLink("key_check", "Check again now", Act.CHECK_KEY, applies=_is_asked_about),
    ActLink("key_revoke", "Revoke this key", Act.REVOKE_KEY, applies=_is_live, danger=True),
    ActLink(
        "key_account",
        "Decide on the exchange account",
        Act.SETTLE_ACCOUNT,
        applies=settle_account.is_held,
        look="Exchange account",
    ),
)

BOT_ACTS = (ActLink("bot_move", "Give it to another customer", Act.MOVE_BOT),)
