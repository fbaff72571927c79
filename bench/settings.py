"""The product's settings, every time and size as in production. Only where files lie is its own.

So a run disturbs neither a demo nor the tests that are under way in the same folder.
"""

import os
from pathlib import Path

from tests.environment import prepare

prepare()
# The product reads its environment when it is imported, so it comes after.
from sequence_portal.settings import *  # noqa: E402, F403
from sequence_portal.settings import CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES, REDIS_URL  # noqa: E402

BENCH_DIR = Path(os.environ["PORTAL_TEST_DIR"])
STATIC_ROOT = BENCH_DIR / "static"

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, which the portal's processes share.
    DATABASES["default"]["TEST"] = {"NAME": str(BENCH_DIR / "portal.sqlite3")}

if not REDIS_URL:
    _BROKER = BENCH_DIR / "broker"
    for _name in ("queues", "processed", "control"):
        (_BROKER / _name).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS.update(
        data_folder_in=_BROKER / "queues",
        data_folder_out=_BROKER / "queues",
        control_folder=_BROKER / "control",
        processed_folder=_BROKER / "processed",
    )
