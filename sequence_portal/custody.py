"""Which process holds which secret. One that was given more, or less, than its share does not start."""

import resource

from django.conf import settings

from apikeys import vault
from sequence_portal import env

# Queues whose workers open sealed secrets. No other process may hold a private seal key.
QUEUES_THAT_OPEN_SECRETS = frozenset({"checks", "sweeps"})
# The queue whose workers link the audit events.
QUEUE_THAT_LINKS = "chores"


def leave_no_core_dump() -> None:
    """A process that dies would else write its memory, with what it had opened, to the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def of_the_web() -> None:
    """For what answers browsers: the portal itself and Flower."""
    leave_no_core_dump()
    if settings.SEAL_PRIVATE_KEYS:
        env.refuse(
            "a web process must not hold SEAL_PRIVATE_KEYS. They belong to check and sweep workers only."
        )
    if settings.AUDIT_KEY:
        env.refuse("a web process must not hold AUDIT_KEY. It belongs to workers of the queue chores only.")
    refuse_unusable_seal_keys()


def of_a_worker(queues: frozenset[str]) -> None:
    """For a Celery worker; without any named queue it works on the default one."""
    leave_no_core_dump()
    queues = queues or frozenset({str(settings.CELERY_TASK_DEFAULT_QUEUE)})
    if queues & QUEUES_THAT_OPEN_SECRETS and not settings.SEAL_PRIVATE_KEYS:
        env.refuse("this worker checks keys and needs SEAL_PRIVATE_KEYS.")
    if queues - QUEUES_THAT_OPEN_SECRETS:
        refuse_private_seal_keys()
    if QUEUE_THAT_LINKS in queues and not settings.AUDIT_KEY:
        env.refuse(
            "this worker needs AUDIT_KEY, to link the audit events. Give 32 random characters or more."
        )
    refuse_unusable_seal_keys()


def refuse_private_seal_keys() -> None:
    if settings.SEAL_PRIVATE_KEYS:
        env.refuse(
            "SEAL_PRIVATE_KEYS belongs to workers of the queues checks and sweeps only"
            " (-Q checks or -Q sweeps)."
        )


def refuse_unusable_seal_keys() -> None:
    """A key with a typing error must end the start, not the first submission."""
    try:
        vault.check_keys()
    except vault.SealError as error:
        env.refuse(str(error))
