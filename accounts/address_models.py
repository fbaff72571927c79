"""The primary address of a person: how it changes, who runs its mailbox, what support decided about that."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.mail_domains import MICROSOFT, Provider, domain_of, is_known_by_name

_DOMAIN_MAX = 253  # RFC 1035, without the trailing dot


class AddressChangeQuerySet(models.QuerySet["AddressChange"]):
    def open(self) -> Self:
        """Started or on hold: it may still come to count."""
        return self.filter(status__in=AddressChange.OPEN)

    def on_hold(self) -> Self:
        """Confirmed, and not counting yet. Until it does, no key of the person changes hands."""
        return self.filter(status=AddressChange.Status.CONFIRMED)

    def due(self, now: datetime) -> Self:
        """Holds that are over."""
        return self.on_hold().filter(due_at__lte=now)

    def never_confirmed(self, now: datetime) -> Self:
        started = self.filter(status=AddressChange.Status.STARTED)
        return started.filter(started_at__lte=now - settings.ADDRESS_CONFIRM_WITHIN)


class AddressChange(models.Model):
    """One change of a primary address: started by support, confirmed by the customer, held, counting.

    The addresses stand here and in no audit event, so that they can be removed when an account is closed.
    """

    class Status(models.TextChoices):
        STARTED = "started", "Waits to be confirmed"
        CONFIRMED = "confirmed", "On hold"
        COUNTS = "counts", "Counts"
        CANCELLED = "cancelled", "Cancelled"
        EXPIRED = "expired", "Not confirmed in time"
        TAKEN = "taken", "The address belongs to another person"

    OPEN = (Status.STARTED, Status.CONFIRMED)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="address_changes")
    old_email = models.EmailField("from", max_length=254)
    new_email = models.EmailField("to", max_length=254)
    status = models.CharField(max_length=10, choices=Status, default=Status.STARTED)
    reason = models.CharField(max_length=500)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField("counts from", null=True)  # the end of the hold
    shortened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    shortened_reason = models.CharField(max_length=500, blank=True)
    ended_at = models.DateTimeField(null=True)  # it counts, or never will

    objects = AddressChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "user", condition=Q(status__in=["started", "confirmed"]), name="one_open_address_change"
            ),
            # Two people cannot both be on their way to one address.
            models.UniqueConstraint(
                Upper("new_email"), condition=Q(status="confirmed"), name="one_hold_per_new_address"
            ),
            models.CheckConstraint(
                condition=~Q(status="confirmed") | Q(due_at__isnull=False), name="a_hold_has_an_end"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="holds_due", condition=Q(status="confirmed"))]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_status_display()}"


class MailDomainQuerySet(models.QuerySet["MailDomain"]):
    def due(self, now: datetime) -> Self:
        return self.filter(due_at__lte=now)

    def watch(self, email: str) -> None:
        """Have the domain of an address looked up, soon and then again and again."""
        name = domain_of(email)
        if not is_known_by_name(email) and len(name) <= _DOMAIN_MAX:
            self.bulk_create([MailDomain(name=name, due_at=timezone.now())], ignore_conflicts=True)

    def run_by_microsoft(self, email: str) -> bool:
        """By name, or by the last look-up. What was never looked up with success is not."""
        if is_known_by_name(email):
            return True
        return self.filter(name=domain_of(email), provider__in=MICROSOFT).exists()


class MailDomain(models.Model):
    """Who receives the mail of a domain, as its mail exchangers said when they were last looked up.

    A failed look-up leaves what was known before, so it holds nobody back who was not held already.
    """

    name = models.CharField(max_length=_DOMAIN_MAX, unique=True)  # as `domain_of` gives it
    provider = models.CharField(max_length=20, choices=Provider, default=Provider.UNKNOWN)
    exchanger = models.CharField(max_length=_DOMAIN_MAX, blank=True)  # the one that told
    looked_up_at = models.DateTimeField(null=True)  # last answer
    due_at = models.DateTimeField()  # when to look it up next; a claim moves it ahead

    objects = MailDomainQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="mail_domains_due")]

    def __str__(self) -> str:
        return self.name


class MailboxHold(models.Model):
    """What a customer asked and support decided about one address that Microsoft runs. No row: nobody asked.

    It belongs to the address: another address of the same person is another case.
    """

    class Status(models.TextChoices):
        ASKED = "asked", "Waits for support"
        CLEARED = "cleared", "Cleared"
        KEPT = "kept", "Kept"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mailbox_holds")
    email = models.EmailField("address", max_length=254)
    status = models.CharField(max_length=10, choices=Status, default=Status.ASKED)
    note = models.CharField("from the customer", max_length=500, blank=True)
    asked_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decision_note = models.CharField("note of support", max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("user", Upper("email"), name="one_hold_per_address")]
        indexes = [models.Index(fields=["asked_at"], name="holds_asked", condition=Q(status="asked"))]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_status_display()}"
