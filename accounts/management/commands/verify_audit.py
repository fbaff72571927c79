from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.audit_chain import Head, breaks, waiting
from accounts.models import AuditLink


def head(text: str) -> Head:
    try:
        return Head.parse(text)
    except ValueError:
        raise ArgumentTypeError("a head is written as in the log, such as 12:0a1b2c3d-…") from None


class Command(BaseCommand):
    help = "Check the audit events against their chain, and say where it breaks. Status 1 where it does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            type=head,
            metavar="NUMBER:MAC",
            help="a logged head of the chain; several: repeat it. Without one, a cut tail is not seen.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.AUDIT_KEY:
            raise CommandError("This needs AUDIT_KEY. Run it where the chore worker runs.")
        found = 0
        for sentence in breaks(options["head"]):
            found += 1
            self.stdout.write(sentence)
        last = AuditLink.objects.order_by("-number").first()
        self.stdout.write(f"Head: {Head.of(last)}" if last else "Nothing is linked yet.")
        self.stdout.write(f"Events that wait to be linked: {waiting()}")
        if not options["head"]:
            self.stdout.write("No logged head was given, so a tail that was cut off would not show.")
        if found:
            raise CommandError(f"The chain is broken. Number of breaks: {found}")
        self.stdout.write("The chain holds.")
