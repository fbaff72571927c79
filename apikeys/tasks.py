"""Worker side of keys. Arguments are row ids, nothing else."""

import logging
import threading
import time
from collections.abc import Sequence
from uuid import UUID

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.utils import timezone

from apikeys.exchanges import client
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows import breaker, count_days, jobs, lease, leftovers, look_after, remind, revoke_overdue
from apikeys.flows.check import check
from apikeys.flows.sweep import sweep as work_on
from apikeys.models import ApiKey, Bot, Job
from notifications.bell import ring, ring_all, waiting

_SWEEPS = "sweeps"
# Lists that wait for a sweep worker, at most. Without one they would heap up in the broker.
_LISTS_WAITING = 200

# This process is to end: whoever works on a list gives back what is not under way.
_ending = threading.Event()

logger = logging.getLogger(__name__)


@worker_shutting_down.connect
def _wind_up(**_: object) -> None:
    _ending.set()


@shared_task(name="apikeys.check_key")
def check_key(key_id: str) -> str:
    """Ask the exchange about one key and carry out the decision. Safe to run twice."""
    return check(UUID(key_id), ask=client.ask)


@shared_task(name="apikeys.ring_due_checks")
def ring_due_checks() -> str:
    """Ring for every check that is due: paused ones, and those whose message or worker was lost."""
    due = ApiKey.objects.due(timezone.now()).order_by("check_due_at").values_list("pk", flat=True)
    return f"rang for {ring_all('apikeys.check_key', due)}"


@shared_task(name="apikeys.plan_sweeps")
def plan_sweeps() -> None:
    """Put keys in use whose check is due to work, in lists of one exchange. Safe to run twice at once."""
    waits = waiting(_SWEEPS)
    if waits is None:
        return  # the broker is away, and a lease without a message would only hold keys up
    for leased in lease.plan(timezone.now(), most=_LISTS_WAITING - waits):
        arguments = (leased.exchange, leased.claim.hex, [key_id.hex for key_id in leased.key_ids])
        try:
            # A thousand ids as text would fill the broker's memory.
            sweep.apply_async(args=arguments, compression="zlib")
        except Exception as error:  # whatever a transport raises; its message may quote the broker's password
            logger.warning("A list of keys was not taken by the broker: %s", type(error).__name__)
            lease.release(leased.claim)
            return


@shared_task(name="apikeys.sweep")
def sweep(exchange: str, claim: str, key_ids: Sequence[str]) -> str:
    """Check the keys of a list that are still leased under `claim`. Safe to run twice."""
    asked = work_on(
        exchange, UUID(claim), [UUID(key_id) for key_id in key_ids], ask_all=client.ask_all, ending=_ending
    )
    if asked:
        logger.info("%s: %d of %d keys in use were asked about", exchange, asked, len(key_ids))
    return f"asked about {asked} of {len(key_ids)}"


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


@shared_task(name="apikeys.revoke_overdue")
def revoke_overdue_keys() -> None:
    """Revoke active keys that kept a right to move money for too long. Safe to run twice at once."""
    revoke_overdue.revoke_overdue(timezone.now())


@shared_task(name="apikeys.wipe_leftovers")
def wipe_leftovers() -> str:
    """Look whether ended keys hold a secret: wiped then, with an alarm in the log. Safe to run twice."""
    return f"wiped {leftovers.wipe_leftovers()}"


@shared_task(name="apikeys.count_seals")
def count_seals() -> str:
    """Count the live keys of each seal key, for the figures."""
    numbers = look_after.count_seals()
    return ", ".join(f"{seal_id} {number}" for seal_id, number in sorted(numbers.items()))


@shared_task(name="apikeys.forget_old_checks")
def forget_old_checks() -> str:
    """Delete what exchanges answered long ago."""
    return f"deleted {look_after.forget_old_checks(timezone.now())}"


@shared_task(name="apikeys.forget_old_jobs")
def forget_old_jobs() -> str:
    """Delete acts on many rows that ended long ago, and before that which rows they were."""
    rows, whole = jobs.forget_old(timezone.now())
    return f"rows {rows}, jobs {whole}"
