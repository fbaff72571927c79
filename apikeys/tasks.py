"""Worker side of keys. Arguments are row ids, nothing else."""

import time
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apikeys.exchanges import client
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows import breaker, count_days, jobs, remind
from apikeys.flows.check import check
from apikeys.models import ApiKey, Bot, Job
from notifications.bell import ring

# One look of the schedule rings at most this many; the next look finds the rest.
_AT_ONCE = 500


@shared_task(name="apikeys.check_key")
def check_key(key_id: str) -> None:
    """Ask the exchange about one key and carry out the decision. Safe to run twice."""
    check(UUID(key_id), ask=client.ask)


@shared_task(name="apikeys.ring_due_checks")
def ring_due_checks() -> None:
    """Ring for every check that is due: paused ones, and those whose message or worker was lost."""
    due = ApiKey.objects.due(timezone.now()).order_by("check_due_at").values_list("pk", flat=True)
    for key_id in due[:_AT_ONCE]:
        # Rung again at the next look if still due, so what is left over then is dropped unheard.
        if not ring("apikeys.check_key", str(key_id), expires=settings.LOOK_AGAIN.total_seconds()):
            return


@shared_task(name="apikeys.measure_clocks")
def measure_clocks() -> None:
    """Compare our clock with that of every exchange that is traded at. From 500 ms on, an alarm is logged."""
    used = set(Bot.objects.order_by().values_list("exchange", flat=True).distinct())
    for exchange in used & EXCHANGES.keys():
        ahead_ms = client.measure_clock(exchange)
        if ahead_ms is not None:
            breaker.record_clock(exchange, ahead_ms, timezone.now())


@shared_task(name="apikeys.remind_of_ends")
def remind_of_ends() -> None:
    """Mail the owners of keys that end soon. Safe to run at any time and twice at once."""
    remind.remind_all(timezone.now())


@shared_task(name="apikeys.work_job")
def work_job(job_id: str) -> None:
    """Work on a job until the schedule looks again, which rings for the rest: other chores come through."""
    until = time.monotonic() + settings.LOOK_AGAIN.total_seconds()
    jobs.work(UUID(job_id), goes_on=lambda: time.monotonic() < until)


@shared_task(name="apikeys.ring_jobs")
def ring_jobs() -> None:
    """Ring for jobs that are not done, whatever became of their worker; end what nobody began in time."""
    jobs.expire(timezone.now())
    for job_id in Job.objects.running().order_by("asked_at").values_list("pk", flat=True):
        ring("apikeys.work_job", str(job_id), expires=settings.LOOK_AGAIN.total_seconds())


@shared_task(name="apikeys.count_days")
def count_days_for_the_desk() -> None:
    """Bring the figures of the desk's charts up to date."""
    count_days.count_days(timezone.now())
