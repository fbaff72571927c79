"""The page for the wall: calm while all is well, and says in words what is not."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from apikeys.models import ExchangeState
from notifications.kinds import MailKind
from notifications.models import Mail
from telemetry import heartbeats, tallies
from telemetry.models import Heartbeat, What
from telemetry.tallies import Counted
from tests.conftest import make_staff, signed_in

pytestmark = pytest.mark.django_db


def test_it_says_that_all_is_well_and_what_is_not() -> None:
    desk = signed_in(make_staff(Role.OPERATIONS))
    assert "nobody ever worked on it" in desk.get("/admin/wallboard/").content.decode()
    for queue in settings.QUEUES:
        heartbeats.heard(queue, heartbeats.now_in_words(), "w")
    tallies.count(Counted(What.CHECK, "bybit", "accepted", number=41), tallies.verdict(4))
    assert desk.get("/admin/wallboard/")["Refresh"] == "15"
    assert "Refresh" not in desk.get("/admin/wallboard/?still=1")
    with CaptureQueriesContext(connection) as statements:
        page = desk.get("/admin/wallboard/").content.decode()
    assert len(statements) <= 15
    assert "All is well" in page
    assert "41 answered" in page
    assert re.search(r"<dt>Verdicts</dt><dd[^>]*>5.0 s<", page)

    now = timezone.now()
    put_off = {"owner_id": 1, "tries": 9, "created_at": now - timedelta(days=2), "due_at": now}
    Mail.objects.create(kind=MailKind.WELCOME, cause="one", **put_off)
    assert "All is well" in desk.get("/admin/wallboard/").content.decode()
    tallies.count(Counted(What.MAIL, "welcome", "unsent"))
    assert "no server takes any" in desk.get("/admin/wallboard/").content.decode()
    tallies.count(Counted(What.MAIL, "welcome", "accepted"))
    assert "All is well" in desk.get("/admin/wallboard/").content.decode()

    Heartbeat.objects.filter(queue="mail").update(seen_at=timezone.now() - timedelta(minutes=7))
    away = {"failures": 9, "open_until": timezone.now() + timedelta(minutes=3)}
    ExchangeState.objects.create(exchange="kraken", **away)
    page = desk.get("/admin/wallboard/").content.decode()
    assert "1 to look at: Queue: Mail" in page
    assert "nobody works on it, for 7 min" in page
    assert '<div class="tile" data-tone="warn"><dt>Exchanges away</dt>' in page
