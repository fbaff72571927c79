from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apikeys.engine import tokens


class Command(BaseCommand):
    help = "Revoke the live tokens of a name. They are refused from the next request on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (number := tokens.revoke(options["name"])):
            raise CommandError(f"No live token has the name {options['name']}.")
        self.stdout.write(f"{number} revoked.")
