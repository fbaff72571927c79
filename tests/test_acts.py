"""Every act of the desk as every role: done or refused as the table says, with just the events it must leave.

A new act without an entry here fails.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from accounts import roles
from accounts.acts import By
from accounts.flows import change_address, clear_mailbox
from accounts.models import AddressChange, AuditEvent, User
from accounts.roles import ACTS, Act, Role
from apikeys.engine import tokens
from apikeys.findings import Finding, FindingCode, Severity
from apikeys.flows import jobs, request_bot, revoke
from apikeys.models import ALONE_MAX, ApiKey, Bot, EngineToken, Job
from apikeys.status import KeyStatus
from notifications import outbox
from notifications.kinds import MailKind
from notifications.models import Mail
from tests.apikeys.rows import make_key
from tests.authenticators import add_app
from tests.conftest import make_customer, make_staff, signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.notifications.samples import CONTEXTS

pytestmark = pytest.mark.django_db

REASON = "Ticket 4711"
WITH_A_KEY = f"The customer sent key {DEMO_KEYS['binance']['good'].api_key}."
FROM = "192.0.2.1"
HELD = Finding(FindingCode.WRONG_ACCOUNT, Severity.HOLD, "Account", "1", "2", "Ask.")


@dataclass
class World:
    """One of everything that can be acted on, none of it done by who acts."""

    alice: User
    bob: User
    carol: User
    active: ApiKey
    held: ApiKey
    unused: Bot
    mail: Mail
    leaver: User
    other_lead: User

    def job(self, act: Act, actor: User) -> Job:
        rows = [(self.active.pk, "active"), (self.held.pk, "checking")]
        if act is Act.RESEND_MAIL:
            rows = [(self.mail.pk, "0")]
        return jobs.choose(act=act, rows=rows, actor=actor, address=FROM)

    def asked(self) -> Job:
        return jobs.ask(exchange="binance", by=By(self.other_lead, FROM, "why"))


@pytest.fixture
def world(alice: User, bob: User, binance_bot: Bot, bybit_bot: Bot, hashed_password: str) -> World:
    lead = make_staff(Role.LEAD, "other.lead@sequence.example")
    change = change_address.start(
        customer=bob, new_email="b@new.example", reason="x", actor=lead, address=FROM
    )
    AddressChange.objects.filter(pk=change.pk).update(
        status=AddressChange.Status.CONFIRMED, due_at=timezone.now() + timedelta(hours=9)
    )
    add_app(bob)
    with transaction.atomic():
        kind = MailKind.PASSWORD_CHANGED
        outbox.send(kind, owner_id=alice.pk, to="old@example.com", cause="m", context=CONTEXTS[kind])
    Mail.objects.filter(cause="m").update(status=Mail.Status.FAILED)
    EngineToken.objects.all().delete()
    return World(
        alice,
        bob,
        make_customer("carol@outlook.com", "0x3C4 / CarolPoe", hashed_password),
        make_key(binance_bot, KeyStatus.ACTIVE, "aaaa", timedelta(days=3)),
        make_key(
            bybit_bot,
            KeyStatus.CHECKING,
            "bbbb",
            timedelta(hours=1),
            held=True,
            account_id="2",
            findings_json=[HELD.as_json()],
        ),
        Bot.objects.create(
            bot_id="0x1A2 / AliceDoe / NEW-1", customer=alice, exchange="binance", market="spot"
        ),
        Mail.objects.get(cause="m"),
        make_staff(Role.SUPPORT, "leaver@sequence.example"),
        lead,
    )


@dataclass(frozen=True)
class Case:
    """where: an address, from the world and who acts. send: fields beside the reason. leaves: events.

    seen: what the page shows of the thing, where that cannot be written down beforehand.
    """

    where: Callable[[World, User], str]
    send: Mapping[str, Any]
    leaves: Mapping[str, int]
    seen: Callable[[World], str] = lambda _: ""
    # Notes are reasons by another name; what only adds something asks for none.
    reason_field: str = "reason"
    status: int = 302  # once it is done


def of_alice(page: str) -> Callable[[World, User], str]:
    return lambda world, _: f"/admin/accounts/user/{world.alice.pk}/{page}/"


def of_key(page: str) -> Callable[[World, User], str]:
    return lambda world, _: f"/admin/apikeys/apikey/{world.active.pk}/{page}/"


def of_job(make: Callable[[World, User], Job]) -> Callable[[World, User], str]:
    return lambda world, person: f"/admin/apikeys/job/{make(world, person).pk}/progress/"


def running(world: World, person: User) -> Job:
    job = world.asked()
    Job.objects.filter(pk=job.pk).update(status=Job.Status.RUNNING, started_at=timezone.now())
    return job


def of_request(world: World, _: User) -> str:
    asked = request_bot.ask(customer=world.alice, exchange="kraken", market="spot", note="", address=FROM)
    return f"/admin/apikeys/botrequest/{asked.pk}/decide/"


def of_a_token(*_: object) -> str:
    tokens.make(name="engine-1", scopes=[], addresses=[], life=timedelta(days=1))
    return f"/admin/apikeys/enginetoken/revoke/?of={EngineToken.objects.get().pk}"


def of_carols_mailbox(world: World, _: User) -> str:
    return f"/admin/accounts/user/{world.carol.pk}/mailbox/"


def seen_of_it(world: World) -> str:
    return clear_mailbox.shown(world.carol.email, None)


def of_the_change(world: World) -> str:
    return str(world.bob.address_changes.get().pk)


def chosen(act: Act) -> Callable[[World, User], str]:
    return of_job(lambda world, person: world.job(act, person))


def too_many(world: World, person: User) -> Job:
    rows = [(uuid4(), "active") for _ in range(ALONE_MAX + 1)]
    return jobs.choose(act=Act.REVOKE_CHOSEN, rows=rows, actor=person, address=FROM)


def asked_for_many(world: World, _: User) -> Job:
    job = too_many(world, world.other_lead)
    jobs.ask_for_chosen(job_id=job.pk, by=By(world.other_lead, FROM, "why"))
    return job


SURE = {"sure": "on"}
START = {"step": "start", **SURE}
# Of a job: one event of it as a whole when it is started, one for each row, and one of the portal at its end.
OF_A_JOB = {"job_started": 1, "job_ended": 1}
CASES: Mapping[Act, list[Case]] = {
    Act.CHANGE_ADDRESS: [
        Case(
            of_alice("address"),
            {"act": "start", "new_email": "a@new.example"},
            {"address_change_started": 1},
        ),
        Case(
            lambda world, _: f"/admin/accounts/user/{world.bob.pk}/address/",
            {"act": "cancel"},
            {"address_change_cancelled": 1},
            of_the_change,
        ),
    ],
    Act.SHORTEN_HOLD: [
        Case(
            lambda world, _: f"/admin/accounts/user/{world.bob.pk}/address/",
            {"act": "shorten", **SURE},
            {"address_hold_shortened": 1},
            of_the_change,
        )
    ],
    Act.CLEAR_MAILBOX: [
        Case(of_carols_mailbox, {"clear": "1"}, {"mailbox_cleared": 1}, seen_of_it, "note"),
        Case(of_carols_mailbox, {"keep": "1"}, {"mailbox_kept": 1}, seen_of_it, "note"),
    ],
    Act.CLOSE_CUSTOMER: [
        Case(
            lambda world, _: f"/admin/accounts/user/{world.carol.pk}/close/",
            {"client_id": "0x3C4 / CarolPoe"},
            {"customer_closed": 1},
        )
    ],
    Act.RESET_FACTORS: [
        Case(lambda world, _: f"/admin/accounts/user/{world.bob.pk}/factors/", {}, {"factors_reset": 1})
    ],
    Act.END_SESSIONS: [Case(of_alice("sessions"), SURE, {"sessions_ended": 1})],
    Act.RESET_PASSWORD: [Case(of_alice("password"), SURE, {"password_ended": 1})],
    Act.UNLOCK: [Case(of_alice("unlock"), {}, {"unlocked": 1})],
    Act.RESEND_MAIL: [
        Case(
            lambda world, _: f"/admin/notifications/mail/{world.mail.pk}/resend/",
            {"seen": "0"},
            {"mail_resent": 1},
        ),
        Case(chosen(Act.RESEND_MAIL), START, OF_A_JOB | {"mail_resent": 1}),
    ],
    Act.CHECK_KEY: [
        Case(of_key("check"), {"seen": "active"}, {"key_check_asked": 1}),
        Case(chosen(Act.CHECK_KEY), START, OF_A_JOB | {"key_check_asked": 2}),
    ],
    Act.REVOKE_KEY: [Case(of_key("revoke"), {"seen": "active", **SURE}, {"key_revoked": 1})],
    Act.REVOKE_CUSTOMER: [
        Case(
            lambda world, _: f"/admin/apikeys/apikey/of/{world.alice.pk}/revoke/",
            SURE,
            {"keys_revoked": 1, "key_revoked": 2},
            lambda world: revoke.shown([world.held, world.active]),
        )
    ],
    Act.REVOKE_CHOSEN: [
        Case(chosen(Act.REVOKE_CHOSEN), START, OF_A_JOB | {"key_revoked": 2}),
        # More than one lead ends alone.
        Case(of_job(too_many), {"step": "ask", **SURE}, {"job_asked": 1}),
        Case(of_job(asked_for_many), {"step": "approve", **SURE}, {"job_started": 1}),
        Case(of_job(asked_for_many), {"step": "turn_down"}, {"job_turned_down": 1}),
    ],
    Act.REVOKE_EXCHANGE: [
        Case(
            lambda *_: "/admin/apikeys/job/exchange/revoke/",
            {"exchange": "binance", **SURE},
            {"job_asked": 1},
        ),
        Case(of_job(lambda world, _: world.asked()), {"step": "approve", **SURE}, {"job_started": 1}),
        Case(of_job(lambda world, _: world.asked()), {"step": "turn_down"}, {"job_turned_down": 1}),
        Case(of_job(running), {"step": "stop"}, {"job_stopped": 1}),
    ],
    Act.ADD_CUSTOMERS: [
        Case(
            lambda *_: "/admin/accounts/user/new/",
            {"client_id": "0x9 / NewOne", "name": "New", "email": "new@example.org"},
            {"imported": 1},
            reason_field="",
        ),
        Case(
            lambda *_: "/admin/accounts/user/import/",
            {
                "text": "client_id,name,email,bot_id,exchange,market\n"
                "0x9 / NewOne,New,new@example.org,0x9 / NewOne / BTC-1,binance,spot\n",
                "act": "import",
            },
            {"imported": 1, "bot_launched": 1},
            reason_field="",
        ),
    ],
    Act.LAUNCH_BOT: [
        Case(
            of_request,
            {"act": "launch", "bot_id": "0x1A2 / AliceDoe / XBT-9"},
            {"bot_launched": 1},
            reason_field="",
        ),
        Case(
            of_request, {"act": "decline", "answer": "Not yet."}, {"bot_request_declined": 1}, reason_field=""
        ),
    ],
    Act.MOVE_BOT: [
        Case(
            lambda world, _: f"/admin/apikeys/bot/{world.unused.pk}/move/",
            {"client_id": "0x2B3 / BobRoe"},
            {"bot_moved": 1},
        )
    ],
    Act.WRITE_LETTER: [
        Case(
            of_alice("letter"),
            {"subject": "Your invoice", "text": "Here it is.", "draft": str(uuid4())},
            {"letter_written": 1},
            reason_field="",
        )
    ],
    Act.SETTLE_ACCOUNT: [
        Case(
            lambda world, _: f"/admin/apikeys/apikey/{world.held.pk}/account/",
            {"act": "confirm", "seen": "checking 2"},
            {"account_confirmed": 1},
        ),
        # The refusal that follows is the portal's own event, as for every key that is refused.
        Case(
            lambda world, _: f"/admin/apikeys/apikey/{world.held.pk}/account/",
            {"act": "turn_down", "seen": "checking 2"},
            {"account_turned_down": 1, "key_refused": 1},
        ),
    ],
    Act.END_STAFF: [
        Case(lambda world, _: f"/admin/accounts/user/{world.leaver.pk}/end/", SURE, {"staff_ended": 1})
    ],
    Act.EXPORT: [
        Case(lambda *_, name=name: f"/admin/{name}/export/", {}, {"list_exported": 1}, status=200)
        for name in (
            "accounts/user",
            "accounts/auditevent",
            "apikeys/bot",
            "apikeys/apikey",
            "notifications/mail",
        )
    ],
    Act.MANAGE_ENGINE_TOKENS: [
        Case(
            lambda *_: "/admin/apikeys/enginetoken/add/",
            {"name": "engine-1", "scopes": ["handovers:read"], "addresses": "", "days": "30"},
            {"engine_token_made": 1},
            status=200,
        ),
        Case(of_a_token, {}, {"engine_token_revoked": 1}),
    ],
}
# These only look, and looking leaves no event.
LOOKS = {Act.WATCH_WORKERS}
# What no page takes, whoever sends it.
GRANTS = {
    "is_staff": "on",
    "is_superuser": "on",
    "groups": ["1", "2", "3", "4"],
    "user_permissions": ["1", "2", "3"],
    "role": "lead",
    "actor": "1",
    "asked_by": "1",
    "started_by": "1",
    "status": "running",
}
# What the portal does of itself in consequence.
OF_THE_PORTAL = {"key_refused", "job_ended"}


def test_it_knows_every_act() -> None:
    assert CASES.keys() | LOOKS == set(Act)


@pytest.mark.parametrize("act", CASES)
def test_it_is_done_by_the_roles_of_the_table_and_leaves_its_events(act: Act, world: World) -> None:
    for role in Role:
        person = make_staff(role)
        client = signed_in(person)
        for case in CASES[act]:
            with transaction.atomic():
                tell(case, act, role, person, client, world)
                transaction.set_rollback(True)


def tell(case: Case, act: Act, role: Role, person: User, client: Client, world: World) -> None:
    path = case.where(world, person)
    before = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    new = AuditEvent.objects.filter(pk__gt=before)
    fields = {"seen": case.seen(world), **case.send}
    sent = {**GRANTS, **fields}
    if case.reason_field:
        unexplained = client.post(path, fields)
        assert unexplained.status_code in ((200,) if role in ACTS[act] else (403,)), "a reason is asked for"
        assert not new.exists()
        if role in ACTS[act]:
            refused = client.post(path, sent | {case.reason_field: WITH_A_KEY})
            assert refused.status_code == 200, "no key is written down for good"
            if case.reason_field == "reason":  # the form of a note is for mailboxes at Microsoft alone
                page = refused.content.decode()
                assert "This looks like a key or a secret. A reason is kept for good" in page, path
                assert WITH_A_KEY in page, "what was typed stays in the form"
            assert not new.exists()
        sent |= {case.reason_field: REASON}
    answer = client.post(path, sent)
    again = User.objects.get(pk=person.pk)
    assert (roles.role_of(again), again.is_superuser) == (role, False)
    assert not again.user_permissions.exists()
    if role not in ACTS[act]:
        assert answer.status_code == 403, f"{role} at {path}"
        assert not new.exists()
        return
    assert answer.status_code == case.status, f"{role} at {path}: {answer.content.decode()[-3000:]}"
    assert Counter(new.values_list("verb", flat=True)) == case.leaves, f"{role} at {path}"
    for event in new.exclude(verb__in=OF_THE_PORTAL):
        assert event.actor == person, event.verb
        assert not case.reason_field or event.detail["reason"] == REASON, event.verb
        assert event.address


def test_it_asks_for_a_factor_of_the_last_hour(world: World) -> None:
    """Before anything is shown or done. What was typed comes back, to be sent again."""
    lead = make_staff(Role.LEAD)
    client = signed_in(lead)
    session = client.session
    session["proved_at"] = (timezone.now() - timedelta(minutes=61)).isoformat()
    session.save()
    before = AuditEvent.objects.count()
    for case in (case for cases in CASES.values() for case in cases):
        with transaction.atomic():
            path = case.where(world, lead)
            known = AuditEvent.objects.count()
            assert client.get(path)["Location"].startswith("/security/confirm/?next="), path
            answer = client.post(path, {**case.send, "reason": REASON, "note": REASON})
            assert answer.status_code == 403
            page = answer.content.decode()
            assert f'action="{escape(path)}"' in page
            assert page.count(f"\n{REASON}</textarea>") == 2
            for name, value in case.send.items():
                assert f'name="{name}"' in page
                assert not value or escape(str(value if isinstance(value, str) else value[0])) in page
            assert AuditEvent.objects.count() == known
            transaction.set_rollback(True)
    assert AuditEvent.objects.count() == before
