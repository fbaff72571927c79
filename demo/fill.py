"""Fills the demo's database, or the one of DATABASE_URL, with invented customers and keys.

`python -m demo.fill --keys 100000`. Refuses where the database holds anybody else. It is no part of the image
that is deployed.
"""

import argparse
import os
import sys
import time

import django

from demo.environment import LOG_DIR, addresses, for_every_process, own_secrets

LOG_DIR.mkdir(parents=True, exist_ok=True)  # in the folder that keeps the demo's secrets
os.environ.update(for_every_process(os.environ, addresses(os.environ), own_secrets()))
django.setup()  # models can be imported only afterwards

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import User  # noqa: E402
from demo import filling, people, seed  # noqa: E402


def main() -> None:
    told = argparse.ArgumentParser(prog="python -m demo.fill", description=__doc__)
    told.add_argument("--keys", type=int, default=2_000)
    told.add_argument("--customers", type=int, help="a fifth of the keys unless told")
    told.add_argument("--seed", type=int, default=1, help="another number gives other people")
    told.add_argument(
        "--quick", action="store_true", help="one sealed value for all keys, which opens for none"
    )
    told.add_argument("--add", action="store_true", help="to whatever the database holds already")
    asked = told.parse_args()
    if not asked.add and holds_anybody_else():
        sys.exit("This database holds other people. Nothing was added. Give --add to do it all the same.")
    call_command("migrate", verbosity=0)
    if not User.objects.filter(client_id__iexact=people.CLIENT_ID).exists():
        seed.import_people()  # whom `make run` looks for
    begun = time.monotonic()
    customers = asked.customers or max(1, asked.keys // 5)
    filling.fill(keys=asked.keys, customers=customers, seed=asked.seed, sealed=not asked.quick)
    filling.analyze()
    seconds = time.monotonic() - begun
    print(
        f"{asked.keys:,} keys of {customers:,} customers in {seconds:.0f} seconds, into {connection.vendor}."
    )
    print(
        "No exchange knows these keys: a worker that checks one finds it dead. To look, start the web alone."
    )


def holds_anybody_else() -> bool:
    if User._meta.db_table not in connection.introspection.table_names():
        return False
    of_the_demo = User.objects.filter(client_id__iexact=people.CLIENT_ID)
    return User.objects.exclude(pk__in=of_the_demo).exclude(email=people.STAFF_EMAIL).exists()


if __name__ == "__main__":
    main()
