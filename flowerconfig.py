"""Read by `celery -A sequence_portal flower` when it starts."""

from sequence_portal import custody

custody.of_the_web()
