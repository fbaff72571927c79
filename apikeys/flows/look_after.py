"""Figures and old rows of the table of keys. Each can run at any time, and twice at once."""

from datetime import datetime

from django.conf import settings
from django.db.models import Count

from apikeys.models import ApiKey, KeyCheck
from telemetry import pruning, tallies
from telemetry.models import What


def count_seals() -> dict[str, int]:
    """Count the live keys of each seal key, which an index answers alone, and keep it for the figures."""
    rows = ApiKey.objects.live().order_by().values_list("seal_id").annotate(Count("pk"))
    numbers = dict(rows)
    tallies.put(What.SEALED, numbers)
    return numbers


def forget_old_checks(now: datetime) -> int:
    """Delete what exchanges answered long ago."""
    return pruning.delete(KeyCheck.objects.filter(finished_at__lt=now - settings.KEY_CHECKS_KEPT))
