"""What `/metrics` says, who may read it, and that it names nobody."""

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts import audit, audit_chain
from accounts.audit_verbs import Verb
from accounts.models import AuditEvent, User
from apikeys import tasks, vault
from apikeys.models import ApiKey, Bot, ExchangeState, Handover
from apikeys.status import KeyStatus
from notifications import outbox
from notifications.kinds import MailKind
from notifications.models import Mail
from sequence_portal import backlogs
from telemetry import heartbeats, tallies
from telemetry.models import What
from telemetry.tallies import Counted
from tests.apikeys.rows import make_key
from tests.notifications.samples import CONTEXTS
from tests.stack import empty_broker

pytestmark = pytest.mark.django_db

# As many whatever there is to count, and however many exchanges there are.
STATEMENTS_AT_MOST = 5


def read(client: Client) -> dict[str, float]:
    lines = client.get("/metrics").content.decode().splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def test_it_says_how_everything_is(
    client: Client, alice: User, binance_bot: Bot, bybit_bot: Bot, settings: Settings
) -> None:
    now = timezone.now()
    empty_broker()
    current_app.send_task("telemetry.heartbeat", args=["sweeps", now.isoformat()], queue="sweeps")
    heartbeats.heard("checks", (now - timedelta(seconds=3)).isoformat(), "checks@here")
    tallies.count(
        Counted(What.CHECK, "binance", "accepted", number=2), Counted(What.MAIL, "welcome", "retry")
    )
    tallies.count(tallies.verdict(4), tallies.verdict(7200))
    due = now - timedelta(minutes=3)
    of_now = {"check_due_at": due, "seal_id": vault.newest_seal_id()}
    key = make_key(binance_bot, KeyStatus.CHECKING, "abcd", timedelta(0), **of_now)
    old = make_key(bybit_bot, KeyStatus.ACTIVE, "efgh", timedelta(0), seal_id="gone")
    ApiKey.objects.filter(pk=old.pk).update(check_due_at=now - timedelta(hours=3), revoke_at=due)
    Handover.objects.create(kind="key", key=key, envelope=b"x", created_at=now - timedelta(minutes=16))
    ExchangeState.objects.create(
        exchange="kraken",
        failures=9,
        failing_since=now - timedelta(hours=1),
        open_until=now + timedelta(minutes=2),
        clock_ahead_ms=-812,
    )
    kind = MailKind.PASSWORD_CHANGED
    outbox.send(kind, owner_id=alice.pk, to=alice.email, cause="one", context=CONTEXTS[kind])
    outbox.send(kind, owner_id=alice.pk, to=alice.email, cause="two", context=CONTEXTS[kind])
    Mail.objects.filter(cause="two").update(tries=9, created_at=now - timedelta(days=2))
    audit.record(Verb.SIGNED_IN, customer=alice, actor=alice)
    tasks.count_seals()

    seen = read(client)

    assert seen["portal_broker_up"] == 1
    assert seen['portal_queue_length{queue="sweeps"}'] == 1
    assert seen['portal_queue_length{queue="checks"}'] == 0
    assert seen['portal_worker_seen_seconds{queue="checks"}'] < 60
    assert seen['portal_worker_seen_seconds{queue="mail"}'] == float("inf")
    assert 3 <= seen['portal_queue_lag_seconds{queue="checks"}'] < 60
    assert seen['portal_checks_total{exchange="binance",result="accepted"}'] == 2
    assert seen['portal_mail_total{kind="welcome",result="retry"}'] == 1
    assert seen['portal_verdict_seconds_bucket{le="5"}'] == 1
    assert seen['portal_verdict_seconds_bucket{le="3600"}'] == 1
    assert (seen["portal_verdict_seconds_count"], seen["portal_verdict_seconds_sum"]) == (2, 7204)
    assert seen["portal_checks_waiting"] == 1
    assert 180 <= seen["portal_checks_waiting_oldest_seconds"] < 300
    assert seen['portal_rechecks_due{exchange="bybit"}'] == 1
    assert seen['portal_rechecks_due_oldest_seconds{exchange="bybit"}'] >= 3 * 3600
    assert seen["portal_revocations_due"] == 1
    assert (seen["portal_mail_waiting"], seen["portal_mail_untried"]) == (2, 1)
    assert seen["portal_mail_untried_oldest_seconds"] < 3600
    assert (seen["portal_handovers_pending"], seen["portal_handovers_late"]) == (1, 1)
    assert seen[f'portal_sealed_keys{{seal_key="{vault.newest_seal_id()}"}}'] == 1
    assert seen["portal_unknown_seals"] == 1
    assert seen["portal_unwiped_secrets_total"] == 0
    assert seen["portal_audit_unlinked"] == 1
    assert seen['portal_exchange_breaker_open{exchange="kraken"}'] == 1
    assert seen['portal_exchange_failing_seconds{exchange="kraken"}'] >= 3600
    assert seen['portal_clock_offset_seconds{exchange="kraken"}'] == -0.812

    audit_chain.link_committed()
    assert read(client)["portal_audit_unlinked"] == 0
    text = client.get("/metrics").content.decode()
    for named in (alice.email, "AliceDoe", str(key.pk), "abcd", "checks@here", "0x1A2"):
        assert named not in text


def test_it_counts_no_further_than_it_matters(
    client: Client, binance_bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlogs, "AT_MOST", 2)
    for number in range(3):
        audit_row = {"at": timezone.now(), "verb": Verb.SIGNED_IN, "actor_kind": "system"}
        audit.record_many([AuditEvent(**audit_row, bot_id=str(number))])
    with CaptureQueriesContext(connection) as statements:
        assert read(client)["portal_audit_unlinked"] == 2
    assert len(statements) <= STATEMENTS_AT_MOST


def test_it_says_that_the_broker_is_away(client: Client) -> None:
    used = current_app.conf.broker_url
    current_app.conf.update(broker_url="redis://127.0.0.1:1/0")
    try:
        seen: Any = read(client)
    finally:
        current_app.conf.update(broker_url=used)
    assert seen["portal_broker_up"] == 0
    assert 'portal_queue_length{queue="checks"}' not in seen


def test_it_counts_what_a_check_came_to(
    client: Client, binance_bot: Bot, settings: Settings, simulator: Any
) -> None:
    key = make_key(binance_bot, KeyStatus.CHECKING, "abcd", timedelta(0), seal_id="gone")
    ApiKey.objects.filter(pk=key.pk).update(check_due_at=timezone.now() - timedelta(seconds=1))
    assert tasks.check_key(str(key.pk)) == "retry"
    assert tasks.check_key(str(key.pk)) == "not due"
    assert read(client)['portal_checks_total{exchange="binance",result="unopened"}'] == 1


def test_it_shows_metrics_to_private_addresses_only_where_no_token_is_set(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="8.8.8.8").status_code == 404
    # Not known, as behind a socket; and through a proxy that the portal was not told of.
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "8.8.8.8"}).status_code == 404


def test_it_asks_for_the_token_where_one_is_set(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a-long-token"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer a-long-token"}).status_code == 200
