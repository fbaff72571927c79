from typing import Any

from django.core.management.base import BaseCommand

from apikeys import vault


class Command(BaseCommand):
    help = "Print a new private and public seal key, in the form of the environment."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        private, public = vault.generate_pair()
        self.stdout.write(f"SEAL_PRIVATE_KEYS={private}")
        self.stdout.write(f"SEAL_PUBLIC_KEYS={public}")
