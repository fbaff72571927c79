"""Workers that are seen."""

from datetime import timedelta
from typing import Any

import pytest
from celery.beat import BeatLazyFunc
from django.conf import settings
from django.utils import timezone

from sequence_portal.celery import app
from telemetry import heartbeats
from telemetry.models import Heartbeat
from telemetry.tasks import heartbeat

pytestmark = pytest.mark.django_db


def test_it_writes_down_who_took_a_heartbeat_and_how_long_it_lay() -> None:
    assert not heartbeats.seen_lately(timezone.now())
    sent_at = (timezone.now() - timedelta(seconds=4)).isoformat()
    told = heartbeat.apply(("checks", sent_at)).get()
    assert told.startswith("lay 4.")
    row = Heartbeat.objects.get()
    assert (row.queue, round(row.lay_seconds)) == ("checks", 4)
    assert heartbeats.seen_lately(timezone.now())
    assert not heartbeats.seen_lately(timezone.now() + heartbeats.LATELY)
    # A clock ahead of ours makes no time that is less than none.
    heartbeats.heard("checks", (timezone.now() + timedelta(seconds=9)).isoformat(), "w")
    assert Heartbeat.objects.get().lay_seconds == 0


def test_it_keeps_no_row_of_a_queue_that_is_none() -> None:
    with pytest.raises(ValueError, match="No queue"):
        heartbeats.heard("<b>", heartbeats.now_in_words(), "w")


def test_it_sends_one_to_each_queue_and_tells_the_time_of_sending() -> None:
    entries: Any = [e for e in settings.CELERY_BEAT_SCHEDULE.values() if e["task"] == "telemetry.heartbeat"]
    assert [entry["options"]["queue"] for entry in entries] == list(settings.QUEUES)
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)
    queue, sent_at = entries[0]["args"]
    assert isinstance(sent_at, BeatLazyFunc)
    heartbeats.heard(queue, sent_at(), "w")
    assert Heartbeat.objects.get().lay_seconds < 5
