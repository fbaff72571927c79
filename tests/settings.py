"""The product's settings with a place of their own for what is embedded, and shorter waits.

Times only: what a worker does when its claim ends is the same after two seconds as after thirty, and what is
right or wrong of a password is the same after a millisecond of hashing as after a tenth of a second.
"""

import os
from datetime import timedelta
from pathlib import Path

from tests.environment import prepare

prepare()
# The product reads its environment when it is imported, so it comes after.
from sequence_portal.settings import *  # noqa: E402, F403
from sequence_portal.settings import (  # noqa: E402
    CELERY_BEAT_SCHEDULE,
    CELERY_BROKER_TRANSPORT_OPTIONS,
    DATABASES,
    INSTALLED_APPS,
    REDIS_URL,
)

# For a `flush` that works in spite of the triggers of append-only tables.
INSTALLED_APPS.append("tests")

TEST_DIR = Path(os.environ["PORTAL_TEST_DIR"])
STATIC_ROOT = TEST_DIR / "static"

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, so that processes started by a test share the database of the test.
    DATABASES["default"]["TEST"] = {"NAME": str(TEST_DIR / "portal.sqlite3")}

if not REDIS_URL:
    _BROKER = TEST_DIR / "broker"
    for _name in ("queues", "processed", "control"):
        (_BROKER / _name).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS.update(
        data_folder_in=_BROKER / "queues",
        data_folder_out=_BROKER / "queues",
        control_folder=_BROKER / "control",
        processed_folder=_BROKER / "processed",
    )

PASSWORD_HASHERS = ["tests.hashers.QuickArgon2"]
CHECK_CLAIM = timedelta(seconds=12)
EMAIL_TIMEOUT = 2
MAIL_CLAIM = timedelta(seconds=10)  # two seconds to reach the server, and four answers
LOOK_AGAIN = timedelta(seconds=1)
for _name, _entry in CELERY_BEAT_SCHEDULE.items():
    if "ring_" in _name:
        _entry["schedule"] = LOOK_AGAIN
