import pytest
from django.utils import timezone

from notifications.facts import freeze
from notifications.kinds import MailKind
from notifications.models import Mail
from tests.notifications.samples import CONTEXTS


@pytest.fixture
def mail() -> Mail:
    now = timezone.now()
    return Mail.objects.create(
        kind=MailKind.API_REFRESH,
        owner_id=7,
        to="alice@example.com",
        cause="api_refresh:1",
        subject="API refresh: 0x1A2 / JaneDoe / BTC-1",
        context=freeze(CONTEXTS[MailKind.API_REFRESH]),
        created_at=now,
        due_at=now,
    )
