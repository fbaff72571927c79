"""The batches of a job, each within the transaction and the lock of `jobs`, and each small enough to let
customers through in between.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import connection

from accounts.acts import By, NotPossibleError
from accounts.flows import resend_mail
from accounts.models import User
from accounts.roles import Act
from apikeys import transitions
from apikeys.flows.check_again import check_in_turn
from apikeys.flows.revoke import revoke_batch, revoke_one
from apikeys.models import Bot, Job, JobItem
from notifications.models import Mail

# SQLite has no row locks: a transaction there waits for the one before.
SKIP = {"skip_locked": connection.features.has_select_for_update_skip_locked}
# Each row of a choice is a flow of its own, at some ten statements.
_ITEMS = 50


def work(job: Job) -> bool:
    """Do the next batch, and note on `job` how far it is. True: it was the last one."""
    by = By(job.asked_by, job.asked_from, job.reason)
    return _next_bots(job, by) if job.act == Act.REVOKE_EXCHANGE else _next_items(job, by)


def _next_bots(job: Job, by: By) -> bool:
    assert job.started_at is not None  # noqa: S101 - it runs
    batch = revoke_batch(exchange=job.exchange, after=job.after, until=job.started_at, by=by)
    job.done += batch.number
    job.after = job.after if batch.after is None else batch.after
    return batch.after is None


def _next_items(job: Job, by: By) -> bool:
    items = list(job.items.filter(outcome="").order_by("pk")[:_ITEMS])
    lock, do = _HOW[Act(job.act)]
    lock([item.row_id for item in items])
    for item in items:
        try:
            do(item.row_id, By(by.actor, by.address, by.reason, item.seen))
        except NotPossibleError as reason:
            item.outcome, item.why = JobItem.Outcome.SKIPPED, str(reason)[:200]
            job.skipped += 1
        else:
            item.outcome = JobItem.Outcome.DONE
            job.done += 1
    JobItem.objects.bulk_update(items, ["outcome", "why"])
    return len(items) < _ITEMS


def _lock_bots(key_ids: Sequence[UUID]) -> None:
    transitions.lock_bots(Bot.objects.filter(keys__in=key_ids).values_list("pk", flat=True))


def _lock_owners(mail_ids: Sequence[UUID]) -> None:
    owners = Mail.objects.filter(pk__in=mail_ids).values("owner_id")
    list(User.objects.select_for_update(no_key=True).filter(pk__in=owners).order_by("pk").only("pk"))


def _check(key_id: UUID, by: By) -> None:
    check_in_turn(key_id=key_id, by=by)


def _revoke(key_id: UUID, by: By) -> None:
    revoke_one(key_id=key_id, by=by)


def _resend(mail_id: UUID, by: By) -> None:
    mail = Mail.objects.filter(pk=mail_id).first()
    if mail is None:
        raise NotPossibleError("This mail is gone.")
    resend_mail.resend(mail=mail, by=by)


# What to lock first, all in one order against deadlocks, and what to do with each row.
_HOW: dict[Act, tuple[Callable[[Sequence[UUID]], None], Callable[[UUID, By], None]]] = {
    Act.CHECK_KEY: (_lock_bots, _check),
    Act.REVOKE_CHOSEN: (_lock_bots, _revoke),
    Act.RESEND_MAIL: (_lock_owners, _resend),
}
