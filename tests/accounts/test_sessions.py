"""How long a session lasts."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import sessions
from apikeys.models import Bot

pytestmark = pytest.mark.django_db


def prove_anew(client: Client) -> None:
    """As the page that asks for a fresh code leaves it."""
    session = client.session
    sessions.proved(session)
    session.save()


def is_in(client: Client, at: datetime, path: str = "/", **headers: str) -> bool:
    with time_machine.travel(at, tick=False):
        return client.get(path, headers=headers).status_code == 200


def test_it_ends_a_session_after_an_hour_without_a_visit(as_alice: Client) -> None:
    begun = timezone.now()
    assert is_in(as_alice, begun + timedelta(minutes=59))
    assert is_in(as_alice, begun + timedelta(minutes=118))
    assert not is_in(as_alice, begun + timedelta(minutes=179))
    assert not is_in(as_alice, begun + timedelta(minutes=180)), "it stays ended"


def test_it_ends_a_session_after_twelve_hours_in_any_case(as_alice: Client) -> None:
    begun = timezone.now()
    for hour in range(1, 24):
        at = begun + timedelta(minutes=30 * hour)
        assert is_in(as_alice, at) is (hour < 24)
    assert not is_in(as_alice, begun + timedelta(hours=12, minutes=1))


def test_it_does_not_take_a_waiting_page_for_a_visit(as_alice: Client) -> None:
    begun = timezone.now()
    assert is_in(as_alice, begun + timedelta(minutes=50), **{"X-Portal-Poll": "1"})
    assert is_in(as_alice, begun + timedelta(minutes=55), "/?poll=1")
    assert not is_in(as_alice, begun + timedelta(minutes=61))


def test_it_lets_an_opened_key_form_be_finished(as_alice: Client, binance_bot: Bot) -> None:
    begun = timezone.now()
    for minutes in range(50, 701, 50):
        assert is_in(as_alice, begun + timedelta(minutes=minutes))
    form = f"/bots/{binance_bot.pk}/key/"
    with time_machine.travel(begun + timedelta(minutes=710), tick=False):
        prove_anew(as_alice)
    assert is_in(as_alice, begun + timedelta(minutes=719), form)
    with time_machine.travel(begun + timedelta(minutes=770), tick=False):
        answer = as_alice.post(form, {"api_key": "x", "secret": "y"})
        assert answer.status_code == 200
        assert "There is a problem" in answer.content.decode()
    assert not is_in(as_alice, begun + timedelta(minutes=780)), (
        "opening it again after 12 hours gives no more"
    )


def test_it_says_why_the_sign_in_page_is_there_again(as_alice: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        answer = as_alice.get("/", follow=True)
    assert "Your session has ended" in answer.content.decode()
