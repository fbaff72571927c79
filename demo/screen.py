"""What the person who started the demo reads."""

from demo import people
from demo.environment import Addresses
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


def show(at: Addresses, password: str, *, engine: bool) -> None:
    say(
        f"""
Sequence Portal runs.

  Portal     {at.portal}/
  Mailbox    {at.url(at.mailbox)}/   every mail that the portal sends, codes too

Sign in as   {people.EMAIL}
Password     {password}
User ID      {people.CLIENT_ID}

Keys to hand over. They work at the simulated exchange only.
{_keys()}{_ENGINE if engine else ""}
Logs are in var/log. Ctrl-C ends all of it."""
    )


def _keys() -> str:
    blocks = []
    for bot_id, exchange, market in people.BOTS:
        blocks.append(f"\n  For {bot_id} ({exchange}, {market})")
        for name, shows in _SHOWS.items():
            key = DEMO_KEYS[exchange][name]
            blocks.append(f"    This one {shows}\n      API key  {key.api_key}\n      Secret   {key.secret}")
    return "\n".join(blocks) + "\n"
