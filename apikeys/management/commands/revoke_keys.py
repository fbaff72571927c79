from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.identifiers import canonical
from accounts.models import User
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows.revoke import revoke_all


class Command(BaseCommand):
    help = "Revoke and wipe live keys of an exchange, a customer or a seal key. Bots stop. Can be run again."

    def add_arguments(self, parser: CommandParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--exchange", choices=sorted(EXCHANGES))
        whose.add_argument("--client-id")
        whose.add_argument("--seal-id", help="what stands before the colon of a seal key that is lost")
        parser.add_argument("--yes", action="store_true", help="needed, since nothing brings a key back")

    def handle(self, *args: Any, **options: Any) -> None:
        customer = None
        if options["client_id"]:
            customer = User.objects.filter(client_id__iexact=canonical(options["client_id"])).first()
            if customer is None:
                raise CommandError(f"Nobody has the User ID {options['client_id']}.")
        if not options["yes"]:
            raise CommandError(
                "Every one of these bots stops until its customer connects a new key. Add --yes."
            )
        done = 0
        whose = {"exchange": options["exchange"], "customer": customer, "seal_id": options["seal_id"]}
        for done in revoke_all(**whose):
            self.stdout.write(f"{done} revoked so far.")
        self.stdout.write(f"{done} keys revoked.")
