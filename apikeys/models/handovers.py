"""What is offered to the trading engine, and by which tokens it comes to fetch it."""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from apikeys.models.keys import ApiKey


class HandoverQuerySet(models.QuerySet["Handover"]):
    def pending(self) -> Self:
        return self.filter(settled_at=None)

    def with_key(self) -> Self:
        """With key, bot and customer, and without the portal's own sealed copy and what is long."""
        return self.select_related("key__bot__customer").defer("key__sealed", "key__report_json")

    def late(self, now: datetime) -> Self:
        """Waiting for the engine for longer than it should."""
        return self.pending().filter(created_at__lte=now - settings.ENGINE_LATE)


class Handover(models.Model):
    """One thing that the engine has to take note of: a proved key, or the end of one that it has seen.

    It is offered again at every fetch until it is settled, so the engine must take a repetition for what it
    is. `envelope` opens with the engine's private key only, and is wiped when the key ends.
    """

    class Kind(models.TextChoices):
        KEY = "key"
        REVOCATION = "revocation"

    class Outcome(models.TextChoices):
        ACKED = "acked", "Taken over"
        REJECTED = "rejected", "Rejected by the engine"
        WITHDRAWN = "withdrawn", "Ended before the engine took it"

    number = models.BigAutoField(primary_key=True)  # the order in which the engine gets them
    id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.ForeignKey(ApiKey, models.PROTECT, related_name="handovers")
    envelope = models.BinaryField(null=True)
    engine_key_id = models.CharField(max_length=8, blank=True)  # which of the engine's keys opens it
    created_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True)  # first time
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    engine_time = models.DateTimeField(null=True)  # when it was done, by the engine's own clock
    reason = models.CharField(max_length=30, blank=True)

    objects = HandoverQuerySet.as_manager()

    class Meta:
        verbose_name = "hand-over"
        constraints = [
            models.UniqueConstraint("key", "kind", name="one_handover_per_key_and_kind"),
            models.CheckConstraint(
                condition=Q(kind="key") | Q(envelope__isnull=True), name="only_keys_have_envelopes"
            ),
        ]
        indexes = [
            models.Index(fields=["number"], name="handovers_pending", condition=Q(settled_at__isnull=True)),
            models.Index(fields=["outcome", "-number"], name="handovers_by_outcome"),
            models.Index(fields=["kind", "-number"], name="handovers_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}"


class Scope(models.TextChoices):
    FETCH = "handovers:read", "Fetch hand-overs"
    SETTLE = "handovers:settle", "Acknowledge and reject hand-overs"
    BOTS = "bots:read", "Read the current envelope of a bot"


class EngineToken(models.Model):
    """A key to the door. Only its SHA-256 is kept: the token has 256 random bits, so no salt is needed."""

    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField()
    addresses = models.JSONField(default=list)  # networks it may be used from; empty: from anywhere
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)  # to the minute
    text = ""  # the token itself, in the request that makes it and nowhere else; no column

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name
