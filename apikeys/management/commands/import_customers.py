from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apikeys.flows.import_customers import RowError, import_customers


class Command(BaseCommand):
    help = "Import customers and their bots from a CSV file: client_id,name,email,bot_id,exchange,market."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument(
            "--invite", action="store_true", help="queue a welcome mail for each new customer"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            # utf-8-sig also reads a file without a byte-order mark.
            text = options["file"].read_text(encoding="utf-8-sig")
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise CommandError(f"{options['file']} is not UTF-8. Save it as CSV in UTF-8.") from None
        try:
            result = import_customers(text, invite=options["invite"])
        except RowError as error:
            raise CommandError(f"Nothing was imported.\n{error}") from None
        self.stdout.write(
            f"{result.new_customers} new customers, {result.new_bots} new bots, {result.rows} rows read."
        )
