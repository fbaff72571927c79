from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.desk.search import INDEXES as OF_PEOPLE
from accounts.desk.search import INDEXES_OF_CHANGES
from apikeys.desk.search import INDEXES as OF_KEYS
from notifications.desk.indexes import NO_TRIGRAMS, make
from notifications.desk.mail_search import INDEXES as OF_MAIL


class Command(BaseCommand):
    help = "Make what the desk's search lacks on PostgreSQL, once pg_trgm is there. Can be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL needs them.")
        if not make([*OF_PEOPLE, *INDEXES_OF_CHANGES, *OF_KEYS, *OF_MAIL]):
            raise CommandError(NO_TRIGRAMS)
        self.stdout.write("Every index of the search is there.")
