"""The settings of the tests, with shorter pauses between the tries of what failed.

A pause only says how long a thing waits that has been put off already. Claims stay longer than what they
cover: a check takes 25 seconds at most, a mail twice `EMAIL_TIMEOUT` to open and four answers.
"""

from datetime import timedelta

from tests.settings import *  # noqa: F403
from tests.settings import CELERY_BEAT_SCHEDULE, STORAGES

CHECK_CLAIM = timedelta(seconds=27)
CHECK_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 3))
MAIL_PAUSES = CHECK_PAUSES
# So that lists are worked off while all else happens.
CELERY_BEAT_SCHEDULE["apikeys.plan_sweeps"]["schedule"] = timedelta(seconds=5)
# Nobody looks at pages here, and packing what they name takes ten seconds.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
