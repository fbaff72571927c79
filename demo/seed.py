"""One customer with two bots, one trading with an old key. `python -m demo.seed`, any number of times.

Everything takes the way that it takes in production: the import of customers, and a key that is handed over,
checked by the worker at the simulated exchange, and activated. So a demo that has started has also worked.
"""

import csv
import os
import sys
import tempfile
import time
from pathlib import Path

import django

django.setup()  # models can be imported only afterwards

from django.core.management import call_command  # noqa: E402

from accounts.models import User  # noqa: E402
from apikeys.exchanges.base import Credentials  # noqa: E402
from apikeys.flows.submit import submit  # noqa: E402
from apikeys.models import ApiKey, Bot  # noqa: E402
from apikeys.status import WAITING, KeyStatus  # noqa: E402
from demo import people  # noqa: E402
from demo.environment import LOOPBACK, PASSWORD  # noqa: E402
from tests.exchange_simulator.exchanges import DEMO_KEYS  # noqa: E402

ACTIVE_WITHIN = 30.0


def main() -> None:
    customer = User.objects.filter(client_id__iexact=people.CLIENT_ID).first()
    if customer is None:
        if User.objects.exists():
            sys.exit(
                "This database holds other people. The demo's password is no secret, so nothing was added."
            )
        import_people()
        customer = User.objects.get(client_id__iexact=people.CLIENT_ID)
    password = os.environ[PASSWORD]
    # What is printed must sign in, also after somebody set another password while trying the demo.
    if not customer.check_password(password):
        customer.set_password(password)
        customer.save(update_fields=["password"])
    bot_id, exchange, _ = people.BOTS[0]
    bot = Bot.objects.get(bot_id__iexact=bot_id)
    if not bot.keys.exists():
        hand_over_the_old_key(bot, customer, exchange)


def import_people() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "customers.csv"
        with file.open("w", newline="", encoding="utf-8") as rows:
            writer = csv.writer(rows)
            writer.writerow(["client_id", "name", "email", "bot_id", "exchange", "market"])
            for bot in people.BOTS:
                writer.writerow([people.CLIENT_ID, people.NAME, people.EMAIL, *bot])
        call_command("import_customers", str(file), verbosity=0)


def hand_over_the_old_key(bot: Bot, customer: User, exchange: str) -> None:
    old = DEMO_KEYS[exchange]["old"]
    key = submit(
        bot=bot,
        customer=customer,
        credentials=Credentials(old.api_key, old.secret),
        trimmed=False,
        replaces=None,
        address=LOOPBACK,
    )
    give_up = time.monotonic() + ACTIVE_WITHIN
    while (status := ApiKey.objects.get(pk=key.pk).status) in WAITING:
        if time.monotonic() > give_up:
            sys.exit(f"The demo's first key is {status} after {ACTIVE_WITHIN:.0f} seconds.")
        time.sleep(0.1)
    if status != KeyStatus.ACTIVE:
        sys.exit(f"The demo's first key ended as {status}.")


if __name__ == "__main__":
    main()
