"""Who may read the metrics, and what they say of the engine."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apikeys.models import ApiKey, Bot, Handover
from apikeys.status import KeyStatus

pytestmark = pytest.mark.django_db


def test_it_counts_hand_overs_that_wait_and_that_wait_too_long(client: Client, binance_bot: Bot) -> None:
    now = timezone.now()
    key = ApiKey.objects.create(
        bot=binance_bot,
        status=KeyStatus.READY,
        last_four="abcd",
        fingerprint="x",
        sealed=b"x",
        submitted_at=now,
    )
    Handover.objects.create(kind="key", key=key, envelope=b"x", created_at=now - timedelta(minutes=16))
    lines = client.get("/metrics").content.decode().splitlines()
    assert "portal_handovers_pending 1.0" in lines
    assert "portal_handovers_late 1.0" in lines


def test_it_shows_metrics_to_private_addresses_only_where_no_token_is_set(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="8.8.8.8").status_code == 404


def test_it_asks_for_the_token_where_one_is_set(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a-long-token"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer a-long-token"}).status_code == 200
