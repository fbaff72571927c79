"""Operations see keys and bots, and neither people nor who did what, nor the words of either."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.acts import By
from accounts.flows import staff
from accounts.models import User
from accounts.roles import Act, Role
from apikeys.flows import jobs, request_bot
from apikeys.models import Bot, BotRequest, Job
from apikeys.status import KeyStatus
from tests.apikeys.rows import make_key
from tests.conftest import make_staff, signed_in

pytestmark = pytest.mark.django_db

FROM = "192.0.2.1"
NOTE, ANSWER, WHY = "Grid, please, says Alice", "Two at most, says Ann", "Ticket 4711 of Alice"


def named(name: str, *args: object) -> str:
    return reverse(f"admin:{name}", args=args)


@pytest.fixture
def lead(db: None) -> User:
    return make_staff(Role.LEAD, "ann@sequence.example")


@pytest.fixture
def pages(alice: User, lead: User, binance_bot: Bot) -> list[str]:
    """Every list, and a page of each thing that somebody did or wrote."""
    key = make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(0))
    asked = request_bot.ask(customer=alice, exchange="kraken", market="spot", note=NOTE, address=FROM)
    request_bot.decline(request_id=asked.pk, answer=ANSWER, actor=lead, address=FROM)
    of_exchange = jobs.ask(exchange="binance", by=By(lead, FROM, WHY))
    jobs.turn_down(job_id=of_exchange.pk, by=By(lead, FROM, WHY))
    started = jobs.choose(act=Act.CHECK_KEY, rows=[(key.pk, "active")], actor=lead, address=FROM)
    jobs.start(job_id=started.pk, by=By(lead, FROM, WHY))
    staff.end(person=lead, by=By(make_staff(Role.LEAD, "ben@sequence.example"), FROM, WHY))
    jobs.work(started.pk, goes_on=lambda: True)  # which the portal stops: who started it has left
    assert Job.objects.get(pk=started.pk).status == Job.Status.STOPPED
    return [
        *(named(f"{m._meta.app_label}_{m._meta.model_name}_changelist") for m in admin.site._registry),
        named("apikeys_bot_change", binance_bot.pk),
        named("apikeys_apikey_change", key.pk),
        named("bot_request", BotRequest.objects.get().pk),
        named("job", of_exchange.pk),
        named("job", started.pk),
        named("index"),
        named("wallboard"),
    ]


@pytest.mark.parametrize("role", Role)
def test_it_shows_people_and_their_words_to_those_who_may_see_people(pages: list[str], role: Role) -> None:
    desk = signed_in(make_staff(role))
    answers = {page: desk.get(page) for page in pages}
    seen = {page: answer.content.decode() for page, answer in answers.items() if answer.status_code == 200}
    assert sum("/job/" in page or "/botrequest/" in page for page in seen) == 5
    for words in ("ann@sequence.example", NOTE, ANSWER, WHY):
        where = [page for page, text in seen.items() if words in text]
        assert bool(where) is (role is not Role.OPERATIONS), (words, where)
