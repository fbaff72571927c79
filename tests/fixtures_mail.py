"""A real mail server for a test; import `mail_sink` into a conftest.py to use it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.mail_sink import MailSink


@pytest.fixture
def mail_sink(settings: Settings) -> Iterator[MailSink]:
    """A sink on a free port, to which this process sends by SMTP instead of pytest-django's own box."""
    with MailSink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.smtp_port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield sink
