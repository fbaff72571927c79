"""What can be done on the page of a key; see `accounts.desk.acts`."""

from accounts.desk.acts import ActLink
from accounts.roles import Act
from apikeys.models import ApiKey
from apikeys.status import KeyStatus


def _is_held(key: ApiKey) -> bool:
    return key.held and key.status == KeyStatus.CHECKING


KEY_ACTS = (
    ActLink(
        "key_account",
        "Decide on the exchange account",
        Act.SETTLE_ACCOUNT,
        applies=_is_held,
        look="Exchange account",
    ),
)
