"""What the person who started the demo reads."""

from collections.abc import Mapping

from demo import people
from demo.environment import PASSWORD, STAFF_APP, STAFF_CODES, Addresses
from tests.exchange_simulator.exchanges import DEMO_KEYS

_SHOWS = {
    "good": "is accepted",
    "can_withdraw": "is refused: it can withdraw",
    "read_only": "is refused: it cannot trade",
}


_ENGINE = """
The trading engine runs too: a key is active once the engine has taken it over. See var/log/engine-client.log.
"""


def say(line: str) -> None:
    # Flushed, so that it is seen at once through a pipe too.
    print(line, flush=True)


def show(at: Addresses, made: Mapping[str, str], *, engine: bool) -> None:
    say(
        f"""
Sequence Portal runs.

  Portal     {at.portal}/
  Mailbox    {at.url(at.mailbox)}/   every mail that the portal sends, codes too

Sign in as   {people.EMAIL}
Password     {made[PASSWORD]}
User ID      {people.CLIENT_ID}

The desk     {at.portal}/admin/
Sign in as   {people.STAFF_EMAIL}, a lead, with the same password
Then, after the mailed code, one of these recovery codes; each works once.
{_recovery_codes(made[STAFF_CODES])}
Or add this secret to an authenticator app: {made[STAFF_APP]}

Keys to hand over. They work at the simulated exchange only.
{_keys()}{_ENGINE if engine else ""}
Logs are in var/log. Ctrl-C ends all of it."""
    )


def _recovery_codes(codes: str) -> str:
    drawn = codes.split(",")
    return "\n".join("  " + "  ".join(drawn[first : first + 5]) for first in range(0, len(drawn), 5))


def _keys() -> str:
    blocks = []
    for bot_id, exchange, market in people.BOTS:
        blocks.append(f"\n  For {bot_id} ({exchange}, {market})")
        for name, shows in _SHOWS.items():
            key = DEMO_KEYS[exchange][name]
            blocks.append(f"    This one {shows}\n      API key  {key.api_key}\n      Secret   {key.secret}")
    return "\n".join(blocks) + "\n"
