"""The site: settings, addresses, and the Celery application that every process shares."""

from sequence_portal.celery import app as celery_app

__all__ = ["celery_app"]
