from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apikeys.flows.after_restore import set_right


class Command(BaseCommand):
    help = "Set right what is out of date in a database that was restored, before any process works on it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="needed, since it ends every session")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"]:
            raise CommandError("Only for a restored database on which no process works yet. Add --yes.")
        done = set_right(now=timezone.now())
        self.stdout.write(f"Mails that waited and will not be sent by themselves: {done.mails}")
        self.stdout.write(f"Sessions ended: {done.sessions}")
        self.stdout.write(f"Active keys that are looked at at once: {done.keys}")
