"""One customer with two bots, one trading with an old key, and one member of staff, a lead.

`python -m demo.seed`, any number of times.

Everything takes the way that it takes in production: the import of customers, and a key that is handed over,
checked by the worker at the simulated exchange, and activated. So a demo that has started has also worked.
"""

import csv
import os
import sys
import tempfile
import time
from base64 import b32decode
from pathlib import Path

import django

django.setup()  # models can be imported only afterwards

from django.core.management import call_command  # noqa: E402

from accounts import factor_keys, long_codes  # noqa: E402
from accounts.devices import AuthenticatorApp, RecoveryCodes  # noqa: E402
from accounts.flows import staff  # noqa: E402
from accounts.models import User  # noqa: E402
from accounts.roles import Role  # noqa: E402
from apikeys.exchanges.base import Credentials  # noqa: E402
from apikeys.flows.submit import submit  # noqa: E402
from apikeys.models import ApiKey, Bot  # noqa: E402
from apikeys.status import WAITING, KeyStatus  # noqa: E402
from demo import people  # noqa: E402
from demo.environment import LOOPBACK, PASSWORD, STAFF_APP, STAFF_CODES  # noqa: E402
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
    let_in(customer)
    lead = User.objects.filter(email=people.STAFF_EMAIL).first()
    if lead is None:
        lead = staff.create(email=people.STAFF_EMAIL, role=Role.LEAD).user
    let_in(lead)
    give_second_factors(lead)
    bot_id, exchange, _ = people.BOTS[0]
    bot = Bot.objects.get(bot_id__iexact=bot_id)
    if not bot.keys.exists():
        hand_over_the_old_key(bot, customer, exchange)


def let_in(person: User) -> None:
    """What is printed must sign in, also after somebody set another password while trying the demo."""
    password = os.environ[PASSWORD]
    if not person.check_password(password):
        person.set_password(password)
        person.save(update_fields=["password"])


def give_second_factors(person: User) -> None:
    """Those that are printed, none of them used."""
    owner = str(person.pk)
    sealed = factor_keys.encrypt(b32decode(os.environ[STAFF_APP]), owner=owner)
    AuthenticatorApp.objects.update_or_create(
        user=person, defaults={"sealed_secret": sealed, "confirmed": True}
    )
    made, _ = RecoveryCodes.objects.get_or_create(user=person)
    made.codes.all().delete()
    for code in os.environ[STAFF_CODES].split(","):
        made.codes.create(digest=factor_keys.digest(long_codes.folded(code), owner=owner))


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
