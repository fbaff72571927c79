"""What customers and the desk ask of each other: bots, letters, and acts on many rows."""

from datetime import timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.acts import By
from accounts.audit_verbs import Verb
from accounts.models import User
from accounts.roles import Act, Role
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows import jobs
from apikeys.models import ApiKey, BotRequest, Job, JobItem
from demo.filling.book import Book, Customer
from notifications.kinds import MailKind

LEAD_EMAIL = "lena.lead@sequence.example"
_FROM = "192.0.2.7"
_MARKETS = (("kraken", "spot"), ("okx", "spot"), ("okx", "derivatives"), ("gate", "spot"))
_NOTES = ("The same as I have at my other exchange, please.", "For the new year.", "")
_SUBJECTS = ("Your invoice", "About your bot", "Your question of Tuesday")
_LINES = ("Thank you for writing.", "", "It is as you say, and nothing is to be done.", "", "Sam")
# The act that waits is about an exchange where few trade.
_LEFT = "bitfinex"
_CHOSEN = 60


def of_customer(customer: Customer, book: Book) -> None:
    """One in three hundred waits for a bot, one in fifty was written to."""
    random = book.random
    if random.random() < 1 / 300 or book.is_first("bot request"):
        _bot(customer, book)
    if random.random() < 1 / 50 or book.is_first("letter"):
        age = book.now - customer.came_at
        failed = book.is_first("letter that came back")
        ago = timedelta(hours=5 if failed else 1 + random.expovariate(1 / 300))
        at = book.now - min(age, ago)
        facts = {
            "client_id": customer.client_id,
            "subject_line": random.choice(_SUBJECTS),
            "lines": _LINES,
            "attached": "",
        }
        book.mail(MailKind.LETTER, at, customer, f"letter:{book.uuid()}", facts, failed=failed)
        book.event(Verb.LETTER_WRITTEN, at, customer, by="staff")


def _bot(customer: Customer, book: Book) -> None:
    exchange, market = book.random.choice(_MARKETS)
    at = book.now - min(book.now - customer.came_at, timedelta(hours=book.random.expovariate(1 / 9)))
    book.requests.add(
        id=book.uuid(),
        customer_id=customer.pk,
        exchange=exchange,
        market=market,
        note=book.random.choice(_NOTES),
        status=BotRequest.Status.ASKED,
        asked_at=at,
    )
    where = {"where": f"{EXCHANGES[exchange].name}, {market}"}
    book.event(Verb.BOT_ASKED, at, customer, by="customer", words=where)


@transaction.atomic
def of_the_desk(staff: int) -> None:
    """One act that waits for a second lead, and one that is half done. staff: who works on that."""
    if Job.objects.filter(status__in=(Job.Status.ASKED, Job.Status.RUNNING)).exists():
        return
    lead = User.objects.filter(email=LEAD_EMAIL).first() or User.objects.create_user(
        LEAD_EMAIL, is_staff=True
    )
    lead.groups.set(Group.objects.filter(name=Role.LEAD))
    jobs.ask(exchange=_LEFT, by=By(lead, _FROM, "They tell of a break-in and name no date."))
    chosen = list(ApiKey.objects.active().order_by("-submitted_at").values_list("pk", flat=True)[:_CHOSEN])
    agent, begun = User.objects.get(pk=staff), timezone.now() - timedelta(minutes=2)
    done = len(chosen) // 3
    job = Job.objects.create(
        act=Act.CHECK_KEY,
        status=Job.Status.RUNNING,
        reason="Their status page says that all is well again.",
        asked_by=agent,
        asked_at=begun,
        asked_from=_FROM,
        started_by=agent,
        started_at=begun,
        begun_at=begun,
        total=len(chosen),
        done=done,
    )
    JobItem.objects.bulk_create(
        JobItem(
            job=job,
            row_id=key_id,
            seen="active",
            outcome=JobItem.Outcome.DONE if place < done else "",
        )
        for place, key_id in enumerate(chosen)
    )
    audit.record(
        Verb.JOB_STARTED,
        customer=None,
        actor=agent,
        address=_FROM,
        act=job.get_act_display(),
        job=str(job.pk),
        reason=job.reason,
        total=str(job.total),
    )
