"""Leads and workers who do the same at the same moment, each in a thread and transactions of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.acts import By, NotPossibleError
from accounts.flows import staff
from accounts.models import AuditEvent, User
from accounts.roles import Act, Role
from apikeys.flows import jobs, revoke
from apikeys.models import ApiKey, Job
from tests.apikeys.test_jobs import make_keys
from tests.conftest import make_staff

pytestmark = pytest.mark.django_db(transaction=True)

FROM = "192.0.2.1"


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each gave, or the NotPossibleError it was answered with. All begin when all are there."""
    gate = threading.Barrier(len(acts))

    def take_part(act: Callable[[], object]) -> object:
        gate.wait(30)
        try:
            return act()
        except NotPossibleError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(take_part, acts))


@pytest.fixture
def leads(db: None) -> list[User]:
    return [make_staff(Role.LEAD, f"{name}@sequence.example") for name in ("ann", "ben", "cem")]


@pytest.fixture
def job(leads: list[User], alice: User, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(revoke, "_BATCH", 2)
    make_keys(alice, 24)
    return jobs.ask(exchange="binance", by=By(leads[0], FROM, "why"))


def test_of_two_leads_who_approve_one_does(job: Job, leads: list[User]) -> None:
    answers = at_once(
        *(lambda lead=lead: jobs.approve(job_id=job.pk, by=By(lead, FROM, "yes")) for lead in leads[1:])
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "NotPossibleError"]
    assert AuditEvent.objects.filter(verb="job_started").count() == 1


def test_a_stop_holds_from_the_moment_it_is_answered(job: Job, leads: list[User]) -> None:
    """Two workers are at it; each key ends once, and none after the stop."""
    jobs.approve(job_id=job.pk, by=By(leads[1], FROM, "yes"))
    some = threading.Event()

    def work() -> None:
        def goes_on() -> bool:
            if ApiKey.objects.live().count() <= 20:
                some.set()
            return True

        jobs.work(job.pk, goes_on=goes_on)

    def stop() -> int:
        some.wait(30)
        jobs.stop(job_id=job.pk, by=By(leads[2], FROM, "enough"))
        return ApiKey.objects.live().count()

    left = at_once(work, work, stop)[2]
    job.refresh_from_db()
    assert job.status in (Job.Status.STOPPED, Job.Status.DONE)
    assert job.status == Job.Status.DONE or left == ApiKey.objects.live().count() == job.live_after
    assert job.done == 24 - ApiKey.objects.live().count()
    ended = AuditEvent.objects.filter(verb="key_revoked").values_list("key_id", flat=True)
    assert len(set(ended)) == len(ended) == job.done
    jobs.work(job.pk, goes_on=lambda: True)
    assert AuditEvent.objects.filter(verb="key_revoked").count() == job.done


def test_of_choices_that_one_lead_starts_at_once_all_count(leads: list[User], alice: User) -> None:
    rows = [(key.pk, "active") for key in make_keys(alice, 51)]
    chosen = [
        jobs.choose(act=Act.REVOKE_CHOSEN, rows=rows, actor=leads[0], address=FROM).pk for _ in range(6)
    ]
    answers = at_once(*(lambda pk=pk: jobs.start(job_id=pk, by=By(leads[0], FROM, "yes")) for pk in chosen))
    assert sorted(type(answer).__name__ for answer in answers) == ["NoneType"] + 5 * ["NotPossibleError"]


def test_two_leads_who_end_each_other_leave_one(leads: list[User]) -> None:
    ann, ben, cem = leads
    staff.end(person=cem, by=By(ann, FROM, "left"))
    at_once(
        lambda: staff.end(person=ben, by=By(ann, FROM, "left")),
        lambda: staff.end(person=ann, by=By(ben, FROM, "left")),
    )
    assert User.objects.filter(is_active=True, groups__name=Role.LEAD).count() == 1
