"""Who gets what at every address: each route of the configuration, asked and posted to by everybody.

A route that the table does not know fails, so a new view cannot be forgotten. Objects are Alice's.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.flows import change_address, clear_mailbox
from accounts.models import MailDomain, User
from accounts.roles import Act, Role
from apikeys.engine import tokens
from apikeys.flows import jobs, request_bot
from apikeys.models import Bot, EngineToken, ExchangeState, Handover, Job
from apikeys.status import KeyStatus
from notifications import outbox
from notifications.kinds import MailKind
from notifications.models import Mail
from sequence_portal.middleware import PERMISSIONS_POLICY
from tests.apikeys.rows import make_key
from tests.conftest import make_customer, make_staff, signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.notifications.samples import CONTEXTS
from tests.routes import Route, every_route

pytestmark = pytest.mark.django_db

# Who asks.
NOBODY, OWNER, OTHER, HELD = "signed out", "owner", "other customer", "held customer"
STAFF = tuple(role.value for role in Role)
SUPPORT, LEAD, OPERATIONS, AUDITOR = STAFF
CUSTOMERS = (OWNER, OTHER, HELD)
SIGNED_IN = (*CUSTOMERS, *STAFF)
EVERYBODY = (NOBODY, *SIGNED_IN)

# What they get.
PAGE, DENIED, MISSING, NOT_THIS_WAY, NO_TOKEN = "200", "403", "404", "405", "401"
NOT_READY = "503"
TO_SIGN_IN, TO_DESK_SIGN_IN, TO_BOTS, TO_DESK = "to /sign-in/", "to /admin/login/", "to /", "to /admin/"
START_AGAIN, HELP_AGAIN, OUT = "to /sign-in/?again", "to /sign-in/help/?again", "to /sign-in/?out"
BACK_TO_HISTORY, TO_KEY, TO_FACTORS = "to /security/", "to /keys/", "to /security/factors/"
TO_APP, TO_CONFIRM, TO_CODE = (
    "to /security/factors/app/",
    "to /security/confirm/",
    "to /security/confirm/code/",
)
TO_STAFF_START, TO_MAILBOX = "to /staff/first-sign-in/", "to /security/mailbox/"

Answers = Mapping[str, str]


def all_get(answer: str) -> Answers:
    return dict.fromkeys(EVERYBODY, answer)


@dataclass(frozen=True, slots=True)
class Expected:
    get: Answers
    post: Answers


def entrance(get: str, post: str) -> Expected:
    """For those outside; who is in already is led to the bots, or to the desk."""
    inside = dict.fromkeys(CUSTOMERS, TO_BOTS) | dict.fromkeys(STAFF, TO_DESK)
    return Expected(inside | {NOBODY: get}, inside | {NOBODY: post})


def personal(get: str, post: str) -> Expected:
    """Everybody's own page, of those who are signed in. A method that it does not take is refused first."""
    outside = {NOBODY: TO_SIGN_IN}
    return Expected(
        all_get(get) if get == NOT_THIS_WAY else dict.fromkeys(SIGNED_IN, get) | outside,
        all_get(post) if post == NOT_THIS_WAY else dict.fromkeys(SIGNED_IN, post) | outside,
    )


def factors(get: str, post: str) -> Expected:
    """About a person's own authenticator app: here, staff have one and customers have none."""
    outside = {NOBODY: TO_SIGN_IN}
    return Expected(
        dict.fromkeys(CUSTOMERS, MISSING) | dict.fromkeys(STAFF, get) | outside,
        dict.fromkeys(CUSTOMERS, MISSING) | dict.fromkeys(STAFF, post) | outside,
    )


def alices(get: str, post: str) -> Expected:
    """About something of Alice's, which exists for nobody else."""
    others = {**dict.fromkeys(SIGNED_IN, MISSING), NOBODY: TO_SIGN_IN}
    return Expected(
        all_get(get) if get == NOT_THIS_WAY else others | {OWNER: get},
        all_get(post) if post == NOT_THIS_WAY else others | {OWNER: post},
    )


def desk(get: str, post: str, who: tuple[str, ...] = STAFF, others: str = DENIED) -> Expected:
    """For staff; `others` of the staff than `who` get that."""
    outside = dict.fromkeys((NOBODY, *CUSTOMERS), TO_DESK_SIGN_IN) | dict.fromkeys(STAFF, others)
    return Expected(outside | dict.fromkeys(who, get), outside | dict.fromkeys(who, post))


def acts(post: str, who: tuple[str, ...]) -> Expected:
    """A page about a customer, to be read by all who may see people, with an act for some of them."""
    looks = desk(PAGE, DENIED, (SUPPORT, LEAD, AUDITOR))
    return Expected(looks.get, {**looks.post, **dict.fromkeys(who, post)})


def everybody(get: str, post: str) -> Expected:
    return Expected(all_get(get), all_get(post))


LETTER = Expected(
    desk(MISSING, "", (SUPPORT, LEAD, AUDITOR)).get,  # this mail is none
    desk("", NOT_THIS_WAY).post,
)
TABLE: Mapping[str, Expected] = {
    "accounts:sign_in": entrance(PAGE, PAGE),
    "accounts:code": entrance(START_AGAIN, START_AGAIN),
    "accounts:code_again": everybody(NOT_THIS_WAY, START_AGAIN),
    "accounts:help": everybody(PAGE, PAGE),
    "accounts:help_code": everybody(HELP_AGAIN, HELP_AGAIN),
    "accounts:help_code_again": everybody(NOT_THIS_WAY, HELP_AGAIN),
    "accounts:new_password": everybody(HELP_AGAIN, HELP_AGAIN),
    "accounts:sign_out": everybody(NOT_THIS_WAY, OUT),
    "accounts:address_confirm": everybody(PAGE, PAGE),
    "accounts:address_cancel": personal(NOT_THIS_WAY, BACK_TO_HISTORY),
    "accounts:mailbox": Expected(
        {**personal(BACK_TO_HISTORY, "").get, HELD: PAGE},
        {**personal("", BACK_TO_HISTORY).post, HELD: TO_MAILBOX},
    ),
    "accounts:security": personal(PAGE, NOT_THIS_WAY),
    "accounts:factor": everybody(START_AGAIN, START_AGAIN),
    "accounts:staff_start": everybody(PAGE, PAGE),
    "accounts:staff_password": everybody(TO_STAFF_START, TO_STAFF_START),
    # Who has no second factor is mailed a code; staff, who have one, are asked for it.
    "accounts:confirm": Expected(
        personal(PAGE, PAGE).get,
        dict.fromkeys(CUSTOMERS, TO_CODE) | dict.fromkeys(STAFF, PAGE) | {NOBODY: TO_SIGN_IN},
    ),
    "accounts:confirm_code": personal(TO_CONFIRM, TO_CONFIRM),
    "accounts:confirm_code_again": personal(NOT_THIS_WAY, TO_CONFIRM),
    "accounts:factors": personal(PAGE, NOT_THIS_WAY),
    "accounts:begin_app": personal(NOT_THIS_WAY, TO_APP),
    "accounts:factors_app": personal(TO_FACTORS, TO_FACTORS),
    "accounts:app_qr": Expected(
        dict.fromkeys(SIGNED_IN, MISSING) | {NOBODY: TO_SIGN_IN}, all_get(NOT_THIS_WAY)
    ),
    "accounts:remove_app": factors(PAGE, TO_FACTORS),
    "accounts:add_passkey": personal(NOT_THIS_WAY, PAGE),
    "accounts:remove_passkey": Expected(
        dict.fromkeys(SIGNED_IN, MISSING) | {NOBODY: TO_SIGN_IN},
        dict.fromkeys(SIGNED_IN, MISSING) | {NOBODY: TO_SIGN_IN},
    ),
    "accounts:recovery_codes": Expected(
        all_get(NOT_THIS_WAY),
        dict.fromkeys(CUSTOMERS, TO_FACTORS) | dict.fromkeys(STAFF, PAGE) | {NOBODY: TO_SIGN_IN},
    ),
    "accounts:end_session": personal(NOT_THIS_WAY, BACK_TO_HISTORY),
    "accounts:end_other_sessions": personal(NOT_THIS_WAY, BACK_TO_HISTORY),
    "apikeys:bots": personal(PAGE, NOT_THIS_WAY),
    "apikeys:new_bot": personal(PAGE, PAGE),
    "apikeys:take_request_back": alices(NOT_THIS_WAY, TO_BOTS),
    "apikeys:exchanges": personal(PAGE, NOT_THIS_WAY),
    "apikeys:guide": personal(PAGE, NOT_THIS_WAY),
    "apikeys:key_form": alices(PAGE, PAGE),
    "apikeys:key": alices(PAGE, NOT_THIS_WAY),
    "apikeys:take_back": alices(NOT_THIS_WAY, TO_KEY),
    "engine:handovers": everybody(NO_TOKEN, NO_TOKEN),
    "engine:ack_many": everybody(NO_TOKEN, NO_TOKEN),
    "engine:ack": everybody(NO_TOKEN, NO_TOKEN),
    "engine:reject": everybody(NO_TOKEN, NO_TOKEN),
    "engine:bots": everybody(NO_TOKEN, NO_TOKEN),
    "engine/v1/": everybody(NO_TOKEN, NO_TOKEN),
    "healthz": everybody(PAGE, NOT_THIS_WAY),
    "readyz": everybody(NOT_READY, NOT_THIS_WAY),  # no worker runs here
    "metrics": everybody(PAGE, NOT_THIS_WAY),  # asked from this machine
    "admin:index": desk(PAGE, PAGE),
    "admin:login": Expected(
        dict.fromkeys(CUSTOMERS, TO_BOTS) | dict.fromkeys(STAFF, TO_DESK) | {NOBODY: TO_SIGN_IN},
        dict.fromkeys(CUSTOMERS, TO_BOTS) | dict.fromkeys(STAFF, TO_DESK) | {NOBODY: TO_SIGN_IN},
    ),
    "admin:logout": Expected(
        dict.fromkeys((NOBODY, *CUSTOMERS), "to /admin/") | dict.fromkeys(STAFF, NOT_THIS_WAY),
        dict.fromkeys((NOBODY, *CUSTOMERS), "to /admin/") | dict.fromkeys(STAFF, OUT),
    ),
    "admin:password_change": desk(TO_FACTORS, TO_FACTORS),
    "admin:password_change_done": desk(TO_FACTORS, TO_FACTORS),
    "admin:search": desk(PAGE, "to /admin/"),
    "admin:autocomplete": desk(DENIED, NOT_THIS_WAY),
    "admin:jsi18n": desk(PAGE, NOT_THIS_WAY),
    "admin:customer": desk(PAGE, DENIED, (SUPPORT, LEAD, AUDITOR)),
    "admin:customer_address": acts(PAGE, (SUPPORT, LEAD)),
    "admin:customer_sessions": acts(PAGE, (SUPPORT, LEAD)),
    "admin:customer_password": acts(PAGE, (SUPPORT, LEAD)),
    "admin:customer_revoke": acts(PAGE, (SUPPORT, LEAD)),
    "admin:person_unlock": acts(PAGE, (SUPPORT, LEAD)),
    "admin:staff_end": desk(MISSING, MISSING, (SUPPORT, LEAD, AUDITOR)),  # Alice is no member of staff
    "admin:mail_resend": Expected(desk(PAGE, PAGE).get, desk(PAGE, PAGE, (SUPPORT, LEAD)).post),
    "admin:key_check": Expected(desk(PAGE, PAGE).get, desk(PAGE, PAGE, (SUPPORT, LEAD)).post),
    "admin:key_revoke": Expected(desk(PAGE, PAGE).get, desk(PAGE, PAGE, (SUPPORT, LEAD)).post),
    "admin:exchange_revoke": desk(PAGE, PAGE, (LEAD,)),
    # Nothing is chosen here, so it leads back to the list.
    "admin:tokens_revoke": desk("to /admin/", "to /admin/", (OPERATIONS,)),
    "admin:job": Expected(desk(PAGE, PAGE).get, desk("to /admin/", "to /admin/", (LEAD,)).post),
    "admin:apikeys_job_change": desk("to /admin/", "to /admin/"),
    "admin:apikeys_botrequest_change": Expected(desk("to /admin/", PAGE).get, desk(PAGE, DENIED).post),
    "admin:customer_mailbox": acts(PAGE, (SUPPORT, LEAD)),
    "admin:person_factors": acts(PAGE, (LEAD,)),
    "admin:customer_close": acts(PAGE, (LEAD,)),
    "admin:customer_letter": acts(PAGE, (SUPPORT, LEAD)),
    "admin:letter": LETTER,
    "admin:letter_pdf": LETTER,
    "admin:customer_bot": acts(PAGE, (SUPPORT, LEAD)),
    "admin:customer_add": desk(PAGE, PAGE, (SUPPORT, LEAD)),
    "admin:customer_import": desk(PAGE, PAGE, (SUPPORT, LEAD)),
    "admin:bot_request": Expected(desk(PAGE, PAGE).get, desk(PAGE, PAGE, (SUPPORT, LEAD)).post),
    "admin:bot_move": Expected(desk(PAGE, PAGE).get, desk(PAGE, PAGE, (LEAD,)).post),
    "admin:view_on_site": desk(MISSING, MISSING),
    "admin:wallboard": Expected(
        desk(PAGE, PAGE, (LEAD, OPERATIONS)).get, desk(NOT_THIS_WAY, NOT_THIS_WAY).post
    ),
    "admin:app_list": desk(PAGE, PAGE),
    "admin:key_account": Expected(desk(PAGE, PAGE).get, desk(PAGE, PAGE, (SUPPORT, LEAD)).post),
    "admin/(?P<url>.*)$": desk(MISSING, MISSING),
}

# Who looks at which model at the desk. Nobody adds, changes or deletes a row there, with one exception.
LOOKS: Mapping[str, tuple[str, ...]] = {
    "accounts.user": (SUPPORT, LEAD, AUDITOR),
    "accounts.auditevent": (SUPPORT, LEAD, AUDITOR),
    "accounts.addresschange": (SUPPORT, LEAD, AUDITOR),
    "accounts.mailboxhold": (SUPPORT, LEAD, AUDITOR),
    "accounts.maildomain": (SUPPORT, LEAD, AUDITOR),
    "apikeys.bot": STAFF,
    "apikeys.handover": STAFF,
    "apikeys.enginetoken": STAFF,
    "apikeys.apikey": STAFF,
    "apikeys.exchangestate": STAFF,
    "apikeys.job": STAFF,
    "apikeys.botrequest": STAFF,
    "notifications.mail": STAFF,
}
# Who takes which list away as a file. Posted to without a reason, it asks for one.
EXPORTS: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("accounts.user", "accounts.auditevent", "apikeys.bot", "apikeys.apikey", "notifications.mail"),
    (LEAD, AUDITOR),
)
ADDS: Mapping[str, tuple[str, ...]] = {"apikeys.enginetoken": (OPERATIONS,)}
_OF_MODEL = re.compile(r"admin/(?P<app>\w+)/(?P<model>\w+)/(?P<rest>.*)")


def expected_at(route: Route) -> Expected | None:
    of_model = _OF_MODEL.fullmatch(route.path)
    if route.name in TABLE or of_model is None:
        return TABLE.get(route.name)
    label = f"{of_model['app']}.{of_model['model']}"
    if label not in LOOKS:
        return None
    return {
        "": desk(PAGE, PAGE, LOOKS[label]),
        "add/": desk(PAGE, PAGE, ADDS.get(label, ())),
        "export/": desk(PAGE, PAGE, EXPORTS.get(label, ())),
        "<path:object_id>/history/": desk(PAGE, PAGE, LOOKS[label]),
        "<path:object_id>/change/": desk(PAGE, DENIED, LOOKS[label]),
        "<path:object_id>/delete/": desk(DENIED, DENIED),
        "<path:object_id>/": desk("to /admin/", "to /admin/"),
    }.get(of_model["rest"])


@dataclass(frozen=True)
class Place:
    """A portal in which there is one of everything, and a browser of each who asks."""

    clients: Mapping[str, Client]
    bot: Bot
    key: str
    handover: str
    bot_request: str

    def address(self, route: Route) -> str:
        """The route with an object of Alice's, or the newest row of a model at the desk."""
        path = route.path
        if (of_model := _OF_MODEL.fullmatch(path)) and "<" in path:
            newest = apps.get_model(of_model["app"], of_model["model"])._default_manager.latest("pk")
            path = path.replace("<path:object_id>", str(newest.pk).replace("_", "_5F"))
        for pattern, value in {
            r"<int:pk>": str(self.bot.pk),
            r"<int:bot_pk>": str(self.bot.pk),
            r"<int:customer_pk>": str(self.bot.customer_id),
            r"<int:person_pk>": str(self.bot.customer_id),
            r"<slug:exchange>": self.bot.exchange,
            r"<uuid:pk>|<uuid:key_id>": self.key,
            r"<uuid:handover_id>": self.handover,
            r"<uuid:job_id>": str(Job.objects.get().pk),
            r"<uuid:mail_id>": str(Mail.objects.get(cause="one").pk),
            r"<uuid:request_pk>": self.bot_request,
            r"<path:\w+>": "1",
            r"\^?\(\?P<app_label>[^)]+\)": "apikeys",
            r"\(\?P<url>\.\*\)": "no/such/page",
            r"\$$": "",
        }.items():
            path = re.sub(pattern, value, path)
        assert not re.search(r"[<>()?^$]", path), f"What stands for {path}?"
        return f"/{path}"


@pytest.fixture
def held(hashed_password: str) -> User:
    """Held because of a Microsoft mailbox."""
    return make_customer("carol@outlook.com", "0x3C4 / CarolPoe", hashed_password)


@pytest.fixture
def place(alice: User, bob: User, held: User, binance_bot: Bot) -> Place:
    key = make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(0))
    handover = Handover.objects.create(key=key, kind=Handover.Kind.KEY, created_at=timezone.now())
    ExchangeState.objects.create(exchange="binance")
    tokens.make(EngineToken(), name="engine-1", scopes=[], addresses=[], life=timedelta(days=1))
    with transaction.atomic():
        audit.record(Verb.SIGNED_IN, customer=alice, actor=alice)
        kind = MailKind.PASSWORD_CHANGED
        outbox.send(kind, owner_id=alice.pk, to=alice.email, cause="one", context=CONTEXTS[kind])
    people = {role.value: make_staff(role) for role in Role}
    jobs.choose(act=Act.REVOKE_CHOSEN, rows=[(key.pk, "active")], actor=people[LEAD], address="192.0.2.1")
    MailDomain.objects.watch(alice.email)
    clear_mailbox.ask(customer=alice, note="", address="192.0.2.1")
    change_address.start(
        customer=alice, new_email="a@new.example", reason="x", actor=people[LEAD], address="192.0.2.1"
    )
    staff = {role: signed_in(person) for role, person in people.items()}
    customers = {OWNER: signed_in(alice), OTHER: signed_in(bob), HELD: signed_in(held)}
    clients = {NOBODY: Client(), **customers, **staff}
    asked = request_bot.ask(customer=alice, exchange="kraken", market="spot", note="", address="192.0.2.1")
    return Place(clients, binance_bot, str(key.pk), str(handover.pk), str(asked.pk))


@contextmanager
def undone() -> Iterator[None]:
    """What a request did is taken back after it, a session that it ended included."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def seen(answer: Any) -> str:
    """A status, or where it leads without the rest of the query."""
    if answer.status_code not in (301, 302):
        return str(answer.status_code)
    path, _, query = answer["Location"].partition("?")
    name = query.partition("=")[0]
    if name in ("again", "out"):
        return f"to {path}?{name}"
    if path.startswith(("/admin/", "/keys/")) and path != "/admin/login/":
        return f"to /{path.split('/')[1]}/"
    return f"to {path}"


_WRITE = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)', re.IGNORECASE)
# Written by a look: when a session was seen last, for how long an opened key form keeps it, and counters.
_WRITTEN_BY_A_LOOK = {"accounts_session", "accounts_limitcount"}


_POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}
_HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
}
_INLINE = re.compile(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*(?:\ssrc=|application/json))")


def flaws(answer: Any) -> list[str]:
    """What is wrong with the headers, and what the policy would forbid the page."""
    found = [f"{name}: {answer.get(name)}" for name, wanted in _HEADERS.items() if answer.get(name) != wanted]
    if "no-store" not in answer.get("Cache-Control", ""):
        found.append("may be stored")
    policy = answer.get("Content-Security-Policy", "")
    if {part.strip() for part in policy.split(";")} != _POLICY:
        found.append(f"policy: {policy}")
    return found + _INLINE.findall(answer.content.decode())


def ask(place: Place, method: str, route: Route) -> Iterator[tuple[str, Any, set[str]]]:
    """Who asked, what they got, and which tables were written to. All of it is taken back.

    Everybody asks, but a HEAD runs the view of the GET: those who reach most are enough for it.
    """
    address = place.address(route)
    for who in (OWNER, LEAD) if method == "HEAD" else EVERYBODY:
        client = place.clients[who]
        cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        with undone(), CaptureQueriesContext(connection) as statements:
            answer = client.generic(method, address)
        client.cookies = SimpleCookie(cookies)
        written = {match[1] for query in statements if (match := _WRITE.match(query["sql"]))}
        yield who, answer, written


def test_it_answers_everybody_at_every_address_as_the_table_says_and_changes_nothing(place: Place) -> None:
    wrong = []
    for route in every_route():
        expected = expected_at(route)
        if expected is None:
            wrong.append(f"{route.name}: nothing says who may come here")
            continue
        for method in ("GET", "HEAD"):
            for who, answer, written in ask(place, method, route):
                got = seen(answer)
                if got != expected.get[who]:
                    wrong.append(f"{method} {route.path} as {who}: {got}, expected {expected.get[who]}")
                wrong += [f"{method} {route.path} as {who}: {flaw}" for flaw in flaws(answer)]
                if written - _WRITTEN_BY_A_LOOK:
                    wrong.append(f"{method} {route.path} as {who} writes {written}")
    assert not wrong, "\n".join(wrong[:50])


def test_it_takes_forms_from_those_alone_whom_the_table_names(place: Place) -> None:
    wrong = []
    for route in every_route():
        if expected := expected_at(route):
            for who, answer, _ in ask(place, "POST", route):
                got = seen(answer)
                if got != expected.post[who]:
                    wrong.append(f"POST {route.path} as {who}: {got}, expected {expected.post[who]}")
    assert not wrong, "\n".join(wrong[:50])


def test_it_sends_the_same_headers_where_there_is_no_page(client: Client) -> None:
    answer = client.get("/no/such/page/")
    assert (answer.status_code, flaws(answer)) == (404, [])


def test_it_shows_a_held_customer_the_gate_and_takes_no_key(place: Place, held: User) -> None:
    bot = Bot.objects.create(bot_id=f"{held.client_id} / BTC-1", customer=held, exchange="binance")
    good = DEMO_KEYS["binance"]["good"]
    for fields in (None, {"api_key": good.api_key, "secret": good.secret}):
        address, browser = f"/bots/{bot.pk}/key/", place.clients[HELD]
        answer = browser.get(address) if fields is None else browser.post(address, fields)
        page = answer.content.decode()
        assert answer.status_code == (403 if fields else 200)
        assert 'data-gate="microsoft-email"' in page
        assert 'name="api_key"' not in page
    assert not bot.keys.exists()


def test_it_has_an_opinion_on_every_model_at_the_desk() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == LOOKS.keys()


def test_it_shows_nobody_else_that_something_exists(place: Place) -> None:
    """What is Bob's and what is nowhere get one answer, to the byte apart from its token."""
    bob = place.clients[OTHER]
    for address, nowhere in (
        (f"/keys/{place.key}/", f"/keys/{uuid4()}/"),
        (f"/bots/{place.bot.pk}/key/", "/bots/987654321/key/"),
    ):
        one, other = bob.get(address), bob.get(nowhere)
        assert one.status_code == other.status_code == 404
        assert hide(one.content) == hide(other.content)


def hide(content: bytes) -> bytes:
    return re.sub(rb'value="[^"]*"', b"", content)
