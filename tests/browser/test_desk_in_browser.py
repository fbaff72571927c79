"""Every page of the desk in a browser, from its URL configuration, and what its forms answer to.

Axe and the policy complain of nothing.

With DESK_PICTURES set to a folder, pictures of each page are put there, at both widths, light and dark.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db.models import Count, Q
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.flows import change_address, clear_mailbox, write_letter
from accounts.models import AddressChange, AuthenticatorApp, MailboxHold, MailDomain, User
from accounts.roles import Act, Role
from apikeys.engine import tokens
from apikeys.flows.count_days import count_days
from apikeys.models import ApiKey, Bot, BotRequest, EngineToken, Handover, Job, Scope
from apikeys.status import KeyStatus
from demo import filling
from notifications.kinds import MailKind
from notifications.models import Mail
from tests.authenticators import code_of
from tests.browser import desk_states
from tests.browser.customer import WAIT
from tests.browser.looking import THEMES, axe_violations, complaints_of, set_look
from tests.conftest import make_staff, signed_in
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.routes import every_route
from tests.stack import WEB, Stack, running_stack

WIDTHS = (1280, 1920)
# Addresses that are no page: they lead elsewhere, or are for scripts.
_NO_PAGE = re.compile(
    r"admin/(login|logout|password_change|jsi18n|autocomplete|r/|\(\?P|.*delete/$|.*pdf/$|.*<path:object_id>/$"
    # Rows are added by acts, with one exception.
    r"|\w+/(?!enginetoken)\w+/add/$)"
)
_OF_MODEL = re.compile(r"admin/(\w+)/(\w+)/<path:object_id>/")
# A list scrolls within itself, so the page as a whole is never too wide.
_CUT_OFF = """() => [...document.querySelectorAll("#result_list")]
  .filter((list) => list.scrollWidth > list.parentElement.clientWidth)
  .map((list) => `the list is ${list.scrollWidth} wide, with room for ${list.parentElement.clientWidth}`)"""


@pytest.fixture
def stack(
    tmp_path: Path, simulator: Simulator, mail_sink: MailSink, transactional_db: None
) -> Iterator[Stack]:
    """The web alone: nothing of what is invented here is to be worked on."""
    with running_stack(tmp_path, simulator, mail_sink, WEB) as running:
        yield running


@pytest.fixture
def insider() -> User:
    """A person of every role, so that one person can look at every page."""
    person = make_staff(Role.LEAD)
    person.groups.set(Group.objects.filter(name__in=Role.values))
    return person


def fill(insider: User) -> None:
    filling.fill(keys=300, customers=40, sealed=False)
    now = timezone.now()
    count_days(now)
    tokens.make(EngineToken(), name="engine-1", scopes=[Scope.FETCH], addresses=[], life=timedelta(days=1))
    customer = User.objects.exclude(client_id=None).latest("pk")
    BotRequest.objects.create(customer=customer, exchange="bybit", market="spot", asked_at=now, note="Please")
    Job.objects.create(
        act=Act.REVOKE_EXCHANGE,
        exchange="bybit",
        status=Job.Status.ASKED,
        reason="They were broken into.",
        asked_by=make_staff(Role.LEAD, "another.lead@sequence.example"),
        asked_at=now,
        asked_from="192.0.2.7",
        total=61,
    )
    where = {"address": "192.0.2.1"}
    if not AddressChange.objects.exists():
        change_address.start(
            customer=customer, new_email="new@moved.example", reason="Moved.", actor=insider, **where
        )
    text = {"subject": "About your bot", "text": "It trades again.\n\nSam"}
    write_letter.write(customer=busiest(), draft=uuid4(), pdf=None, actor=insider, **text, **where)
    clear_mailbox.ask(customer=customer, note="I have no other.", **where)
    MailDomain.objects.watch("x@watched.example")
    key = ApiKey.objects.active().latest("pk")
    Handover.objects.get_or_create(key=key, kind=Handover.Kind.KEY, defaults={"created_at": now})
    active = ApiKey.objects.active().exclude(pk=key.pk)
    for place, fields in enumerate(
        (
            {"problem": "forbidden_permission", "problem_since": now, "revoke_at": now + timedelta(hours=70)},
            {"concern": "unproven_permission", "concern_since": now, "unknown_rights": "canFly"},
            {"concern": "wrong_account", "concern_since": now},
        )
    ):
        ApiKey.objects.filter(pk=active.order_by("pk")[place].pk).update(**fields)


def busiest() -> User:
    return User.objects.annotate(number=Count("bots__keys")).exclude(client_id=None).latest("number")


def pages() -> Iterator[tuple[str, str]]:
    """Name and address of everything to look at."""
    of_request = BotRequest.objects.latest("asked_at")
    letter = Mail.objects.filter(kind=MailKind.LETTER).latest("created_at")
    values = {
        "letter/<uuid:mail_id>": f"letter/{letter.pk}",
        "<int:customer_pk>": str(busiest().pk),
        "<int:person_pk>": str(User.objects.filter(is_staff=True).exclude(groups=None).latest("pk").pk),
        "<int:bot_pk>": str(Bot.objects.latest("pk").pk),
        "<uuid:key_id>": str((ApiKey.objects.held().first() or ApiKey.objects.active().latest("pk")).pk),
        "<uuid:mail_id>": str(Mail.objects.filter(status=Mail.Status.FAILED).latest("created_at").pk),
        "<uuid:request_pk>": str(of_request.pk),
        "<uuid:job_id>": str(Job.objects.latest("asked_at").pk),
    }
    for route in every_route():
        if not route.path.startswith("admin/") or _NO_PAGE.match(route.path):
            continue
        path = route.path
        if of_model := _OF_MODEL.match(path):
            newest = apps.get_model(of_model[1], of_model[2])._default_manager.latest("pk")
            path = path.replace("<path:object_id>", str(newest.pk).replace("_", "_5F"))
        for placeholder, value in values.items():
            path = path.replace(placeholder, value)
        path = re.sub(r"\^?\(\?P<app_label>[^)]+\)/\$", "apikeys/", path)
        assert not re.search(r"[<>()?^$]", path), f"What stands for {path}?"
        yield route.name.partition(":")[2].replace("_", "-"), f"/{path}"
    for status in KeyStatus:
        if key := ApiKey.objects.filter(status=status).order_by("-submitted_at").first():
            yield f"key-{status.value}", f"/admin/apikeys/apikey/{key.pk}/change/"
    for name, key in (
        ("key-held", ApiKey.objects.held().first()),
        ("key-widened", ApiKey.objects.about_to_be_revoked().first()),
        ("key-of-concern", ApiKey.objects.of_concern().first()),
    ):
        if key:
            yield name, f"/admin/apikeys/apikey/{key.pk}/change/"
    for name, person in (
        ("customer-address-change", User.objects.filter(address_changes__status__in=AddressChange.OPEN)),
        ("customer-microsoft", User.objects.filter(mailbox_holds__status=MailboxHold.Status.ASKED)),
        ("customer-closed", User.objects.filter(~Q(closed_at=None))),
    ):
        if found := person.first():
            yield name, f"/admin/accounts/user/{found.pk}/change/"
    yield "customer-mails", f"/admin/accounts/user/{busiest().pk}/change/?kind=mail"
    yield "revoke-tokens", f"/admin/apikeys/enginetoken/revoke/?of={EngineToken.objects.latest('pk').pk}"
    moved = ApiKey.objects.of_concern().filter(concern="wrong_account").latest("pk")
    yield "account-of-active-key", f"/admin/apikeys/apikey/{moved.pk}/account/"
    yield "keys-filtered", "/admin/apikeys/apikey/?needs=refused"
    yield "keys-found-none", "/admin/apikeys/apikey/?q=nobody"
    yield "staff", f"/admin/accounts/user/{values['<int:person_pk>']}/change/"


@pytest.mark.timeout(900)
def test_every_page_of_the_desk_is_in_order_in_light_and_dark(
    stack: Stack, browser: Browser, insider: User, subtests: pytest.Subtests
) -> None:
    fill(insider)
    desk_states.fill_states(insider)
    auditor, customer = make_staff(Role.AUDITOR), busiest()
    looks = [
        (insider, [*pages(), *desk_states.states()], list(desk_states.sent_forms(customer))),
        (auditor, list(desk_states.looks_only(customer)), []),
    ]
    for person, addresses, forms in looks:
        with window_of(person, stack, browser) as page:
            complaints = complaints_of(page)
            for name, path in addresses:
                with subtests.test(name):
                    complaints.clear()
                    answer = page.goto(path)
                    assert answer is not None
                    assert answer.status == 200
                    wrong = looks_of(page, name)
                    assert not wrong + complaints, "\n".join(wrong + complaints)
            for form in forms:
                with subtests.test(form.name):
                    complaints.clear()
                    form.through(page)
                    wrong = looks_of(page, form.name)
                    assert not wrong + complaints, "\n".join(wrong + complaints)


def test_what_was_typed_is_sent_again_once_the_person_has_proved_themselves(
    stack: Stack, browser: Browser, insider: User
) -> None:
    client = signed_in(insider)
    with window_of(insider, stack, browser, client) as page:
        complaints_of(page)
        page.goto("/admin/apikeys/enginetoken/add/")
        page.get_by_label("Name").fill("engine-1")
        page.get_by_label("Reason").fill("The new engine.")
        page.locator("[name=scopes]").first.check()
        session = client.session
        session["proved_at"] = (timezone.now() - timedelta(minutes=61)).isoformat()
        session.save()
        page.get_by_role("button", name="Add the engine token").click()
        expect(page.get_by_text("Nothing was done yet")).to_be_visible()
        assert page.get_by_label("Reason").input_value() == "The new engine."
        assert not looks_of(page, "send-again")
        with page.expect_popup() as other:
            page.get_by_role("link", name="Prove that it is you").click()
        other.value.locator("[name=code]").fill(code_of(AuthenticatorApp.objects.get()))
        other.value.get_by_role("button", name="Continue", exact=True).click()
        expect(other.value).to_have_url(f"{stack.url}/admin/")
        assert not EngineToken.objects.exists()
        page.get_by_role("button", name="Send it again").click()
        expect(page.get_by_label("Token", exact=True)).to_have_value(re.compile("^seqe_"))
        assert not looks_of(page, "token-made")
        assert EngineToken.objects.get().name == "engine-1"


@contextmanager
def window_of(person: User, stack: Stack, browser: Browser, client: Client | None = None) -> Iterator[Page]:
    context = browser.new_context(base_url=stack.url, viewport={"width": WIDTHS[0], "height": 800})
    context.set_default_timeout(WAIT * 1000)
    session = (client or signed_in(person)).cookies["session"].value
    context.add_cookies([{"name": "session", "value": session, "domain": "127.0.0.1", "path": "/"}])
    yield context.new_page()
    context.close()


def looks_of(page: Page, name: str) -> list[str]:
    """What is wrong with it. Only colours differ in the dark."""
    set_look(page, WIDTHS[0], "light")
    wrong = [f"light: {words}" for words in axe_violations(page)]
    wrong += page.evaluate(_CUT_OFF)
    set_look(page, WIDTHS[0], "dark")
    wrong += [f"dark: {words}" for words in axe_violations(page, ["color-contrast"])]
    wrong += [f"policy: {words}" for words in page.evaluate("() => window.violations")]
    if folder := os.environ.get("DESK_PICTURES"):
        for theme in THEMES:
            for width in WIDTHS:
                set_look(page, width, theme)
                page.screenshot(path=Path(folder) / f"{name}-{width}-{theme}.png", full_page=True)
    return wrong
