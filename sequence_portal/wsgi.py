"""The web process. It seals, and can open nothing."""

import os

from django.core.wsgi import get_wsgi_application

from sequence_portal import custody

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sequence_portal.settings")

custody.of_the_web()

application = get_wsgi_application()
