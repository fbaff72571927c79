"""What the processes of the portal tell of themselves: counters, and when each queue was last worked on.

Rows and not the memory of a process: a figure is the same whoever is asked, and outlives a restart. None of
them names a person, a bot or a key.
"""

from datetime import UTC, datetime

from django.db import models

# The slot of the rows that count from the first day on.
EVER = datetime(1970, 1, 1, tzinfo=UTC)


class What(models.TextChoices):
    CHECK = "check"  # subject: an exchange; result: what came of asking it about one key
    VERDICT = "verdict"  # subject: the bound in seconds below which the time from submit to verdict lies
    MAIL = "mail"  # subject: a kind of mail; result: what came of one try
    SEALED = "sealed"  # subject: a seal key; not counted up, but set to how many live keys it seals
    UNWIPED = "unwiped"  # subject: "keys"; ended ones that still held a secret, found and wiped


class Tally(models.Model):
    """One counter in one slot of time; each count goes into the slot of now and into the one of `EVER`."""

    slot = models.DateTimeField()
    what = models.CharField(max_length=10, choices=What)
    subject = models.CharField(max_length=40)
    result = models.CharField(max_length=20, blank=True)
    number = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)  # sum of what was timed, where something was

    class Meta:
        constraints = [
            models.UniqueConstraint("slot", "what", "subject", "result", name="one_tally_per_slot_and_label")
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.subject} {self.result}"


class Heartbeat(models.Model):
    """The last time a worker took a heartbeat from a queue, which proves that the queue is worked on."""

    queue = models.CharField(max_length=20, primary_key=True)
    seen_at = models.DateTimeField()
    lay_seconds = models.FloatField()  # how long it lay in the queue before a worker took it
    worker = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.queue
