from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apikeys.engine import tokens
from apikeys.models import Scope


class Command(BaseCommand):
    help = "Make a token for the trading engine's door and print it, for the only time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--scope", action="append", choices=Scope.values, help="several: repeat it")
        parser.add_argument("--address", action="append", default=[], help="an address or network; repeat it")
        parser.add_argument("--days", type=int, default=365, help="how long it lives")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= 3650:
            raise CommandError("--days must be 1 to 3650.")
        scopes = [Scope(scope) for scope in options["scope"] or Scope.values]
        try:
            token = tokens.make(
                name=options["name"],
                scopes=scopes,
                addresses=options["address"],
                life=timedelta(days=options["days"]),
            )
        except ValueError:
            raise CommandError("--address takes addresses and networks, such as 10.0.0.0/24.") from None
        self.stdout.write(token)
