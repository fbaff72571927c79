"""The batches of a job, each within the transaction and the lock of `jobs`, and each small enough to let
customers through in between.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from accounts.acts import By, NotPossibleError
from accounts.flows import resend_mail
from accounts.models import User
from accounts.roles import Act
from apikeys import transitions
from apikeys.flows.check_again import check_in_turn
from apikeys.flows.revoke import next_bots, revoke_of_bots, revoke_one
from apikeys.models import ApiKey, Bot, Job, JobItem
from notifications.models import Mail

logger = logging.getLogger(__name__)

# SQLite has no row locks: a transaction there waits for the one before.
SKIP = {"skip_locked": connection.features.has_select_for_update_skip_locked}
# Each row of a choice is a flow of its own, at some ten statements.
_ITEMS = 50
# Of all rows, not of one: the batch is rolled back and done again. A deadlock is among them.
_OF_THE_DATABASE = (OperationalError, InterfaceError)


def work(job: Job) -> bool:
    """Do the next batch, and note on `job` how far it is. True: it was the last one."""
    by = By(job.asked_by, job.asked_from, job.reason)
    return _next_bots(job, by) if job.act == Act.REVOKE_EXCHANGE else _next_items(job, by)


def _next_bots(job: Job, by: By) -> bool:
    assert job.started_at is not None  # noqa: S101 - it runs
    bots = next_bots(exchange=job.exchange, after=job.after)
    if not bots:
        return True
    try:
        with transaction.atomic():
            job.done += revoke_of_bots(bots, until=job.started_at, by=by)
    except _OF_THE_DATABASE:
        raise
    except Exception as error:
        _log(job, error)
        _bot_by_bot(job, bots, job.started_at, by)
    job.after = bots[-1]
    return False


def _bot_by_bot(job: Job, bots: Sequence[int], until: datetime, by: By) -> None:
    """A batch in which something is wrong, so that no more than that stays as it was."""
    for bot in bots:
        try:
            with transaction.atomic():
                job.done += revoke_of_bots([bot], until=until, by=by)
        except _OF_THE_DATABASE:
            raise
        except Exception as error:
            _log(job, error)
            keys = ApiKey.objects.live().filter(bot=bot, submitted_at__lte=until).values_list("pk", flat=True)
            failed = {"outcome": JobItem.Outcome.FAILED, "why": _why(error)}
            left = JobItem.objects.bulk_create(JobItem(job=job, row_id=key, **failed) for key in keys)
            job.skipped += len(left)


def _next_items(job: Job, by: By) -> bool:
    items = list(job.items.filter(outcome="").order_by("pk")[:_ITEMS])
    lock, do = _HOW[Act(job.act)]
    lock([item.row_id for item in items])
    for item in items:
        try:
            with transaction.atomic():
                do(item.row_id, By(by.actor, by.address, by.reason, item.seen))
        except _OF_THE_DATABASE:
            raise
        except NotPossibleError as reason:
            item.outcome, item.why = JobItem.Outcome.SKIPPED, str(reason)[:200]
            job.skipped += 1
        except Exception as error:
            _log(job, error)
            item.outcome, item.why = JobItem.Outcome.FAILED, _why(error)
            job.skipped += 1
        else:
            item.outcome = JobItem.Outcome.DONE
            job.done += 1
    JobItem.objects.bulk_update(items, ["outcome", "why"])
    return len(items) < _ITEMS


def _why(error: Exception) -> str:
    """The class alone: what an error says may quote the row."""
    return f"Something of ours went wrong: {type(error).__name__}."


def _log(job: Job, error: Exception) -> None:
    logger.error("Job %s: a row cannot be worked on: %s", job.pk, type(error).__name__)


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
