"""Acts on many rows.

choose ▶ start ▶ (worker: work, batch after batch) ▶ done        rows chosen from a list
choose ▶ ask_for_chosen ▶ approve, as below                      keys to revoke, more than one lead ends alone
ask ▶ approve, by a second lead ▶ (worker: work) ▶ done          all keys of an exchange
      turn_down                    stop at any time
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from accounts import audit
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from accounts.models import User
from accounts.roles import Act, may
from apikeys.flows import job_batches
from apikeys.models import ALONE_MAX, ApiKey, Job, JobItem
from notifications.bell import ring_on_commit
from telemetry import pruning

Status = Job.Status
# More are no choice of a person any more. All keys of an exchange end by an act of its own.
CHOSEN_MAX = 10_000


@transaction.atomic
def choose(*, act: Act, rows: Iterable[tuple[UUID, str]], actor: User, address: str) -> Job:
    """Keep which rows an act is meant for, each with what was seen of it. Raises NotPossibleError."""
    items = [JobItem(row_id=row_id, seen=seen) for row_id, seen in rows]
    if len(items) > CHOSEN_MAX:
        raise NotPossibleError(f"At most {CHOSEN_MAX:,} rows can be chosen at once.")
    job = Job.objects.create(
        act=act,
        status=Status.CHOSEN,
        asked_by=actor,
        asked_at=timezone.now(),
        asked_from=address,
        total=len(items),
    )
    for item in items:
        item.job = job
    JobItem.objects.bulk_create(items, batch_size=1000)
    return job


@transaction.atomic
def start(*, job_id: UUID, by: By) -> None:
    """Begin with what the same person chose. Raises NotPossibleError."""
    job = _own_choice(job_id, by)
    # Two choices that are started in one moment count one after the other.
    list(User.objects.select_for_update(no_key=True).filter(pk=by.actor.pk).only("pk"))
    if takes_two(job):
        raise NotPossibleError(f"One lead alone ends {ALONE_MAX} chosen keys an hour. Ask a second lead.")
    job.reason, job.asked_from = by.reason, by.address
    _run(job, by)


@transaction.atomic
def ask_for_chosen(*, job_id: UUID, by: By) -> None:
    """Ask for a second lead to end what the same person chose. Raises NotPossibleError."""
    job = _own_choice(job_id, by)
    if not takes_two(job):
        raise NotPossibleError("This takes no second lead by now. Start it.")
    job.status, job.reason, job.asked_at, job.asked_from = Status.ASKED, by.reason, timezone.now(), by.address
    job.save()
    _record(Verb.JOB_ASKED, job, by)


def takes_two(job: Job) -> bool:
    """Whether it ends more keys than one lead ends alone, with those started within the hour."""
    if job.act != Act.REVOKE_CHOSEN:
        return False
    lately = Job.objects.filter(act=Act.REVOKE_CHOSEN).started_alone(
        job.asked_by, timezone.now() - settings.CHOSEN_COUNT_FOR
    )
    before: int = lately.aggregate(keys=Sum("total", default=0))["keys"]
    return before + job.total > ALONE_MAX


def chosen_at(job: Job) -> list[tuple[str, int]]:
    """How many of the chosen keys are at which exchange, by its id; most first."""
    keys = ApiKey.objects.filter(pk__in=job.items.values("row_id"))
    counted = keys.values_list("bot__exchange").annotate(number=Count("pk"))
    return list(counted.order_by("-number", "bot__exchange"))


@transaction.atomic
def ask(*, exchange: str, by: By) -> Job:
    """Ask for a second lead to end every key of an exchange. Raises NotPossibleError."""
    try:
        with transaction.atomic():
            job = Job.objects.create(
                act=Act.REVOKE_EXCHANGE,
                exchange=exchange,
                status=Status.ASKED,
                reason=by.reason,
                asked_by=by.actor,
                asked_at=timezone.now(),
                asked_from=by.address,
                total=ApiKey.objects.live_at(exchange).count(),
            )
    except IntegrityError:
        raise NotPossibleError("This is asked for, or under way, already.") from None
    _record(Verb.JOB_ASKED, job, by)
    return job


@transaction.atomic
def approve(*, job_id: UUID, by: By) -> None:
    """By a second lead, within the hour. Raises NotPossibleError."""
    job = _locked(job_id, Status.ASKED)
    if job.asked_by_id == by.actor.pk:
        raise NotPossibleError("You asked for this, so another lead has to approve it.")
    if not (job.asked_by.is_active and may(job.asked_by, Act(job.act))):
        raise NotPossibleError("Who asked for this is no lead any more.")
    if job.exchange:
        job.total = ApiKey.objects.live_at(job.exchange).count()
    _run(job, by)


@transaction.atomic
def turn_down(*, job_id: UUID, by: By) -> None:
    """By any lead, who asked for it included. Raises NotPossibleError."""
    _end(_locked(job_id, Status.ASKED), Status.TURNED_DOWN, Verb.JOB_TURNED_DOWN, by)


@transaction.atomic
def stop(*, job_id: UUID, by: By) -> None:
    """Once this returns nothing more is done: it waits for the batch in hand. Raises NotPossibleError."""
    _end(_locked(job_id, Status.RUNNING), Status.STOPPED, Verb.JOB_STOPPED, by)


def work(job_id: UUID, *, goes_on: Callable[[], bool]) -> None:
    """Batch after batch, for as long as `goes_on` says. Safe to run at any time and several times at once."""
    while goes_on() and _work_one(job_id):
        pass


@transaction.atomic
def _work_one(job_id: UUID) -> bool:
    """One batch. False: nothing is left, it was stopped, or another worker has it at this moment."""
    running = Job.objects.running().filter(pk=job_id)
    job = running.select_for_update(of=("self",), **job_batches.SKIP).select_related("asked_by").first()
    now = timezone.now()
    if job is None or _is_too_late(job, now):
        return False
    if not may(job.asked_by, Act(job.act)):
        _end(job, Status.STOPPED, Verb.JOB_STOPPED, None, "Who asked for this may not do it any more.")
        return False
    job.begun_at = job.begun_at or now
    is_last = job_batches.work(job)
    if is_last:
        _end(job, Status.DONE, Verb.JOB_ENDED, None)
    job.save()
    return not is_last


def expire(now: datetime) -> None:
    """End what nobody started, approved or began in time. What was only chosen is forgotten."""
    for job_id in Job.objects.too_late(now).values_list("pk", flat=True):
        with transaction.atomic():
            late = Job.objects.too_late(now).select_for_update(of=("self",)).filter(pk=job_id).first()
            if late is not None and late.status == Status.CHOSEN:
                late.delete()
            elif late is not None:
                _end(late, Status.EXPIRED, Verb.JOB_EXPIRED, None)


def forget_old(now: datetime) -> tuple[int, int]:
    """Delete the rows of jobs, and jobs, that ended long ago; gives how many of each. The events stay."""
    rows = JobItem.objects.filter(job__ended_at__lt=now - settings.JOB_ROWS_KEPT)
    gone = pruning.delete(rows)
    # Without rows of their own by now, or nearly: what belongs to them would go in one statement.
    return gone, pruning.delete(Job.objects.filter(ended_at__lt=now - settings.JOBS_KEPT, items=None))


def expires_at(job: Job) -> datetime | None:
    """When it ends by itself if nothing happens; None where it has begun, or is over."""
    if job.status not in Job.OPEN or job.begun_at is not None:
        return None
    return (job.started_at or job.asked_at) + settings.APPROVE_WITHIN


def _is_too_late(job: Job, now: datetime) -> bool:
    until = expires_at(job)
    return until is not None and until <= now


def _locked(job_id: UUID, status: Status) -> Job:
    job = Job.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=job_id)
    if job.status != status:
        raise NotPossibleError(f"This has moved on: {job.get_status_display().lower()}.")
    if status != Status.RUNNING and _is_too_late(job, timezone.now()):
        raise NotPossibleError("This was asked for more than an hour ago. Begin again.")
    return job


def _own_choice(job_id: UUID, by: By) -> Job:
    job = _locked(job_id, Status.CHOSEN)
    if job.asked_by_id != by.actor.pk:
        raise NotPossibleError("Somebody else chose these rows. Choose your own.")
    return job


def _run(job: Job, by: By) -> None:
    job.status, job.started_by, job.started_at = Status.RUNNING, by.actor, timezone.now()
    job.save()
    _record(Verb.JOB_STARTED, job, by)
    ring_on_commit("apikeys.work_job", str(job.pk))


def _end(job: Job, status: Status, verb: Verb, by: By | None, why: str = "") -> None:
    """why: where the portal ends it, and not `by`."""
    job.status, job.ended_at = status, timezone.now()
    job.stopped_by = by.actor if by else None
    if job.exchange and status in (Status.DONE, Status.STOPPED):
        job.live_after = ApiKey.objects.live_at(job.exchange).count()
    job.save()
    _record(verb, job, by, why)


def _record(verb: Verb, job: Job, by: By | None, why: str = "") -> None:
    """Of the job as a whole; what happens to each row is an event of its own."""
    audit.record(
        verb,
        customer=None,
        actor=by.actor if by else None,
        address=by.address if by else None,
        act=job.get_act_display(),
        job=str(job.pk),
        exchange=job.exchange,
        reason=by.reason if by else why,
        total=str(job.total),
        done=str(job.done),
        skipped=str(job.skipped),
    )
