"""What goes when, and what stays. Each chore is run twice: the second run finds nothing to do."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.flows import resend_mail
from accounts.models import CodeAttempt, User
from accounts.roles import Act, Role
from accounts.tasks import forget_what_is_over
from apikeys import tasks
from apikeys.flows.jobs import choose
from apikeys.models import Bot, Job, JobItem, KeyCheck
from apikeys.status import KeyStatus
from notifications.kinds import MailKind
from notifications.models import Attachment, Mail
from notifications.tasks import forget_old_mail
from telemetry import pruning
from tests.apikeys.rows import make_key
from tests.conftest import make_staff

pytestmark = pytest.mark.django_db

ACCEPTED, WAITING = Mail.Status.ACCEPTED, Mail.Status.WAITING


def mail(kind: MailKind, at: datetime, status: Mail.Status = ACCEPTED) -> Mail:
    context = None if kind == MailKind.SIGN_IN_CODE else {"name": "Alice"}
    return Mail.objects.create(
        kind=kind,
        owner_id=1,
        to="a@example.com",
        cause=str(uuid4()),
        subject="s",
        context=context,
        status=status,
        created_at=at,
        due_at=at,
    )


def test_it_forgets_what_mails_said_and_keeps_that_they_were_sent() -> None:
    now = timezone.now()
    limit = now - settings.MAIL_FACTS_KEPT
    old, waiting = mail(MailKind.WELCOME, limit - timedelta(hours=1)), mail(MailKind.WELCOME, limit, WAITING)
    waiting.created_at = limit - timedelta(hours=1)
    waiting.save()
    young = mail(MailKind.WELCOME, limit + timedelta(hours=1))
    year_old_code = mail(MailKind.SIGN_IN_CODE, now - settings.CODE_MAILS_KEPT - timedelta(hours=1))
    year_old = mail(MailKind.WELCOME, now - settings.CODE_MAILS_KEPT - timedelta(hours=1))
    code = mail(MailKind.SIGN_IN_CODE, limit)
    assert forget_old_mail() == "contents 2, code mails 1"
    assert forget_old_mail() == "contents 0, code mails 0"
    said = dict(Mail.objects.values_list("pk", "context"))
    assert said == {
        old.pk: None,
        year_old.pk: None,
        code.pk: None,
        waiting.pk: {"name": "Alice"},
        young.pk: {"name": "Alice"},
    }
    assert year_old_code.pk not in said


def test_it_forgets_what_was_attached_with_what_the_letter_said(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    limit = timezone.now() - settings.MAIL_FACTS_KEPT
    old = [mail(MailKind.LETTER, limit - timedelta(hours=hours)) for hours in (1, 2, 3)]
    young = mail(MailKind.LETTER, limit + timedelta(hours=1))
    for letter in (*old, young):
        Attachment.objects.create(mail=letter, name="invoice.pdf", content=b"%PDF-")
        assert resend_mail.why_not(letter, alice) == ""
    assert forget_old_mail() == "contents 3, code mails 0"
    assert [attached.mail for attached in Attachment.objects.all()] == [young]
    old[0].refresh_from_db()
    assert resend_mail.why_not(old[0], alice).startswith("What this mail said is no longer kept")


def test_it_forgets_attempts_of_two_days_ago(alice: User) -> None:
    at = timezone.now() - settings.CODE_ATTEMPTS_KEPT
    for created_at in (at - timedelta(minutes=1), at + timedelta(minutes=1)):
        CodeAttempt.objects.create(purpose="sign_in", user=alice, created_at=created_at)
    assert forget_what_is_over().endswith("attempts 1")
    assert forget_what_is_over().endswith("attempts 0")


def test_it_forgets_which_rows_a_job_had_and_later_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    now, hour = timezone.now(), timedelta(hours=1)
    lead = make_staff(Role.LEAD)

    def ended(at: datetime | None) -> Job:
        rows = [(uuid4(), "active") for _ in range(3)]
        job = choose(act=Act.CHECK_KEY, rows=rows, actor=lead, address="192.0.2.1")
        Job.objects.filter(pk=job.pk).update(status="done" if at else "running", ended_at=at)
        return job

    young, old = ended(now - settings.JOB_ROWS_KEPT + hour), ended(now - settings.JOB_ROWS_KEPT - hour)
    oldest, runs = ended(now - settings.JOBS_KEPT - hour), ended(None)
    Job.objects.update(asked_at=now - 2 * settings.JOBS_KEPT)
    assert tasks.forget_old_jobs() == "rows 6, jobs 1"
    assert tasks.forget_old_jobs() == "rows 0, jobs 0"
    assert {*JobItem.objects.values_list("job", flat=True)} == {young.pk, runs.pk}
    assert not Job.objects.filter(pk=oldest.pk).exists()
    assert Job.objects.filter(pk=old.pk).exists()


def test_it_forgets_answers_of_more_than_a_year_ago_in_batches(
    binance_bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    key = make_key(binance_bot, KeyStatus.ACTIVE, "abcd", timedelta(0))
    limit = timezone.now() - settings.KEY_CHECKS_KEPT
    ages = [timedelta(days=days) for days in (-1, 1, 2, 3, 4, 5)]
    KeyCheck.objects.bulk_create(
        KeyCheck(key=key, outcome="accepted", started_at=limit - age, finished_at=limit - age) for age in ages
    )
    assert tasks.forget_old_checks() == "deleted 5"
    assert tasks.forget_old_checks() == "deleted 0"
    assert KeyCheck.objects.count() == 1
