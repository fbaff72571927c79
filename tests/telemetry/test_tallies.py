"""Counters that processes share."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from telemetry import tallies
from telemetry.models import EVER, Tally, What
from telemetry.tallies import Counted

pytestmark = pytest.mark.django_db


def test_it_counts_ever_and_by_slot_and_keeps_the_totals_when_slots_go() -> None:
    tallies.count(Counted(What.CHECK, "binance", "accepted"), Counted(What.CHECK, "binance", "accepted"))
    tallies.count(Counted(What.CHECK, "binance", "accepted", number=5), tallies.verdict(7.5))
    assert set(
        Tally.objects.filter(slot=EVER).values_list("what", "subject", "result", "number", "seconds")
    ) == {
        ("check", "binance", "accepted", 7, 0.0),
        ("verdict", "10", "", 1, 7.5),
    }
    slots = Tally.objects.filter(slot__gt=EVER)
    assert set(slots.values_list("subject", "number")) == {("binance", 7), ("10", 1)}
    assert tallies.forget(timezone.now()) == 0
    assert tallies.forget(timezone.now() + settings.TALLIES_KEPT + timedelta(hours=1)) == 2
    assert Tally.objects.get(what=What.CHECK).number == 7


def test_it_sets_what_is_counted_elsewhere_and_drops_what_is_no_more() -> None:
    tallies.put(What.SEALED, {"a": 1, "b": 2})
    tallies.put(What.SEALED, {"b": 5})
    assert list(Tally.objects.values_list("subject", "number")) == [("b", 5)]


def test_no_act_fails_for_want_of_its_figure() -> None:
    tallies.count(Counted(What.CHECK, "x" * 100, None))  # type: ignore[arg-type]  # the database refuses it
    assert not Tally.objects.exists()
