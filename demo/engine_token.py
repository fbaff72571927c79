"""Makes the engine client's token for one run and prints it. Tokens of earlier runs end."""

from datetime import timedelta

import django

django.setup()  # models can be imported only afterwards

from apikeys.engine import tokens  # noqa: E402
from apikeys.models import Scope  # noqa: E402
from demo.environment import LOOPBACK  # noqa: E402

NAME = "make run"

if __name__ == "__main__":
    tokens.revoke(NAME)
    print(tokens.make(name=NAME, scopes=list(Scope), addresses=[LOOPBACK], life=timedelta(days=30)))
