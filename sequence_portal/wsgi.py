"""The web process. It seals, and can open nothing."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from sequence_portal import env
from sequence_portal.celery import refuse_unusable_seal_keys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sequence_portal.settings")

if settings.SEAL_PRIVATE_KEYS:
    env.refuse("a web process must not hold SEAL_PRIVATE_KEYS. Give them to check and sweep workers only.")

refuse_unusable_seal_keys()

application = get_wsgi_application()
