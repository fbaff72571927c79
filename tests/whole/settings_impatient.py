"""The settings of the tests with a broker that soon takes a busy worker for a dead one, and slow mail."""

from datetime import timedelta
from typing import Any

from tests.settings import *  # noqa: F403
from tests.settings import CELERY_BROKER_TRANSPORT_OPTIONS as PATIENT
from tests.settings import LOGGING as QUIET

CELERY_BROKER_TRANSPORT_OPTIONS = PATIENT | {
    "visibility_timeout": 2,
    "unacked_restore_interval": 0.5,
    "unacked_restore_throttle": 1,
}
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": 2}
CELERY_VISIBILITY_TIMEOUT = 2
EMAIL_TIMEOUT = 30
MAIL_CLAIM = timedelta(seconds=140)

# One line for each message that a worker is given.
_QUIET: dict[str, Any] = QUIET
LOGGING = _QUIET | {"loggers": _QUIET["loggers"] | {"celery.worker.strategy": {"level": "INFO"}}}
