"""The web process. It seals, and can open nothing."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from sequence_portal import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sequence_portal.settings")

if settings.SEAL_PRIVATE_KEYS:
    env.refuse("a web process must not hold SEAL_PRIVATE_KEYS. Give them to check and sweep workers only.")

application = get_wsgi_application()
