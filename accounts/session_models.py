"""Rows of sessions, of the browsers they were opened in, and of what limits count without Redis."""

import hashlib
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class KnownBrowser(models.Model):
    """A browser in which a person has signed in before. It opens nothing: its next sign-in is not mailed."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)  # SHA-256 of the mark that only the browser holds
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # signed in last

    class Meta:
        constraints = [models.UniqueConstraint("user", "digest", name="one_row_per_person_and_browser")]


class Session(AbstractBaseSession):
    """Django's session with whose it is. `session_key` is a digest: who reads the table opens no session."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    # A browser that is forgotten is signed out with it.
    browser = models.ForeignKey(KnownBrowser, models.CASCADE, null=True, related_name="+")
    device = models.CharField(max_length=60, blank=True)  # in words, such as "Firefox on Windows"
    address = models.GenericIPAddressField(null=True)
    signed_in_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta(AbstractBaseSession.Meta):
        abstract = False

    @classmethod
    def get_session_store_class(cls) -> Any:
        return import_module(settings.SESSION_ENGINE).SessionStore

    @staticmethod
    def digest_of(session_key: str) -> str:
        """What the table holds in place of a key: 160 bits of its SHA-256, the width of Django's column."""
        return hashlib.sha256(session_key.encode()).hexdigest()[:40]


class LimitCount(models.Model):
    """One counter of `accounts.limits` where there is no Redis, shared by all processes."""

    key = models.CharField(max_length=100, primary_key=True)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)
