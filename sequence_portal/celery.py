"""The Celery application. Tasks and the broker carry row ids only."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, setup_logging, task_postrun, task_prerun, worker_ready
from kombu.transport import TRANSPORT_ALIASES

from sequence_portal import alive, custody, env, logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sequence_portal.settings")
# The embedded broker and Redis, in place of those of kombu that they mend.
TRANSPORT_ALIASES["filesystem"] = "sequence_portal.broker:Transport"
TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = "sequence_portal.redis_broker:Transport"

SWEEPS = "sweeps"
# How far a sweep worker steps back for the other processes of its machine. It is busy while nobody waits, and
# would else take processor time from the web and the check workers.
SWEEP_NICENESS = 10

app = Celery("sequence_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

worker_ready.connect(alive.touch_from_the_loop_of_the_worker)
beat_init.connect(alive.touch_as_beat_rings)


@setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """Being connected is enough: Celery then leaves the logging of the settings alone."""


@task_prerun.connect
def bind_task(task_id: str, **_: Any) -> None:
    logs.task_id.set(task_id)


@task_postrun.connect
def unbind_task(**_: Any) -> None:
    logs.task_id.set("")


@celeryd_init.connect
def prepare_for_the_queues(options: dict[str, Any], **_: Any) -> None:
    named = options.get("queues") or ()
    queues = frozenset(named.split(",") if isinstance(named, str) else named)
    custody.of_a_worker(queues)
    let_people_go_first(queues)


def let_people_go_first(queues: frozenset[str]) -> None:
    """A sweep keeps a worker for a minute, and no person may wait behind that."""
    if SWEEPS not in queues:
        return
    if len(queues) > 1:
        env.refuse("the queue sweeps needs workers of its own (-Q sweeps), or people would wait for sweeps.")
    os.nice(SWEEP_NICENESS)


@beat_init.connect
def hold_no_private_keys(**_: Any) -> None:
    custody.leave_no_core_dump()
    custody.refuse_private_seal_keys()
