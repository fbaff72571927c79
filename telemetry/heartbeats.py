"""Heartbeats: a tiny task for each queue, again and again, written down by the worker that takes it.

That a worker process lives says little; that a bell put on a queue a moment ago was heard says that broker,
worker and database work together. A heartbeat lies behind the bells that were there before it, so the time
that it lay is the time that a bell lies.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from telemetry.models import Heartbeat

TASK = "telemetry.heartbeat"
# Any worker seen this lately makes the portal ready. Which queue nobody works on is for the alerts to say: a
# portal without a check worker still shows pages and takes keys, and the check is made up for.
LATELY = timedelta(minutes=2)


def now_in_words() -> str:
    """The argument of a heartbeat, made at the moment of sending it."""
    return timezone.now().isoformat(timespec="milliseconds")


def heard(queue: str, sent_at: str, worker: str) -> float:
    """Write down that a worker took this heartbeat; say how many seconds it lay. An unknown queue is none."""
    if queue not in settings.QUEUES:
        raise ValueError("No queue of ours.")
    now = timezone.now()
    # The sender's clock may be ahead of this one.
    lay = max(0.0, (now - datetime.fromisoformat(sent_at)).total_seconds())
    Heartbeat.objects.update_or_create(
        queue=queue, defaults={"seen_at": now, "lay_seconds": lay, "worker": worker[:100]}
    )
    return lay


def seen_lately(now: datetime) -> bool:
    return Heartbeat.objects.filter(seen_at__gt=now - LATELY).exists()
