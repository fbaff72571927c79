"""The pages of a customer, a bot and a key at the desk: what they tell, to whom, and how they are paged."""

import html
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format
from pytest_django import Settings

from accounts import audit
from accounts.acts import By
from accounts.audit_verbs import Verb
from accounts.flows import change_address, resend_mail
from accounts.models import AuditEvent, User
from accounts.roles import Role
from apikeys.desk.key_mails import mails_about
from apikeys.exchanges.base import AllowList, KeyReport, Right
from apikeys.findings import Finding, FindingCode, Severity
from apikeys.flows import remind
from apikeys.models import ApiKey, Bot, Handover, KeyCheck
from apikeys.status import KeyStatus
from notifications.kinds import MailKind
from notifications.models import Mail
from tests.apikeys.rows import HARMLESS, NOW, make_key, verdict
from tests.conftest import make_staff, signed_in

pytestmark = pytest.mark.django_db

EVIL = "<script>alert(1)</script>"
_WHAT = re.compile(r'<td class="kind">([^<]+)</td>\s*<th scope="row">(.*?)</th>', re.DOTALL)


def timeline(page: str) -> list[str]:
    """Kind and words of each line."""
    return [
        f"{kind}: {' '.join(html.unescape(re.sub('<[^>]+>', ' ', what)).split())}"
        for kind, what in _WHAT.findall(page)
    ]


def get(client: Client, url: str, most: int = 15, **query: str) -> str:
    client.get("/admin/")
    with CaptureQueriesContext(connection) as statements:
        answer = client.get(url, query)
    assert answer.status_code == 200
    assert len(statements) <= most, [one["sql"][:200] for one in statements]
    page: str = answer.content.decode()
    assert EVIL not in page
    return page


def of(customer: User) -> str:
    return f"/admin/accounts/user/{customer.pk}/change/"


def of_key(key: ApiKey) -> str:
    return f"/admin/apikeys/apikey/{key.pk}/change/"


def mail(customer: User, cause: str, **fields: Any) -> Mail:
    usual: dict[str, Any] = {"to": customer.email, "subject": "A subject", "status": Mail.Status.ACCEPTED}
    usual |= {"created_at": NOW, "due_at": NOW, "accepted_at": NOW}
    usual["kind"] = MailKind.API_REFUSED
    return Mail.objects.create(owner_id=customer.pk, cause=cause, **(usual | fields))


def event(customer: User, **fields: Any) -> AuditEvent:
    usual = {"at": NOW, "verb": Verb.SIGNED_IN, "actor_kind": "customer", "actor": customer}
    made = AuditEvent(customer=customer, **(usual | fields))
    AuditEvent.objects.bulk_create([made])
    return made


def check(key: ApiKey, **fields: Any) -> KeyCheck:
    usual = {"started_at": NOW, "finished_at": NOW, "outcome": KeyCheck.Outcome.ACCEPTED}
    return KeyCheck.objects.create(key=key, **(usual | fields))


def test_it_shows_one_timeline_of_everything_with_who_and_why(
    alice: User, binance_bot: Bot, settings: Settings
) -> None:
    lead = make_staff(Role.LEAD)
    report = KeyReport(rights={**HARMLESS, Right.WITHDRAW: True}, allow_list=AllowList(bound=True))
    key = make_key(binance_bot, KeyStatus.REFUSED, "mB9x", timedelta(0), **verdict(binance_bot, report))
    about = {"key_id": key.pk, "bot_id": binance_bot.bot_id, "detail": {"last_four": "mB9x"}}
    event(alice, address="192.0.2.44")
    event(alice, at=NOW + timedelta(seconds=1), verb=Verb.KEY_SUBMITTED, **about)
    findings = verdict(binance_bot, report)["findings_json"]
    at = NOW + timedelta(seconds=2)
    check(key, finished_at=at, outcome=KeyCheck.Outcome.REFUSED, findings_json=findings, exchange_code=EVIL)
    event(alice, at=at, verb=Verb.KEY_REFUSED, actor_kind="system", actor=None, **about)
    mail(
        alice,
        "a",
        created_at=at,
        subject=f"About {EVIL}",
        status="failed",
        last_answer="550",
        tries=3,
        accepted_at=None,
    )
    with transaction.atomic():
        audit.record(
            Verb.ACCOUNT_TURNED_DOWN,
            customer=alice,
            actor=lead,
            address="10.0.0.1",
            reason=EVIL,
            last_four="x",
        )
    change_address.start(
        customer=alice, new_email="new@a.example", reason="moved", actor=lead, address="10.0.0.1"
    )
    settings.PORTAL_EGRESS_IPS = ()
    desk = signed_in(lead)
    page = get(desk, of(alice))
    lines = timeline(page)
    assert [line.split(":")[0] for line in lines] == [
        *("Mail", "Staff act", "Staff act"),
        *("Decision", "Check", "Mail", "Submission", "Sign-in"),
    ]
    assert "Reason: moved" in lines[1]
    assert f"Reason: {EVIL}" in lines[2]
    assert "lead@sequence.example, " in page
    assert "Withdrawals: On. Needed: Off." in lines[4]
    assert f"answered {EVIL}" in lines[4]
    assert "Could not be delivered, tried 3 times: 550" in lines[5]
    assert "Customer, <" in page
    assert "1 could not be delivered" in page
    assert "new@a.example" in page
    for kind, number in (("sign-in", 1), ("submission", 1), ("check", 1), ("decision", 1), ("mail", 2)):
        assert len(timeline(get(desk, of(alice), kind=kind))) == number
    assert len(timeline(get(desk, of(alice), kind="staff"))) == 2
    assert timeline(get(desk, of(alice), kind="account")) == []
    assert len(timeline(get(desk, of(alice), kind="nonsense", before="nonsense~9~x"))) == len(lines)


def test_it_shows_each_line_once_over_pages_though_many_are_of_one_moment(
    alice: User, bob: User, binance_bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apikeys.desk.timeline._PAGE", 4)
    key = make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(0))
    for number in range(5):
        event(alice, address=f"192.0.2.{number}")
        check(key, exchange_code=f"code{number}")
        mail(alice, f"{number}", subject=f"Mail {number}")
    mail(alice, "older", subject="Older", created_at=NOW - timedelta(seconds=1))
    event(bob)
    mail(bob, "bobs")
    desk, seen, before = signed_in(make_staff(Role.SUPPORT)), [], ""
    for _ in range(5):
        page = get(desk, of(alice), before=before) if before else get(desk, of(alice))
        seen += re.findall(r"192\.0\.2\.\d|code\d|Mail \d|Older", page.split('id="timeline"')[1])
        found = re.search(r'before=([^"#]+)', page)
        before = html.unescape(found[1]).replace("%3A", ":").replace("%2B", "+") if found else ""
        if not before:
            break
    everything = [f"{what}{n}" for what in ("192.0.2.", "code", "Mail ") for n in range(5)] + ["Older"]
    assert sorted(seen) == sorted(everything)
    assert seen[-1] == "Older"


def test_the_page_of_a_customer_shows_bots_and_what_only_the_desk_knows(
    alice: User, binance_bot: Bot, bybit_bot: Bot
) -> None:
    soon = timezone.now() + timedelta(days=2)
    make_key(
        binance_bot, KeyStatus.ACTIVE, "gain", timedelta(0), problem="forbidden_permission", revoke_at=soon
    )
    make_key(
        *(bybit_bot, KeyStatus.ACTIVE, "newr", timedelta(0)),
        concern="unproven_permission",
        unknown_rights=EVIL,
    )
    page = get(signed_in(make_staff(Role.AUDITOR)), of(alice))
    assert "Needs attention: this key has a right that it must not have" in page
    assert "unless the right goes" in page
    assert html.escape(EVIL) in page
    assert "Your role looks here and changes nothing" in page
    assert f'href="/admin/accounts/user/{alice.pk}/address/"' in page


def test_staff_have_the_plain_page_of_a_person() -> None:
    lead = make_staff(Role.LEAD)
    page = signed_in(lead).get(of(lead)).content.decode()
    assert "Second factors" in page
    assert "Timeline" not in page


def test_the_page_of_a_key_shows_every_right_and_what_comes(
    alice: User, binance_bot: Bot, settings: Settings
) -> None:
    settings.ENGINE_PUBLIC_KEYS = settings.SEAL_PUBLIC_KEYS
    report = KeyReport(
        rights={**HARMLESS, Right.WITHDRAW: True, Right.LOAN: None},
        unknown=(EVIL,),
        allow_list=AllowList(bound=True, addresses=("203.0.113.10", EVIL)),
        account_id="1448939",
    )
    now = timezone.now()
    old = make_key(binance_bot, KeyStatus.RETIRED, "oldk", timedelta(days=9))
    key = make_key(
        *(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(0)),
        **verdict(binance_bot, report),
        sealed=b"sealed-secret",
        fingerprint="fingerprint-of-it",
        replaces=old,
        check_due_at=now + timedelta(hours=3),
        revoke_at=now + timedelta(hours=70),
        expires_at=now + timedelta(days=10),
    )
    Handover.objects.create(kind="key", key=key, envelope=b"envelope-of-it", created_at=now, reason=EVIL)
    check(key, outcome=KeyCheck.Outcome.PROBLEM)
    event(alice, verb=Verb.KEY_ACTIVATED, key_id=key.pk, actor_kind="system", actor=None)
    mail(alice, f"api_refresh:{key.pk}")
    page = get(signed_in(make_staff(Role.SUPPORT)), of_key(key))
    for right in ("Reading", "Spot trading", "Withdrawals", "Loans", "Changing keys", "Options trading"):
        assert f'<th scope="row">{right}</th>' in page
    assert re.search(r"Loans</th>.*?<td>Off</td><td[^>]*><span[^>]*>Not said", page)
    assert re.search(
        r'data-tone="bad"><th scope="row">Withdrawals</th>.*?<td>Off</td><td[^>]*><span[^>]*>On', page
    )
    assert 'data-finding="forbidden_permission"' in page
    assert "1448939" in page
    coming = page.split('id="next"')[1].split("</ul>")[0]
    order = [coming.index(words) for words in ("Next check", "Revoked, unless", "is reminded", "Ends at")]
    assert order == sorted(order)
    assert "…oldk" in page
    assert str(alice) in page
    for secret in ("sealed-secret", "fingerprint-of-it", "envelope-of-it"):
        assert secret not in page
    assert [line.split(":")[0] for line in timeline(page)] == ["Decision", "Check", "Mail"]

    # Operations see keys and no people.
    page = get(signed_in(make_staff(Role.OPERATIONS)), of_key(key))
    assert [line.split(":")[0] for line in timeline(page)] == ["Check", "Mail"]
    assert "/admin/accounts/user/" not in page
    assert alice.email not in page
    assert ">Decisions</a>" not in page


def test_a_letter_in_the_timeline_leads_to_its_words(alice: User) -> None:
    desk = signed_in(make_staff(Role.SUPPORT))
    text = {"subject": "Your invoice", "text": "Dear Alice, see below."}
    desk.post(f"/admin/accounts/user/{alice.pk}/letter/", text | {"draft": str(uuid4())})
    lines = get(desk, of(alice), kind="mail").split('class="timeline"')[1]
    (url,) = re.findall(r'<th scope="row"><a href="([^"]+)">Your invoice<', lines)
    assert "Dear Alice, see below." in get(desk, url)


def test_the_page_of_a_key_shows_every_mail_about_it(alice: User, binance_bot: Bot, bybit_bot: Bot) -> None:
    """Whatever comes after the key in a cause; what takes a mail back; and what was sent again, twice."""
    ends = timezone.now() + timedelta(days=10)
    keys = [
        make_key(bot, KeyStatus.ACTIVE, "mB9x", timedelta(days=300), expires_at=ends)
        for bot in (binance_bot, bybit_bot)
    ]
    for key in keys:
        problem = mail(alice, f"api_problem:{key.pk}:ip_not_ours:{NOW}", kind=MailKind.API_PROBLEM)
        mail(
            alice,
            f"api_in_order:{problem.pk}",
            kind=MailKind.API_IN_ORDER,
            created_at=NOW + timedelta(seconds=1),
        )
    mail(alice, "welcome:1", kind=MailKind.WELCOME)
    remind.remind_all(timezone.now())
    support = make_staff(Role.SUPPORT)
    warned = Mail.objects.get(cause__startswith=f"api_problem:{keys[0].pk}")
    Mail.objects.update(context={})
    for _ in range(2):  # the second time, what was sent again
        resend_mail.resend(mail=warned, by=By(support, "192.0.2.1", "Ticket 9"))
        warned = Mail.objects.get(cause=f"again:{warned.pk}:1")
        Mail.objects.filter(pk=warned.pk).update(status=Mail.Status.FAILED)
    for key, number in zip(keys, (5, 3), strict=True):
        kinds = mails_about(key).values_list("kind", flat=True)
        assert sorted(kinds) == ["api_expires", "api_in_order", *["api_problem"] * (number - 2)]
        assert len(timeline(get(signed_in(support), of_key(key), kind="mail"))) == number


def test_operations_see_mails_and_no_addresses(alice: User) -> None:
    sent = mail(alice, "a", context={})
    page, lists = f"/admin/notifications/mail/{sent.pk}/", "/admin/notifications/mail/"
    for role, sees in ((Role.SUPPORT, True), (Role.OPERATIONS, False)):
        desk = signed_in(make_staff(role, f"{role}@staff.example"))
        for url in (f"{page}change/", f"{page}resend/"):
            shown = get(desk, url)
            assert "A subject" in shown
            assert (alice.email in shown) is sees
        found = get(desk, lists, q=alice.email)
        assert (f"{page}change/" in found) is sees
        assert ("The whole address" in found) is sees
        assert f"{page}change/" in get(desk, lists, q=str(alice.pk))
        assert ("whole address" in get(desk, "/admin/apikeys/bot/")) is sees


def test_the_list_of_keys_that_may_withdraw_says_when_each_is_revoked(binance_bot: Bot) -> None:
    at = timezone.now() + timedelta(hours=70)
    key = make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", timedelta(0), revoke_at=at)
    desk = signed_in(make_staff(Role.SUPPORT))
    page = get(desk, "/admin/apikeys/apikey/", needs="revoke")
    assert of_key(key) in page
    assert f'<td class="field-revoke_at">{date_format(at, "DATETIME_FORMAT")}</td>' in page
    assert "field-revoke_at" not in get(desk, "/admin/apikeys/apikey/")


def test_of_what_has_ended_it_does_not_blame_the_role(binance_bot: Bot) -> None:
    key = make_key(binance_bot, KeyStatus.RETIRED, "mB9x", timedelta(0))
    page = get(signed_in(make_staff(Role.LEAD)), of_key(key))
    assert "Nothing, as it has ended" in page
    assert "Your role" not in page


def test_a_key_that_waits_says_until_when(binance_bot: Bot, settings: Settings) -> None:
    now = timezone.now()
    key = make_key(
        *(binance_bot, KeyStatus.CHECKING, "mB9x", timedelta(0)),
        failed_checks=4,
        failing_since=now - timedelta(hours=2),
        check_due_at=now + timedelta(minutes=5),
    )
    desk = signed_in(make_staff(Role.SUPPORT))
    page = get(desk, of_key(key))
    assert "Asked without an answer since then: 4 times" in page
    given_up = now - timedelta(hours=2) + settings.CHECK_GIVE_UP
    assert f"{given_up:%H:%M}" in page.split("Next check.")[1].split("Given up")[0]
    waits_for_us = Finding(FindingCode.WRONG_ACCOUNT, Severity.HOLD, "Account", "1", "2", "Ask.").as_json()
    ApiKey.objects.filter(pk=key.pk).update(held=True, failing_since=None, findings_json=[waits_for_us])
    page = get(desk, of_key(key))
    assert "Refused, if nobody decides until then" in page
    decide = f'href="/admin/apikeys/apikey/{key.pk}/account/"'
    assert decide in page
    ApiKey.objects.filter(pk=key.pk).update(status=KeyStatus.ACTIVE, held=False, findings_json=[])
    assert decide not in get(desk, of_key(key))
    ApiKey.objects.filter(pk=key.pk).update(concern=FindingCode.WRONG_ACCOUNT)
    assert decide in get(desk, of_key(key)), "of a key in use as well"


def test_the_page_of_a_bot_pages_through_its_keys(binance_bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apikeys.desk.bot_page._PAGE", 2)
    for number in range(5):  # all of one moment
        make_key(binance_bot, KeyStatus.RETIRED, f"key{number}", timedelta(0))
    desk, url, seen = (
        signed_in(make_staff(Role.OPERATIONS)),
        f"/admin/apikeys/bot/{binance_bot.pk}/change/",
        [],
    )
    before = "nonsense"
    while before:
        page = get(desk, url, before=before)
        seen += re.findall(r"…(key\d)", page)
        found = re.search(r'before=([^"]+)', page)
        before = found[1].replace("%3A", ":").replace("%2B", "+") if found else ""
    assert sorted(seen) == [f"key{number}" for number in range(5)]
    assert "/admin/accounts/user/" not in page


@pytest.mark.parametrize(
    "where", ["apikeys/apikey/no-id", "apikeys/bot/x", "apikeys/bot/99", "accounts/user/99"]
)
def test_what_is_nowhere_is_not_found(where: str) -> None:
    answer = signed_in(make_staff(Role.SUPPORT)).get(f"/admin/{where}/change/")
    # Of a person Django admin says so on the desk.
    assert answer.status_code == (302 if "user" in where else 404)
