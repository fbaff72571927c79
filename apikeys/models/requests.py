"""What customers ask for: one more bot."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import User
from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.base import Market
from apikeys.exchanges.registry import EXCHANGES
from apikeys.models.keys import Bot


class BotRequestQuerySet(models.QuerySet["BotRequest"]):
    def open(self) -> Self:
        """Those that wait for support."""
        return self.filter(status=BotRequest.Status.ASKED)

    def of(self, customer: User) -> Self:
        return self.filter(customer=customer)


class BotRequest(models.Model):
    """A customer asks for a bot on one market of one exchange; support launches it under a BOT ID."""

    class Status(models.TextChoices):
        ASKED = "asked", "Waits for support"
        LAUNCHED = "launched", "Launched"
        DECLINED = "declined", "Declined"
        TAKEN_BACK = "taken_back", "Taken back"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="bot_requests")
    exchange = models.CharField(max_length=30)  # an id of the registry
    market = models.CharField(max_length=20, choices=Market)
    note = models.CharField(max_length=500, blank=True)  # the customer's own words
    status = models.CharField(max_length=10, choices=Status, default=Status.ASKED)
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answer = models.CharField(max_length=500, blank=True)  # why it was declined, as the customer is told
    bot = models.ForeignKey(Bot, models.SET_NULL, null=True, related_name="+")

    objects = BotRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "exchange", "market"],
                condition=Q(status="asked"),
                name="one_open_request_per_market",
            )
        ]
        indexes = [models.Index(fields=["asked_at"], name="requests_open", condition=Q(status="asked"))]

    def __str__(self) -> str:
        return f"{self.adapter.name}, {self.market}, for {self.customer}"

    @property
    def adapter(self) -> Adapter:
        return EXCHANGES[self.exchange]
