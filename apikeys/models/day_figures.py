"""What the desk's charts show: one small row a day, so that no page counts a million keys."""

from django.db import models


class DayFigures(models.Model):
    """What was handed over and decided on one day, UTC. Final once it was counted after the day's end."""

    day = models.DateField(primary_key=True)
    submitted = models.PositiveIntegerField(default=0)
    # Verdicts of this day, whenever submitted; until it is over without those that waited for days.
    accepted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    half_s = models.FloatField(null=True)  # seconds from submission to verdict: the median; null: no verdict
    most_s = models.FloatField(null=True)  # within which 95 of 100 were decided
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day}"
