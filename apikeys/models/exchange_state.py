"""How an exchange as a whole serves us, as all workers together have seen it."""

from datetime import datetime
from typing import Self

from django.db import models

from apikeys.exchanges.registry import name_of


class ExchangeStateQuerySet(models.QuerySet["ExchangeState"]):
    def away(self, now: datetime) -> Self:
        """Exchanges that nobody asks at the moment, since they answer nobody."""
        return self.filter(open_until__gt=now)


class ExchangeState(models.Model):
    """One row an exchange that has ever failed. Kept in the database, so that pages see what workers saw.

    The breaker is open while `open_until` lies ahead: nobody is asked until then. Behind it one caller, who
    moves `open_until` ahead first, is let through to see.
    """

    exchange = models.CharField(primary_key=True, max_length=30)  # an id of the registry
    failures = models.PositiveIntegerField(default=0)  # outages in a row
    failing_since = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)  # last answer after an outage
    # Sweeps have work for as long as this, at the exchange's pace.
    swept_until = models.DateTimeField(null=True)
    clock_ahead_ms = models.FloatField(null=True)  # its clock against ours, when last measured
    clock_measured_at = models.DateTimeField(null=True)

    objects = ExchangeStateQuerySet.as_manager()

    def __str__(self) -> str:
        return name_of(self.exchange)
