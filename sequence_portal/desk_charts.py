"""The charts of the desk's front page, from the figures that a chore keeps by the day."""

from datetime import UTC, datetime, timedelta

from django.utils.safestring import SafeString

from apikeys.flows.count_days import DAYS_SHOWN
from apikeys.models import DayFigures
from sequence_portal.charts import Series, bars, figure, span, spans


def charts_of_days(now: datetime) -> list[SafeString]:
    """Submissions, verdicts, and how long a verdict took, of the last 30 days. One query of 30 rows."""
    today = now.astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS_SHOWN))]
    rows = {row.day: row for row in DayFigures.objects.filter(day__gte=days[0])}
    labels = [f"{day.day} {day:%b}" for day in days]
    known = [rows.get(day) for day in days]
    submitted = Series("handed over", [row.submitted if row else None for row in known])
    accepted = Series("accepted", [row.accepted if row else None for row in known])
    refused = Series("refused", [row.refused if row else None for row in known], "bad")
    half = Series("half", [row.half_s if row else None for row in known])
    most = Series("95 of 100", [row.most_s if row else None for row in known], "soft")
    title = "{} of the last 30 days"
    return [
        figure(
            bars(labels, submitted, title=title.format("Keys handed over on each")),
            labels,
            submitted,
            caption="Keys handed over a day",
        ),
        figure(
            bars(labels, accepted, refused, title=title.format("Verdicts on each")),
            labels,
            accepted,
            refused,
            caption="Verdicts a day",
        ),
        figure(
            spans(labels, half, most, title=title.format("Time to a verdict on each")),
            labels,
            half,
            most,
            caption="Time to a verdict",
            say=span,
        ),
    ]
