"""What the runbook says of a seal key that nobody has any more."""

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from apikeys.vault import generate_pair
from notifications.models import Mail
from tests.apikeys.test_hand_over import checked, hand_over
from tests.exchange_simulator.simulator import Simulator


@pytest.mark.django_db
def test_it_takes_new_keys_after_one_is_lost_and_ends_what_is_left_under_it(
    as_alice: Client, binance_bot: Bot, bybit_bot: Bot, simulator: Simulator, settings: Settings
) -> None:
    refreshed = checked(hand_over(as_alice, bybit_bot, "old"))
    left = checked(hand_over(as_alice, binance_bot, "good"))
    lost = left.seal_id
    settings.SEAL_PRIVATE_KEYS, settings.SEAL_PUBLIC_KEYS = generate_pair()

    new = checked(hand_over(as_alice, bybit_bot, "good"))
    assert (new.status, new.seal_id != lost) == (KeyStatus.ACTIVE, True)
    refreshed.refresh_from_db()
    assert refreshed.status == KeyStatus.RETIRED

    Mail.objects.all().delete()
    call_command("revoke_keys", "--seal-id", lost, "--yes")
    assert list(ApiKey.objects.live()) == [new]
    left.refresh_from_db()
    assert (left.status, left.sealed) == (KeyStatus.REVOKED, None)
    assert Mail.objects.count() == 1, "its customer is told"
