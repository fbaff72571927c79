"""Acts on many rows: keys of an exchange ended by two leads, and rows chosen from a list."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.acts import By, NotPossibleError
from accounts.flows import staff
from accounts.models import AuditEvent, User
from accounts.roles import Act, Role
from apikeys import letters
from apikeys.flows import jobs, revoke
from apikeys.models import ApiKey, Bot, Handover, Job, JobItem
from apikeys.status import KeyStatus
from apikeys.tasks import ring_jobs, work_job
from notifications.facts import Fact
from notifications.models import Mail
from tests.apikeys.rows import NOW, make_key
from tests.conftest import make_staff, signed_in

pytestmark = pytest.mark.django_db

FROM = "192.0.2.1"
KEYS = 12


@pytest.fixture
def ann(db: None) -> User:
    return make_staff(Role.LEAD, "ann@sequence.example")


@pytest.fixture
def ben(db: None) -> User:
    return make_staff(Role.LEAD, "ben@sequence.example")


@pytest.fixture
def keys(alice: User, binance_bot: Bot, monkeypatch: pytest.MonkeyPatch) -> list[ApiKey]:
    """Of twelve bots, in batches of five; the newest waits beside an active one."""
    monkeypatch.setattr(revoke, "_BATCH", 5)
    made = make_keys(alice, KEYS)
    make_key(Bot.objects.latest("pk"), KeyStatus.CHECKING, "wait", timedelta(minutes=1))
    return made


def make_keys(customer: User, number: int) -> list[ApiKey]:
    bots = [
        Bot.objects.create(
            bot_id=f"{customer.client_id} / N-{one}", customer=customer, exchange="binance", market="spot"
        )
        for one in range(number)
    ]
    return [make_key(bot, KeyStatus.ACTIVE, f"{bot.pk % 10_000:04d}", timedelta(days=1)) for bot in bots]


def by(person: User, reason: str = "Binance lost its keys") -> By:
    return By(person, FROM, reason)


def asked(person: User) -> Job:
    return jobs.ask(exchange="binance", by=by(person))


def work_off(job: Job) -> None:
    """As the schedule does, which rings again for what one task did not get through."""
    for _ in range(60):
        work_job(str(job.pk))
        job.refresh_from_db()
        if job.status != Job.Status.RUNNING:
            return


def verbs() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True))


def test_two_leads_end_every_key_of_an_exchange(
    ann: User, ben: User, keys: list[ApiKey], bybit_bot: Bot, binance_bot: Bot
) -> None:
    elsewhere = make_key(bybit_bot, KeyStatus.ACTIVE, "else", timedelta(days=1))
    page = "/admin/apikeys/job/exchange/revoke/"
    sent = {"exchange": "binance", "reason": "Binance lost its keys", "sure": "on"}
    where = signed_in(ann).post(page, sent)["Location"]
    job = Job.objects.get()
    assert "Ask a second lead" in signed_in(ann).get(page).content.decode()
    assert "already" in signed_in(ben).post(page, sent).content.decode(), "once at a time"

    approve = {"step": "approve", "reason": "Seen it too", "sure": "on"}
    own = signed_in(ann).get(where).content.decode()
    assert "Approve" not in own
    signed_in(ann).post(where, approve)
    work_job(str(job.pk))
    assert not ApiKey.objects.filter(status=KeyStatus.REVOKED).exists()
    assert "Approve, and start" in signed_in(ben).get(where).content.decode()
    assert signed_in(ben).post(where, approve).status_code == 302
    late = make_key(binance_bot, KeyStatus.ACTIVE, "late", NOW - timezone.now())
    watching = signed_in(ben).get(where)
    assert watching["Refresh"] == f"2; url={where}?poll=1"
    assert f'max="{KEYS + 1}"' in watching.content.decode()
    assert "Refresh" not in signed_in(ben).get(f"{where}?hold=1")

    work_off(job)
    assert (job.status, job.total, job.done, job.live_after) == (Job.Status.DONE, KEYS + 1, KEYS + 1, 1)
    assert set(ApiKey.objects.live()) == {elsewhere, late}
    of_keys = AuditEvent.objects.filter(verb="key_revoked")
    assert {(event.actor, event.detail["reason"]) for event in of_keys} == {(ann, "Binance lost its keys")}
    assert of_keys.values("key_id").distinct().count() == of_keys.count() == KEYS + 1
    assert [verb for verb in verbs() if verb != "key_revoked"] == ["job_asked", "job_started", "job_ended"]
    causes = Mail.objects.filter(kind="api_revoked").values_list("cause", flat=True)
    assert len(set(causes)) == KEYS + 1
    done = signed_in(ben).get(where)
    assert "Refresh" not in done
    assert "Live after" in done.content.decode()
    assert "moved on" in signed_in(ben).post(where, approve, follow=True).content.decode()
    assert Job.objects.get().started_by == ben


def test_nobody_approves_their_own_nor_for_who_is_no_lead_any_more(
    ann: User, ben: User, keys: list[ApiKey]
) -> None:
    job = asked(ann)
    with pytest.raises(NotPossibleError, match="You asked for this"):
        jobs.approve(job_id=job.pk, by=by(ann))
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(started_by=ann)
    ann.groups.clear()
    with pytest.raises(NotPossibleError, match="no lead any more"):
        jobs.approve(job_id=job.pk, by=by(ben))
    assert ApiKey.objects.live().count() == KEYS + 1


def test_what_is_not_approved_or_begun_within_the_hour_ends(ann: User, ben: User, keys: list[ApiKey]) -> None:
    old = timezone.now() - settings.APPROVE_WITHIN
    unanswered = asked(ann)
    Job.objects.filter(pk=unanswered.pk).update(asked_at=old)
    with pytest.raises(NotPossibleError, match="more than an hour ago"):
        jobs.approve(job_id=unanswered.pk, by=by(ben))
    ring_jobs()
    unbegun = asked(ann)
    jobs.approve(job_id=unbegun.pk, by=by(ben))
    Job.objects.filter(pk=unbegun.pk).update(started_at=old)
    work_job(str(unbegun.pk))
    ring_jobs()
    assert {*Job.objects.values_list("status", flat=True)} == {Job.Status.EXPIRED}
    expired = AuditEvent.objects.filter(verb="job_expired")
    told = [str(unanswered.pk), str(unbegun.pk)]
    assert [(event.actor, event.detail["job"]) for event in expired.order_by("pk")] == [
        (None, job) for job in told
    ]
    chosen = jobs.choose(act=Act.CHECK_KEY, rows=[(keys[0].pk, "active")], actor=ann, address=FROM)
    Job.objects.filter(pk=chosen.pk).update(asked_at=old)
    ring_jobs()
    assert not JobItem.objects.exists()
    assert ApiKey.objects.live().count() == KEYS + 1


def test_a_worker_that_dies_in_a_batch_leaves_it_to_the_next(
    ann: User, ben: User, keys: list[ApiKey]
) -> None:
    job = asked(ann)
    jobs.approve(job_id=job.pk, by=by(ben))
    turns = iter([True, True, False])
    with transaction.atomic():
        jobs.work(job.pk, goes_on=lambda: next(turns))
        assert ApiKey.objects.live().count() < KEYS
        transaction.set_rollback(True)  # as a power cut does
    turns = iter([True, False])
    jobs.work(job.pk, goes_on=lambda: next(turns))
    job.refresh_from_db()
    assert 0 < job.done < KEYS
    assert ApiKey.objects.live().count() == KEYS + 1 - job.done
    work_off(job)
    assert (job.status, job.done) == (Job.Status.DONE, KEYS + 1)
    assert verbs().count("key_revoked") == KEYS + 1
    work_job(str(job.pk))
    assert verbs().count("job_ended") == 1


def test_more_chosen_keys_than_a_person_ticks_take_a_second_lead_and_go_on_in_the_background(
    ann: User, ben: User, alice: User
) -> None:
    chosen = make_keys(alice, 103)
    gone, taken_over = chosen[4], chosen[7]
    desk = signed_in(ann)
    pks = [str(key.pk) for key in chosen]
    # As "Select all 103" above the list sends it: one row of the page, and whatever the filters let through.
    across = {"action": "revoke_chosen", "_selected_action": pks[:1], "select_across": "1"}
    where = desk.post("/admin/apikeys/apikey/?status__exact=active", across)["Location"]
    page = desk.get(where).content.decode()
    assert "Do this for" not in page
    assert "Ask a second lead to revoke 103 chosen keys" in page
    assert "Binance 103" in page
    revoke.revoke(key=gone, actor=alice, address=FROM, now=timezone.now())
    ApiKey.objects.filter(pk=taken_over.pk).update(status=KeyStatus.READY)
    assert (
        signed_in(make_staff(Role.LEAD))
        .post(where, {"step": "ask", "reason": "x", "sure": "on"}, follow=True)
        .content.decode()
        .count("moved on")
    ), "what somebody else chose is not started"
    job = Job.objects.get()
    with pytest.raises(NotPossibleError, match="One lead alone ends 100 chosen keys"):
        jobs.start(job_id=job.pk, by=by(ann))
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(started_by=ann)
    desk.post(where, {"step": "ask", "reason": "Ticket 12", "sure": "on"})
    with pytest.raises(NotPossibleError, match="You asked for this"):
        jobs.approve(job_id=job.pk, by=by(ann))
    assert verbs() == ["key_revoked", "job_asked"]
    second = signed_in(ben).get(where).content.decode()
    assert "Asked for by" in second
    assert "Binance 103" in second
    signed_in(ben).post(where, {"step": "approve", "reason": "Seen it too", "sure": "on"})
    job.refresh_from_db()
    assert (job.total, job.reason, job.started_by) == (103, "Ticket 12", ben)
    assert (job.status, job.worked) == (Job.Status.RUNNING, 0)
    turns = iter([True, False])
    jobs.work(job.pk, goes_on=lambda: next(turns))
    assert 'value="50"' in desk.get(where).content.decode()
    work_off(job)
    assert (job.status, job.done, job.skipped) == (Job.Status.DONE, 101, 2)
    page = desk.get(where).content.decode()
    assert "This key has ended already: revoked." in page
    assert "This key has changed meanwhile: accepted, waiting for the bot." in page
    assert set(ApiKey.objects.live()) == {taken_over}


def test_choices_that_one_lead_starts_within_an_hour_count_together(
    ann: User, ben: User, alice: User
) -> None:
    chosen = [(key.pk, "active") for key in make_keys(alice, 101)]

    def choose(rows: list[tuple[Any, str]], lead: User) -> Job:
        return jobs.choose(act=Act.REVOKE_CHOSEN, rows=rows, actor=lead, address=FROM)

    first, second, of_ben = choose(chosen[:60], ann), choose(chosen[60:], ann), choose(chosen[60:], ben)
    with pytest.raises(NotPossibleError, match="no second lead by now"):
        jobs.ask_for_chosen(job_id=second.pk, by=by(ann))
    jobs.start(job_id=first.pk, by=by(ann))
    with pytest.raises(NotPossibleError, match="Ask a second lead"):
        jobs.start(job_id=second.pk, by=by(ann))
    jobs.start(job_id=of_ben.pk, by=by(ben))
    checks = jobs.choose(act=Act.CHECK_KEY, rows=chosen, actor=ann, address=FROM)
    jobs.start(job_id=checks.pk, by=by(ann))
    jobs.ask_for_chosen(job_id=second.pk, by=by(ann))
    jobs.turn_down(job_id=second.pk, by=by(ben))

    Job.objects.filter(pk=first.pk).update(started_at=timezone.now() - settings.CHOSEN_COUNT_FOR)
    an_hour_later = choose(chosen[60:], ann)
    jobs.start(job_id=an_hour_later.pk, by=by(ann))


def test_keys_chosen_for_a_check_keep_no_new_key_waiting(
    ann: User, keys: list[ApiKey], monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """The schedule finds them, which rings for few at once, and sweeps do; bells would be one a row."""
    long_ago, later = timezone.now() - timedelta(days=2), timezone.now() + timedelta(hours=9)
    ApiKey.objects.update(check_due_at=later)
    ApiKey.objects.filter(pk=keys[0].pk).update(check_due_at=long_ago)
    rung: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda task, **_: rung.append(task))
    rows = list(ApiKey.objects.values_list("pk", "status"))
    job = jobs.choose(act=Act.CHECK_KEY, rows=rows, actor=ann, address=FROM)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.start(job_id=job.pk, by=by(ann))
        work_off(job)
    assert (job.status, job.done) == (Job.Status.DONE, KEYS + 1)
    assert rung == ["apikeys.work_job"]
    now = timezone.now()
    assert ApiKey.objects.filter(check_due_at__lte=now).count() == KEYS + 1
    assert ApiKey.objects.due(now).count() == 1
    (first, *_) = ApiKey.objects.to_sweep("binance", now).order_by("check_due_at")
    assert (first, first.check_due_at) == (keys[0], long_ago), "what is overdue keeps its place"


def test_a_job_ends_once_who_asked_for_it_may_not_do_it_any_more(
    ann: User, ben: User, keys: list[ApiKey]
) -> None:
    all_keys = asked(ann)
    jobs.approve(job_id=all_keys.pk, by=by(ben))
    rows = [(key.pk, "active") for key in keys]
    chosen = jobs.choose(act=Act.REVOKE_CHOSEN, rows=rows, actor=ann, address=FROM)
    jobs.start(job_id=chosen.pk, by=by(ann))
    turns = iter([True, False])
    jobs.work(all_keys.pk, goes_on=lambda: next(turns))
    left = ApiKey.objects.live().count()
    staff.end(person=ann, by=by(ben))
    for job in (all_keys, chosen):
        work_off(job)
        assert (job.status, job.stopped_by) == (Job.Status.STOPPED, None)
        page = signed_in(ben).get(f"/admin/apikeys/job/{job.pk}/progress/").content.decode()
        assert "ann@sequence.example may not do this any more" in page
    assert 0 < ApiKey.objects.live().count() == left
    stopped = AuditEvent.objects.filter(verb="job_stopped")
    assert {(event.actor, event.detail["reason"]) for event in stopped} == {
        (None, "Who asked for this may not do it any more.")
    }


@pytest.mark.parametrize("of_an_exchange", [True, False])
def test_a_row_that_fails_is_told_and_holds_nothing_else_up(
    of_an_exchange: bool, ann: User, ben: User, keys: list[ApiKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = keys[3]

    def facts_but_of_one(bot: Bot) -> dict[str, Fact]:
        """As with a bug that the row of this bot brings out."""
        if bot.pk == broken.bot_id:
            raise ValueError(bot.bot_id)
        return letters.facts(bot)

    monkeypatch.setattr(revoke, "facts", facts_but_of_one)
    if of_an_exchange:
        job = asked(ann)
        jobs.approve(job_id=job.pk, by=by(ben))
    else:
        rows = [(key.pk, "active") for key in keys]
        job = jobs.choose(act=Act.REVOKE_CHOSEN, rows=rows, actor=ann, address=FROM)
        jobs.start(job_id=job.pk, by=by(ann))
    work_off(job)
    waits = KEYS + of_an_exchange - 1
    assert (job.status, job.done, job.skipped) == (Job.Status.DONE, waits, 1)
    assert broken in ApiKey.objects.live()
    assert verbs().count("key_revoked") == waits
    item = JobItem.objects.get(outcome="failed")
    assert item.row_id == broken.pk
    page = signed_in(ben).get(f"/admin/apikeys/job/{job.pk}/progress/").content.decode()
    assert str(broken.pk) in page
    assert "Something of ours went wrong: ValueError." in page


def test_every_row_that_was_left_can_be_read(ann: User) -> None:
    """With the reasons of 120 rows: the page says how many there are, and leads on to the rest."""
    job = jobs.choose(act=Act.CHECK_KEY, rows=[], actor=ann, address=FROM)
    left = [JobItem(job=job, row_id=uuid4(), outcome="skipped", why=f"Reason {one}.") for one in range(120)]
    JobItem.objects.bulk_create(left)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.RUNNING, started_at=timezone.now())
    desk, where, read = signed_in(ann), f"/admin/apikeys/job/{job.pk}/progress/", []
    page = desk.get(where).content.decode()
    assert "Left as they were: 1 to 50 of 120" in page
    while True:
        read += re.findall(r"Reason (\d+)\.", page)
        further = re.search(r'href="(\?left=\d)">Further ones', page)
        if not further:
            break
        answer = desk.get(f"{where}{further[1]}")
        assert "Refresh" not in answer, "it holds still while somebody reads"
        page = answer.content.decode()
    assert read == [str(one) for one in range(120)]
    assert "Left as they were: 101 to 120 of 120" in page
    assert desk.get(f"{where}?left=nonsense").status_code == 200


def test_a_lead_is_told_that_too_many_were_chosen(
    ann: User, keys: list[ApiKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "CHOSEN_MAX", 3)
    sent = {"action": "check_key", "_selected_action": [str(key.pk) for key in keys]}
    page = signed_in(ann).post("/admin/apikeys/apikey/", sent, follow=True).content.decode()
    assert "At most 3 rows" in page
    assert not Job.objects.exists()


def test_an_act_on_a_key_that_has_changed_says_so_and_changes_nothing(ann: User, binance_bot: Bot) -> None:
    key = make_key(binance_bot, KeyStatus.CHECKING, "aaaa", timedelta(minutes=1))
    desk = signed_in(ann)
    shown = {"seen": "checking", "reason": "x", "sure": "on"}
    ApiKey.objects.filter(pk=key.pk).update(status=KeyStatus.ACTIVE)
    for act in ("revoke", "check"):
        page = desk.post(f"/admin/apikeys/apikey/{key.pk}/{act}/", shown, follow=True).content.decode()
        assert "changed meanwhile: active. Nothing was changed." in page
    customer = f"/admin/apikeys/apikey/of/{binance_bot.customer_id}/revoke/"
    # As many as the page showed, and the same key, but it is in use by now; and then another one.
    another = make_key(binance_bot, KeyStatus.READY, "bbbb", timedelta(minutes=1))
    key_as_shown, key_now = key, ApiKey.objects.get(pk=key.pk)
    for seen in ([key_as_shown, another], [key_as_shown], [another], []):
        page = desk.post(customer, {**shown, "seen": revoke.shown(seen)}, follow=True).content.decode()
        assert "changed meanwhile: look at them again. Nothing was changed." in page
    assert f'value="{revoke.shown([another, key_now])}"' in page
    assert verbs() == []
    assert Mail.objects.count() == 0
    assert ApiKey.objects.live().count() == 2


def test_a_key_that_support_ends_is_mailed_once_with_what_goes_on(ann: User, binance_bot: Bot) -> None:
    make_key(binance_bot, KeyStatus.ACTIVE, "keep", timedelta(days=9))
    key = make_key(binance_bot, KeyStatus.READY, "gone", timedelta(minutes=1))
    Handover.objects.create(kind="key", key=key, created_at=timezone.now(), fetched_at=timezone.now())
    revoke.revoke_one(key_id=key.pk, by=by(ann))
    with pytest.raises(NotPossibleError, match="ended already"):
        revoke.revoke_one(key_id=key.pk, by=by(ann))
    mail = Mail.objects.get()
    assert mail.context is not None
    assert (mail.kind, mail.context["keeps_last_four"]) == ("api_revoked", "keep")
    assert Handover.objects.filter(kind="revocation").count() == 1
    assert ApiKey.objects.get(pk=key.pk).sealed is None
