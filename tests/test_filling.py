"""Invented rows are what the portal's own flows would have left."""

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.roles import Role
from apikeys import vault
from apikeys.desk.queues import queues
from apikeys.findings import Severity
from apikeys.models import ApiKey, Bot, Job
from apikeys.status import KeyStatus
from demo import filling
from notifications.models import Mail
from notifications.render import render_stored
from tests.conftest import make_staff

pytestmark = pytest.mark.django_db


def test_it_invents_customers_whose_keys_open_and_whose_mails_can_be_written() -> None:
    filling.fill(keys=300, customers=40)
    assert ApiKey.objects.count() == 300
    assert User.objects.exclude(client_id=None).count() == 40
    assert {KeyStatus.ACTIVE, KeyStatus.REFUSED, KeyStatus.RETIRED} <= set(
        ApiKey.objects.values_list("status", flat=True)
    )
    for key in ApiKey.objects.live().select_related("bot"):
        opened = vault.open_sealed(
            *(bytes(key.sealed or b""), key.seal_id),
            key_id=key.pk,
            bot_id=key.bot.bot_id,
            exchange=key.bot.exchange,
        )
        assert opened.api_key.endswith(key.last_four)
    # One of each kind is enough: mails of a kind come from one place.
    for mail in {mail.kind: mail for mail in Mail.objects.stored()}.values():
        assert "{" not in mail.subject + render_stored(mail).text


def test_it_goes_on_counting_behind_what_it_wrote(alice: User) -> None:
    filling.fill(keys=5, customers=2, sealed=False)
    filling.fill(keys=5, customers=2, sealed=False, seed=2)
    bot = Bot.objects.create(
        bot_id="0x1A2 / AliceDoe / BTC-1", customer=alice, exchange="binance", market="spot"
    )
    assert Bot.objects.latest("pk") == bot


def test_it_leaves_something_in_every_queue_of_the_front_page(settings: Settings) -> None:
    settings.ENGINE_PUBLIC_KEYS = "configured"
    filling.fill(keys=300, customers=40, sealed=False)
    lead = make_staff(Role.LEAD)
    waiting = {str(queue.name): queue.number for queue in queues(lead, timezone.now())}
    assert [name for name, number in waiting.items() if not number] == []
    for key in ApiKey.objects.exclude(problem=""):
        since = key.problem_since
        assert since
        assert key.activated_at
        assert since >= key.activated_at
        assert key.problem_mailed_at
        assert any(finding.severity == Severity.REFUSE for finding in key.findings)
        assert Mail.objects.filter(cause__startswith=f"api_problem:{key.pk}:{key.problem}:").count() == 1
    assert Job.objects.running().get().items.exclude(outcome="").exists()
    assert ApiKey.objects.filter(
        status=KeyStatus.REFUSED, findings_json__0__code="exchange_unavailable"
    ).exists()
