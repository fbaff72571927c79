"""What people meet at the desk beside its pages as these mostly are: nothing to show, a refused form."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.flows.add_customer import add_customer
from accounts.models import AddressChange, AuditEvent, MailboxHold, User
from accounts.roles import Act
from apikeys.flows import close_customer as close
from apikeys.flows import jobs, request_bot
from apikeys.models import ALONE_MAX, ApiKey, BotRequest, Job, JobItem
from tests.exchange_simulator.exchanges import DEMO_KEYS

_FROM = "192.0.2.1"
_KEY = DEMO_KEYS["binance"]["good"].api_key
_COLUMNS = "client_id,name,email,bot_id,exchange,market\n"
_ONE_NEW = _COLUMNS + (
    "0x2F01 / NoraNew,Nora New,nora@new.example,0x2F01 / NoraNew / BTC-1,binance,spot\n"
    "0x2F01 / NoraNew,Nora New,nora@new.example,0x2F01 / NoraNew / ETH-2,okx,derivatives\n"
)
_TWO_BAD = _COLUMNS + (
    "0x2F02 / OleOld,Ole Old,no address,0x2F02 / OleOld / BTC-1,binance,spot\n"
    "0x2F03 / PiaPast,Pia Past,pia@past.example,0x2F03 / PiaPast / BTC-1,mtgox,spot\n"
)


@dataclass(frozen=True)
class Sent:
    """A form filled and sent, past what the browser would refuse.

    file: what is in a CSV file. answer: what of the page shows what came of it.
    """

    name: str
    path: str
    button: str
    fields: dict[str, str] = field(default_factory=dict)
    file: str = ""
    answer: str = ".errorlist"

    def through(self, page: Page) -> None:
        page.goto(self.path)
        button = page.get_by_role("button", name=self.button, exact=True)
        form = page.locator("form", has=button)
        form.evaluate("form => { form.noValidate = true; }")
        for name, value in self.fields.items():
            form.locator(f"[name={name}]").fill(value)
        if self.file:
            csv = {"name": "customers.csv", "mimeType": "text/csv", "buffer": self.file.encode()}
            form.locator("[type=file]").set_input_files(csv)  # type: ignore[arg-type]
        button.click()
        expect(page.locator(self.answer).first).to_be_visible()


def fill_states(insider: User) -> None:
    """Beside what is invented in bulk: somebody with nothing, somebody who left, acts that have ended."""
    newest = add_customer(
        client_id="0x2F00 / NilsNone", name="", email="nils@none.example", actor=insider, address=_FROM
    )
    close.close(
        customer=add_customer(
            client_id="0x2EFF / LiaLeft", name="Lia", email="lia@left.example", actor=insider, address=_FROM
        ),
        actor=insider,
        address=_FROM,
        reason="Left us.",
    )
    now = timezone.now()
    declined = BotRequest.objects.create(
        customer=newest, exchange="kraken", market="spot", asked_at=now - timedelta(hours=1)
    )
    request_bot.decline(request_id=declined.pk, answer="Not yet.", actor=insider, address=_FROM)
    keys = ApiKey.objects.active()[:2]
    jobs.choose(
        act=Act.CHECK_KEY,
        rows=[(key.pk, key.status) for key in keys],
        actor=insider,
        address=_FROM,
    )
    jobs.choose(
        act=Act.REVOKE_CHOSEN,
        rows=[(key.pk, key.status) for key in ApiKey.objects.all()[: ALONE_MAX + 1]],
        actor=insider,
        address=_FROM,
    )
    ended = Job.objects.create(
        act=Act.REVOKE_CHOSEN,
        status=Job.Status.DONE,
        reason="The customer asked for it.",
        asked_by=insider,
        asked_at=now - timedelta(minutes=9),
        asked_from=_FROM,
        started_by=insider,
        started_at=now - timedelta(minutes=8),
        ended_at=now - timedelta(minutes=7),
        total=2,
        done=1,
        skipped=1,
    )
    left = {"outcome": JobItem.Outcome.SKIPPED, "why": "It is no longer as it was when you chose it."}
    JobItem.objects.create(job=ended, row_id=keys[0].pk, seen="active", **left)


def states() -> Iterator[tuple[str, str]]:
    """Name and address of what a page can be beside what it mostly is."""
    yield "search-many", "/admin/search/?q=0x10"
    yield "search-none", "/admin/search/?q=nobody"
    yield "list-of-nothing", "/admin/accounts/addresschange/?status__exact=cancelled"
    yield "keys-last-page", "/admin/apikeys/apikey/?p=last"
    yield "keys-about-to-be-revoked", "/admin/apikeys/apikey/?needs=revoke"
    nothing, closed = (
        User.objects.get(email="nils@none.example"),
        User.objects.exclude(closed_at=None).latest("pk"),
    )
    yield "customer-with-nothing", f"/admin/accounts/user/{nothing.pk}/change/"
    yield "closed-customer-close", f"/admin/accounts/user/{closed.pk}/close/"
    change = AddressChange.objects.open().latest("pk")
    yield "address-under-way", f"/admin/accounts/user/{change.user_id}/address/"
    hold = MailboxHold.objects.filter(status=MailboxHold.Status.ASKED).earliest("pk")
    yield "mailbox-to-decide", f"/admin/accounts/user/{hold.user_id}/mailbox/"
    declined = BotRequest.objects.filter(status=BotRequest.Status.DECLINED).latest("asked_at")
    yield "request-declined", f"/admin/apikeys/botrequest/{declined.pk}/decide/"
    for status in (Job.Status.CHOSEN, Job.Status.ASKED, Job.Status.RUNNING, Job.Status.DONE):
        job = Job.objects.filter(status=status).latest("asked_at")
        yield f"job-{status.value}", f"/admin/apikeys/job/{job.pk}/progress/?hold=1"
    too_many = Job.objects.get(act=Act.REVOKE_CHOSEN, status=Job.Status.CHOSEN)
    yield "job-that-takes-two", f"/admin/apikeys/job/{too_many.pk}/progress/"
    told = AuditEvent.objects.exclude(detail={}).exclude(key_id=None).latest("pk")
    yield "event-with-more", f"/admin/accounts/auditevent/{told.pk}/change/"


def sent_forms(customer: User) -> Iterator[Sent]:
    of_customer = f"/admin/accounts/user/{customer.pk}"
    key = f"/admin/apikeys/apikey/{ApiKey.objects.active().latest('pk').pk}"
    asked = BotRequest.objects.open().latest("asked_at")
    yield Sent("search-refused", "/admin/", "Search", {"q": _KEY}, answer=".errornote")
    yield Sent(
        "customer-add-refused",
        "/admin/accounts/user/new/",
        "Add the customer",
        {"client_id": customer.client_id or "", "email": "no address"},
    )
    importing = ("/admin/accounts/user/import/", "Show what it changes")
    yield Sent("import-preview", *importing, file=_ONE_NEW, answer="button[value=import]")
    yield Sent("import-refused", *importing, file=_TWO_BAD)
    yield Sent("import-without-file", *importing)
    yield Sent("address-refused", f"{of_customer}/address/", "Start the change", {"new_email": "no address"})
    letter = {"subject": "Your key", "text": f"Is it this one?\n\n{_KEY}"}
    yield Sent("letter-refused", f"{of_customer}/letter/", "Send the letter", letter)
    yield Sent("bot-refused", f"{of_customer}/bot/", "Launch the bot", {"bot_id": "another"})
    yield Sent(
        "close-refused", f"{of_customer}/close/", "Close this account for good", {"client_id": "another"}
    )
    yield Sent(
        "request-refused", f"/admin/apikeys/botrequest/{asked.pk}/decide/", "Launch the bot", {"bot_id": ""}
    )
    yield Sent("revoke-refused", f"{key}/revoke/", "Revoke this key")
    yield Sent(
        "check-asked",
        f"{key}/check/",
        "Check it again now",
        {"reason": "The customer asked."},
        answer=".messagelist",
    )
    tokens = ("/admin/apikeys/enginetoken/add/", "Add the engine token")
    yield Sent("token-refused", *tokens, {"name": "engine-2", "addresses": "nowhere"})
    yield Sent("export-refused", "/admin/apikeys/bot/export/", "Download the file")


def looks_only(customer: User) -> Iterator[tuple[str, str]]:
    """For whoever may look at everything and do little: what a page says in place of its form."""
    key = ApiKey.objects.active().latest("pk").pk
    for name, path in (
        ("front", ""),
        ("customer", f"accounts/user/{customer.pk}/change/"),
        ("letter", f"accounts/user/{customer.pk}/letter/"),
        ("key", f"apikeys/apikey/{key}/change/"),
        ("key-check", f"apikeys/apikey/{key}/check/"),
    ):
        yield f"auditor-{name}", f"/admin/{path}"
