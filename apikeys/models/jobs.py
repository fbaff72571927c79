"""Acts on many rows, worked off in the background."""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.roles import Act
from apikeys.exchanges.registry import name_of

# Chosen keys that one lead ends alone: about as many as a person ticks, having looked at each.
ALONE_MAX = 100


class JobQuerySet(models.QuerySet["Job"]):
    def running(self) -> Self:
        return self.filter(status=Job.Status.RUNNING)

    def started_alone(self, lead: User, since: datetime) -> Self:
        """What a lead chose and started without anybody else's word."""
        return self.filter(started_by=lead, asked_by=lead, started_at__gt=since)

    def too_late(self, now: datetime) -> Self:
        """What nobody started or approved in time, and what was approved and not begun in time."""
        since = now - settings.APPROVE_WITHIN
        unanswered = Q(status__in=[Job.Status.CHOSEN, Job.Status.ASKED], asked_at__lte=since)
        unbegun = Q(status=Job.Status.RUNNING, begun_at=None, started_at__lte=since)
        return self.filter(unanswered | unbegun)


class Job(models.Model):
    """One act on many rows: those chosen from a list, or every key of an exchange.

    Worked in batches, each one transaction that moves the row on too, under the lock of this row: so two
    workers never do the same, and one that dies leaves it where its last batch ended.
    """

    class Status(models.TextChoices):
        CHOSEN = "chosen", "Chosen, not started"
        ASKED = "asked", "Waits for a second lead"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        TURNED_DOWN = "turned_down", "Turned down"
        EXPIRED = "expired", "Expired"

    OPEN = (Status.CHOSEN, Status.ASKED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    act = models.CharField(max_length=30, choices=Act)
    exchange = models.CharField(max_length=30, blank=True)  # whose keys, for `Act.REVOKE_EXCHANGE`
    status = models.CharField(max_length=12, choices=Status)
    reason = models.CharField(max_length=500, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    asked_from = models.GenericIPAddressField()
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)  # the first batch
    stopped_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)  # chosen rows, or keys live when it was started
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)  # not possible any more, or failed: see their items
    after = models.BigIntegerField(default=0)  # the last bot gone through
    live_after = models.PositiveIntegerField(null=True)  # keys of the exchange that are live at the end

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "exchange",
                condition=Q(status__in=["asked", "running"]) & ~Q(exchange=""),
                name="one_open_job_per_exchange",
            ),
            # Nobody approves what they asked for themselves.
            models.CheckConstraint(
                condition=Q(exchange="") | Q(started_by__isnull=True) | ~Q(started_by=models.F("asked_by")),
                name="two_people_for_an_exchange",
            ),
            models.CheckConstraint(
                condition=~Q(act="revoke_chosen")
                | Q(total__lte=ALONE_MAX)
                | Q(started_by__isnull=True)
                | ~Q(started_by=models.F("asked_by")),
                name="two_people_for_many_keys",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                name="open_jobs",
                condition=Q(status__in=["chosen", "asked", "running"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()}, {name_of(self.exchange) or self.total}"

    @property
    def worked(self) -> int:
        return self.done + self.skipped


class JobItem(models.Model):
    """One chosen row of a job, or a key of an exchange that could not be ended."""

    class Outcome(models.TextChoices):
        DONE = "done"
        SKIPPED = "skipped"
        FAILED = "failed"

    LEFT = (Outcome.SKIPPED, Outcome.FAILED)

    job = models.ForeignKey(Job, models.CASCADE, related_name="items")
    row_id = models.UUIDField()  # a key's or a mail's, as the act tells
    seen = models.CharField(max_length=20, blank=True)  # as it was when it was chosen, see `By.seen`
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    why = models.CharField(max_length=200, blank=True)  # it was left as it was, as a sentence

    class Meta:
        constraints = [models.UniqueConstraint("job", "row_id", name="a_row_once_in_a_job")]
        indexes = [
            models.Index(fields=["job", "id"], name="items_to_do", condition=Q(outcome="")),
            models.Index(
                fields=["job", "id"], name="items_left", condition=Q(outcome__in=["skipped", "failed"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.row_id}: {self.outcome or 'waits'}"
