"""Invented rows are what the portal's own flows would have left."""

import pytest

from accounts.models import User
from apikeys import vault
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from demo import filling
from notifications.models import Mail
from notifications.render import render_stored

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
