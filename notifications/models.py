"""Mail as rows: written in the transaction that caused it, delivered afterwards."""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from notifications.kinds import CODE_KINDS, MailKind


class MailQuerySet(models.QuerySet["Mail"]):
    def stored(self) -> Self:
        """Mails that can be written from their row alone, which code mails cannot."""
        return self.filter(Q(context__isnull=False) | Q(has_body=True))

    def due(self, now: datetime) -> Self:
        """Stored mails that wait to be sent and that no worker holds at this moment."""
        return self.stored().filter(status=Mail.Status.WAITING, due_at__lte=now)

    def undelivered(self, now: datetime) -> Self:
        """Mails of the last days that never reached their person, and about which somebody can do something.

        Not among them: codes, which are of no use any more; mails of who has left, of which nothing is kept
        either; and what was sent again, for which the newer mail stands.
        """
        failed = self.filter(status=Mail.Status.FAILED, times_resent=0)
        return failed.stored().filter(created_at__gt=now - settings.UNDELIVERED_FORGOTTEN)

    def of(self, owner_id: int) -> Self:
        return self.filter(owner_id=owner_id)

    def with_old_facts(self, before: datetime) -> Self:
        """Mails that are done with, and that still tell what they said."""
        done = self.exclude(status=Mail.Status.WAITING).filter(created_at__lt=before)
        return done.filter(Q(context__isnull=False) | Q(has_body=True))

    def old_codes(self, before: datetime) -> Self:
        return self.exclude(status=Mail.Status.WAITING).filter(kind__in=CODE_KINDS, created_at__lt=before)


class Mail(models.Model):
    """One mail to one person. Unique per cause, so a cause that happens twice mails once."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting to be sent"
        ACCEPTED = "accepted", "Accepted by the provider"
        FAILED = "failed", "Could not be delivered"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=30, choices=MailKind)
    owner_id = models.BigIntegerField()  # the person, as the app that knows people numbers them
    to = models.EmailField(max_length=254)
    cause = models.CharField(max_length=120, unique=True)  # such as "api_refresh:<key id>"
    subject = models.CharField(max_length=300)
    # What the templates name, from `notifications.facts`; null for code mails, of which nothing is ever kept,
    # and for mails of long ago.
    context = models.JSONField(null=True)
    # The body as version 0.1 wrote it, where `has_body`; sent for as long as one may wait. A mail with a
    # `context` must not have it: a worker of 0.1 that still runs would send the empty text.
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    has_body = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()  # when to try next; a claim moves it ahead
    tries = models.PositiveSmallIntegerField(default=0)
    last_answer = models.CharField(max_length=80, blank=True)  # SMTP status and class of error, no text
    accepted_at = models.DateTimeField(null=True)
    times_resent = models.PositiveSmallIntegerField("sent again", default=0, db_default=0)

    objects = MailQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "mail"
        indexes = [
            models.Index(fields=["due_at"], name="mail_due", condition=Q(status="waiting")),
            models.Index(fields=["created_at"], name="mail_failed", condition=Q(status="failed")),
            models.Index(
                fields=["created_at"],
                name="mail_undelivered",
                condition=Q(status="failed", times_resent=0) & (Q(context__isnull=False) | Q(has_body=True)),
            ),
            models.Index(fields=["owner_id", "-created_at"], name="mail_of_owner"),
            models.Index(fields=["created_at"], name="mail_waiting", condition=Q(status="waiting")),
            models.Index(
                fields=["created_at"],
                name="mail_with_facts",
                condition=Q(context__isnull=False) | Q(has_body=True),
            ),
            models.Index(fields=["created_at"], name="mail_of_codes", condition=Q(kind__in=CODE_KINDS)),
            models.Index(Upper("to"), name="mail_by_address"),
            models.Index(fields=["-created_at", "-id"], name="mail_newest"),
            models.Index(fields=["kind", "-created_at", "-id"], name="mail_newest_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.created_at:%-d %b %Y, %H:%M:%S}"

    @property
    def is_stored(self) -> bool:
        return self.context is not None or self.has_body


class Attachment(models.Model):
    """A PDF that goes with a mail. Kept as long as what the mail is written from, and not a day longer."""

    mail = models.OneToOneField(Mail, models.CASCADE, primary_key=True, related_name="attachment")
    name = models.CharField(max_length=100)  # of plain characters, with its ending
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.name
