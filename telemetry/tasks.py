"""What workers do so that they are seen, and so that old figures go."""

from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.utils import timezone

from telemetry import heartbeats, tallies


@shared_task(name=heartbeats.TASK, bind=True)
def heartbeat(task: Any, queue: str, sent_at: str) -> str:
    lay = heartbeats.heard(queue, sent_at, task.request.hostname or "")
    return f"lay {lay:.3f} s"


@worker_ready.connect
def be_seen_at_once(sender: Any, **_: Any) -> None:
    """Send the first heartbeat of each queue of a worker that starts; beat would send it seconds later."""
    for queue in sender.app.amqp.queues.consume_from:
        current_app.send_task(
            heartbeats.TASK,
            args=[queue, heartbeats.now_in_words()],
            queue=queue,
            expires=settings.HEARTBEAT_EXPIRES.total_seconds(),
        )


@shared_task(name="telemetry.forget_old_slots")
def forget_old_slots() -> str:
    return f"dropped {tallies.forget(timezone.now())}"
