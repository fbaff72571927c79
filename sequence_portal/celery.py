"""The Celery application. Tasks and the broker carry row ids only."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, setup_logging
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

from apikeys import vault
from sequence_portal import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sequence_portal.settings")
# The embedded broker, in place of the one of kombu that it mends.
TRANSPORT_ALIASES["filesystem"] = "sequence_portal.broker:Transport"

app = Celery("sequence_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Queues whose workers open sealed secrets. No other process may hold a private seal key.
QUEUES_THAT_OPEN_SECRETS = frozenset({"checks", "sweeps"})


@setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """Being connected is enough: Celery then leaves the logging of the settings alone."""


@celeryd_init.connect
def hold_private_keys_where_they_belong(options: dict[str, Any], **_: Any) -> None:
    """A worker starts only with the seal keys that its queues call for."""
    named = options.get("queues") or ()
    queues = set(named.split(",") if isinstance(named, str) else named)
    if queues & QUEUES_THAT_OPEN_SECRETS and not settings.SEAL_PRIVATE_KEYS:
        env.refuse("this worker checks keys and needs SEAL_PRIVATE_KEYS.")
    if not queues or queues - QUEUES_THAT_OPEN_SECRETS:
        refuse_private_seal_keys()
    refuse_unusable_seal_keys()


@beat_init.connect
def refuse_private_seal_keys(**_: Any) -> None:
    """For every process that serves, but workers of the queues that open secrets."""
    if settings.SEAL_PRIVATE_KEYS:
        env.refuse("SEAL_PRIVATE_KEYS belongs to workers of the queues checks and sweeps only (-Q checks).")


def refuse_unusable_seal_keys() -> None:
    """A key with a typing error must end the start, not the first submission."""
    try:
        vault.check_keys()
    except vault.SealError as error:
        env.refuse(str(error))
