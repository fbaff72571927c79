from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apikeys import vault
from apikeys.flows.rotate import Step, retirable, rotate

# Into a file, a line of progress for every so many secrets.
_LINE_EVERY = 1000


class Command(BaseCommand):
    help = (
        "Seal every stored secret anew under the newest seal key. Can be stopped at any moment and run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SEAL_PRIVATE_KEYS:
            raise CommandError("This needs SEAL_PRIVATE_KEYS. Run it where the check workers run.")
        try:
            vault.check_keys()
        except vault.SealError as error:
            raise CommandError(str(error)) from None

        unopened, step = 0, Step(0, 0, {})
        self.stdout.write(f"The newest seal key is {vault.newest_seal_id()}.")
        for following in rotate():
            self._show(following, before=step)
            unopened += len(following.unopened)
            step = following
        self.stdout.write(f"{step.done} sealed anew.")
        self._say_what_may_go()
        if unopened:
            raise CommandError(
                f"{unopened} stored secrets do not open; they are named above and are as they were."
            )

    def _show(self, step: Step, *, before: Step) -> None:
        for key_id, reason in step.unopened.items():
            self.stderr.write(f"Key {key_id}: {reason}")
        line = f"{step.done} done, {step.left} left"
        if self.stdout.isatty():
            self.stdout.write(f"\r{line}   ", ending="" if step.left else "\n")
        elif step.done // _LINE_EVERY > before.done // _LINE_EVERY or not step.left:
            self.stdout.write(line)
        self.stdout.flush()

    def _say_what_may_go(self) -> None:
        old = retirable()
        if not old:
            return
        self.stdout.write(
            f"No row needs these seal keys any more: {', '.join(old)}.\n"
            "Once every process seals with the newest key, run this again: what it then names may go.\n"
            "Copies of wiped secrets, and of these as they were before, live on in backups and journals\n"
            "of the database until the private halves of the old keys are destroyed, wherever they are."
        )
