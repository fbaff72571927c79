"""Alive, and ready: what strangers are told, what insiders are, and that neither waits for what is away.

Rows are committed, since the look is made beside the request, with a connection of its own.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from django.utils import timezone

from sequence_portal import readiness
from telemetry import heartbeats
from telemetry.models import Heartbeat

pytestmark = pytest.mark.django_db(transaction=True)

STRANGER = "8.8.8.8"
ALL_WELL = {"status": "ready", "database": True, "migrations": True, "worker": True, "broker": True}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine may be busy with other tests; what is told does not depend on how long is waited."""
    monkeypatch.setattr(readiness, "PATIENCE", 10)
    monkeypatch.setattr(readiness, "_migrated", False)


@pytest.fixture
def worker() -> None:
    heartbeats.heard("chores", heartbeats.now_in_words(), "chores@here")


@contextmanager
def broker_at(url: str) -> Iterator[None]:
    used = current_app.conf.broker_url
    current_app.conf.update(broker_url=url)
    try:
        yield
    finally:
        current_app.conf.update(broker_url=used)


def ready(client: Client, address: str = "127.0.0.1") -> tuple[int, dict[str, Any]]:
    answer = client.get("/readyz", REMOTE_ADDR=address)
    return answer.status_code, answer.json()


def test_it_is_alive_without_asking_anything(client: Client) -> None:
    with broker_at("redis://127.0.0.1:1/0"):
        assert client.get("/healthz").json() == {"status": "alive"}


def test_it_is_ready_and_tells_strangers_no_more_than_that(client: Client, worker: None) -> None:
    assert ready(client, STRANGER) == (200, {"status": "ready"})
    assert ready(client) == (200, ALL_WELL)


def test_it_is_not_ready_without_a_worker_seen_lately(client: Client, worker: None) -> None:
    Heartbeat.objects.update(seen_at=timezone.now() - heartbeats.LATELY - timedelta(seconds=1))
    assert ready(client, STRANGER) == (503, {"status": "not ready"})
    assert ready(client) == (503, ALL_WELL | {"status": "not ready", "worker": False})


def test_it_is_not_ready_without_a_broker(client: Client, worker: None) -> None:
    with broker_at("redis://127.0.0.1:1/0"):
        assert ready(client) == (503, ALL_WELL | {"status": "not ready", "broker": False})


def test_it_is_not_ready_before_its_migrations_and_asks_no_more_after_them(
    client: Client, worker: None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET name = name || '!' WHERE app = 'telemetry'")
    assert ready(client)[1]["migrations"] is False
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET name = replace(name, '!', '') WHERE app = 'telemetry'")
    assert ready(client) == (200, ALL_WELL)
    assert readiness._migrated


def test_it_answers_while_a_silent_broker_is_still_being_waited_for(
    client: Client, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PATIENCE", 0.15)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with broker_at(f"amqp://127.0.0.1:{silent.getsockname()[1]}//"):
            status, told = ready(client)
            look = readiness.look()
            assert look is readiness._latest
        assert (status, told["status"]) == (503, "not ready")
    # The server has hung up, so the look that was begun ends.
    assert look.done.wait(30)
    assert not look.ready
