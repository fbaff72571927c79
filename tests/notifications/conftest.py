import pytest
from django.utils import timezone

from notifications.kinds import MailKind
from notifications.models import Mail
from tests.notifications.worker import RENDERED


@pytest.fixture
def mail() -> Mail:
    now = timezone.now()
    return Mail.objects.create(
        kind=MailKind.API_REFRESH,
        owner_id=7,
        to="alice@example.com",
        cause="api_refresh:1",
        subject=RENDERED.subject,
        text=RENDERED.text,
        html=RENDERED.html,
        created_at=now,
        due_at=now,
    )
