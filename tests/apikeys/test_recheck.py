"""Later checks of an active key at the simulated exchange: what is written, mailed, shown, taken back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.acts import By
from accounts.models import AuditEvent
from accounts.roles import Role
from apikeys.exchanges import client
from apikeys.exchanges.base import AllowList, Credentials, KeyReport, Right, Trouble
from apikeys.flows import recheck, revoke_overdue, settle_account
from apikeys.flows.check_again import check_again
from apikeys.models import ApiKey, Bot, ExchangeState, Handover, KeyCheck
from apikeys.status import KeyStatus
from apikeys.tasks import revoke_overdue_keys, wipe_leftovers
from notifications.models import Mail
from notifications.render import render_stored
from tests.apikeys.rows import make_key
from tests.apikeys.test_hand_over import checked, hand_over
from tests.conftest import make_staff
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.exchange_simulator.simulator import Simulator

pytestmark = pytest.mark.django_db

GOOD = DEMO_KEYS["binance"]["good"]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_TIMES = (
    *("check_due_at", "failing_since", "problem_since", "problem_mailed_at", "concern_since"),
    *("doubted_since", "revoke_at", "activated_at"),
)


@pytest.fixture
def key(as_alice: Client, binance_bot: Bot, simulator: Simulator) -> ApiKey:
    return checked(hand_over(as_alice, binance_bot, "good"))


def says(simulator: Simulator, **reply: Any) -> None:
    """From now on the exchange says this of the key, beside what is in order."""
    simulator.reset()
    simulator.register("binance", GOOD.api_key, GOOD.secret, **reply)


def refuses(simulator: Simulator, code: str) -> None:
    simulator.behave("binance", "refuse", code=code)


def looked_at(key: ApiKey, after: timedelta = timedelta(0)) -> ApiKey:
    """The key as it is once a worker has looked at it, some time later. The clock itself must not jump."""
    key.refresh_from_db()
    for name in _TIMES:
        if at := getattr(key, name):
            setattr(key, name, at - after)
    key.check_due_at = timezone.now()
    key.save(update_fields=_TIMES)
    for mail in Mail.objects.all():
        Mail.objects.filter(pk=mail.pk).update(created_at=mail.created_at - after)
    return checked(key)


def mailed() -> list[str]:
    """Kinds of mail since the key was connected, each proved to hold nothing of its secret."""
    mails = list(Mail.objects.order_by("created_at"))[1:]
    for mail in mails:
        told = f"{mail.context}{render_stored(mail)}"
        assert GOOD.secret not in told
        assert GOOD.api_key not in told
    return [mail.kind for mail in mails]


def verbs(key: ApiKey) -> list[str]:
    return list(AuditEvent.objects.filter(key_id=key.pk).order_by("pk").values_list("verb", flat=True))[3:]


def text_of(kind: str) -> str:
    mail = Mail.objects.filter(kind=kind).order_by("-created_at")[0]
    return " ".join(render_stored(mail).text.split())


def read(browser: Client, path: str) -> str:
    """What a person reads there, without the markup."""
    html = browser.get(path).content.decode()
    return " ".join("".join(part.split(">", 1)[-1] for part in html.split("<")).split())


def ask() -> KeyReport | Trouble:
    return client.ask("binance", Credentials(GOOD.api_key, GOOD.secret), "")


def test_an_answer_that_changes_nothing_is_known_by_itself(
    key: ApiKey, simulator: Simulator, settings: Settings
) -> None:
    """A sweep writes only times for it, of whatever kind it is."""

    def is_unchanged() -> bool:
        key.refresh_from_db()
        return recheck.is_unchanged(key, ask(), timezone.now())

    assert is_unchanged()
    for reply in ({"enableSpotAndMarginTrading": False}, {"enableWithdrawals": True}, {"enableMagic": True}):
        says(simulator, **reply)
        assert not is_unchanged()
        looked_at(key)
        assert is_unchanged()
    ApiKey.objects.filter(pk=key.pk).update(problem="missing_permission", problem_mailed_at=None)
    assert not is_unchanged()
    simulator.behave("binance", "hang_up")
    assert not is_unchanged()


def test_an_answer_is_judged_by_the_addresses_of_today(
    as_alice: Client, bybit_bot: Bot, simulator: Simulator, settings: Settings
) -> None:
    key = checked(hand_over(as_alice, bybit_bot, "good"))
    settings.PORTAL_EGRESS_IPS = ("203.0.113.99",)
    assert looked_at(key).problem == "ip_not_ours"


def test_a_key_in_order_stays_as_it_is(key: ApiKey, simulator: Simulator) -> None:
    assert key.check_due_at is not None
    assert 12 * HOUR <= key.check_due_at - timezone.now() <= 36 * HOUR
    before = key.checked_at
    again = looked_at(key)
    assert (again.status, again.problem, again.concern, again.claim) == (KeyStatus.ACTIVE, "", "", None)
    assert again.checked_at is not None
    assert before is not None
    assert again.checked_at > before
    assert (mailed(), verbs(key)) == ([], [])


def test_a_problem_is_mailed_once_shown_and_taken_back(
    key: ApiKey, as_alice: Client, simulator: Simulator
) -> None:
    says(simulator, enableSpotAndMarginTrading=False)
    for _ in range(3):
        wanting = looked_at(key, after=DAY)
        assert (wanting.status, wanting.problem) == (KeyStatus.ACTIVE, "missing_permission")
    assert (mailed(), verbs(key)) == (["api_problem"], ["key_problem"])
    assert 'data-bot-status="problem"' in as_alice.get("/").content.decode()
    works = (
        f"The key ending …{key.last_four} stays connected, and your bot goes on trading as far as Binance"
        " lets it."
    )
    page = read(as_alice, f"/keys/{key.pk}/")
    for told in (read(as_alice, "/"), page, text_of("api_problem")):
        assert works in told
        assert "his key lacks a right that the bot needs" in told
    mend = "we look again by ourselves, usually within an hour or two"
    assert mend in page
    assert mend in text_of("api_problem")
    says(simulator)
    well = looked_at(key)
    assert (well.problem, well.problem_since, well.findings_json) == ("", None, [])
    assert (mailed(), verbs(key)) == (["api_problem", "api_in_order"], ["key_problem", "key_recovered"])
    assert 'data-bot-status="active"' in as_alice.get("/").content.decode()


def test_a_key_that_comes_and_goes_is_mailed_once_a_day(key: ApiKey, simulator: Simulator) -> None:
    for _ in range(4):
        says(simulator, enableSpotAndMarginTrading=False)
        assert looked_at(key, after=2 * HOUR).problem
        says(simulator)
        assert not looked_at(key, after=2 * HOUR).problem
    assert mailed() == ["api_problem", "api_in_order"]
    says(simulator, enableSpotAndMarginTrading=False)
    looked_at(key, after=2 * HOUR)
    looked_at(key, after=DAY)  # still so when the day is over: now it is owed
    looked_at(key, after=DAY)
    assert mailed() == ["api_problem", "api_in_order", "api_problem"]


def test_another_problem_is_another_mail(key: ApiKey, simulator: Simulator) -> None:
    says(simulator, enableSpotAndMarginTrading=False)
    looked_at(key)
    refuses(simulator, "-2008")
    dead = looked_at(key)
    assert dead.problem == "not_found"
    assert mailed() == ["api_problem", "api_problem"]
    assert "The key ending" in text_of("api_problem")
    assert "cannot trade" in text_of("api_problem")


def test_a_right_that_appears_ends_the_key_after_three_days(
    key: ApiKey, as_alice: Client, simulator: Simulator
) -> None:
    says(simulator, enableWithdrawals=True)
    wide = looked_at(key)
    assert (wide.status, wide.problem, wide.sealed is not None) == (
        KeyStatus.ACTIVE,
        "forbidden_permission",
        True,
    )
    assert wide.revoke_at is not None
    assert timedelta(0) <= timezone.now() + 72 * HOUR - wide.revoke_at < HOUR
    date = f"We disconnect it on {wide.revoke_at.day} {wide.revoke_at:%B %Y at %H:%M} UTC, unless"
    for told in (read(as_alice, "/"), read(as_alice, f"/keys/{key.pk}/"), text_of("api_widened")):
        assert date in told
        assert f"Your bot goes on trading with the key ending …{key.last_four}." in told
    given = {"key": key, "created_at": timezone.now(), "fetched_at": timezone.now()}
    Handover.objects.create(kind=Handover.Kind.KEY, envelope=b"copy", **given)  # the engine has it
    looked_at(key, after=DAY)
    revoke_overdue_keys()
    assert (mailed(), verbs(key)) == (["api_widened"], ["key_widened"])
    late = looked_at(key, after=2 * DAY)
    assert late.status == KeyStatus.ACTIVE
    for _ in range(2):  # as two chore workers would
        revoke_overdue_keys()
    key.refresh_from_db()
    assert (key.status, key.sealed, key.check_due_at) == (KeyStatus.REVOKED, None, None)
    assert list(key.handovers.order_by("number").values_list("kind", "envelope")) == [
        ("key", None),
        ("revocation", None),
    ]
    assert (mailed(), verbs(key)) == (["api_widened", "api_disconnected"], ["key_widened", "key_revoked"])
    event = AuditEvent.objects.get(verb="key_revoked")
    assert (event.actor, event.actor_kind) == (None, "system")
    why = f"The key ending …{key.last_four} still had a right that it must not have"
    assert why in text_of("api_disconnected")
    assert why in read(as_alice, f"/keys/{key.pk}/")
    assert why in read(as_alice, "/")


@pytest.mark.django_db(transaction=True)
def test_several_chore_workers_at_once_end_a_key_once(binance_bot: Bot) -> None:
    now = timezone.now()
    key = make_key(binance_bot, KeyStatus.ACTIVE, "mB9x", DAY, revoke_at=now)
    begin = Barrier(4)

    def work(_: int) -> int:
        begin.wait(10)
        try:
            return revoke_overdue.revoke_overdue(now)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(work, range(4))) == 1
    assert Mail.objects.filter(kind="api_disconnected").count() == 1
    assert AuditEvent.objects.filter(verb="key_revoked", key_id=key.pk).count() == 1


def test_a_right_that_goes_again_leaves_the_key_alone_and_each_date_is_mailed(
    key: ApiKey, simulator: Simulator
) -> None:
    for _ in range(2):  # twice within a day: the second date must be told too
        says(simulator, enableInternalTransfer=True)
        assert looked_at(key).revoke_at
        says(simulator)
        well = looked_at(key, after=2 * HOUR)
        assert (well.revoke_at, well.problem) == (None, "")
    assert mailed() == ["api_widened", "api_in_order"] * 2
    assert revoke_overdue.revoke_overdue(timezone.now() + 30 * DAY) == 0
    says(simulator, enableInternalTransfer=True, enableSpotAndMarginTrading=False)
    looked_at(key)
    says(simulator, enableSpotAndMarginTrading=False)
    assert looked_at(key).problem == "missing_permission"
    assert "is not going to be disconnected" in text_of("api_problem")


def test_an_ambiguous_refusal_counts_after_a_second_look_and_silence_never(
    key: ApiKey, simulator: Simulator
) -> None:
    refuses(simulator, "-2015")
    doubted = looked_at(key)
    assert (doubted.problem, mailed(), verbs(key)) == ("", [], [])
    assert doubted.check_due_at is not None
    assert timedelta(0) < doubted.check_due_at - timezone.now() <= HOUR
    simulator.behave("binance", "hang_up")
    silent = looked_at(key, after=HOUR / 2)
    assert (silent.problem, silent.failed_checks, silent.concern) == ("", 1, "")
    refuses(simulator, "-2015")
    assert looked_at(key, after=HOUR).problem == "invalid_credentials"
    assert mailed() == ["api_problem"]


def test_an_exchange_that_is_away_for_a_day_is_for_the_desk(
    key: ApiKey, as_alice: Client, simulator: Simulator
) -> None:
    simulator.behave("binance", "http_status", status=503)
    pauses = []
    for _ in range(6):
        silent = looked_at(key, after=HOUR)
        assert silent.check_due_at is not None
        pauses.append(silent.check_due_at - timezone.now())
    assert all(4 * 60 < pause.total_seconds() < 6.1 * 3600 for pause in pauses)
    assert pauses[0] < pauses[2] < pauses[4]
    assert (silent.concern, KeyCheck.objects.filter(key=key).count()) == ("", 2)
    silent = looked_at(key, after=DAY)
    assert (silent.concern, silent.problem) == ("exchange_unavailable", "")
    assert (mailed(), verbs(key)) == ([], [])
    assert 'data-bot-status="active"' in as_alice.get("/").content.decode()
    simulator.reset()
    says(simulator)
    ExchangeState.objects.all().delete()
    well = looked_at(key)
    assert (well.concern, well.concern_since, well.failing_since) == ("", None, None)


def test_an_unknown_right_is_for_the_desk_grouped_by_its_name(
    key: ApiKey, as_alice: Client, simulator: Simulator
) -> None:
    says(simulator, enableMagic=True, enableOther=True)
    odd = looked_at(key)
    assert (odd.problem, odd.concern) == ("", "unproven_permission")
    assert (mailed(), verbs(key)) == ([], [])
    assert odd.unknown_rights == "enableMagic, enableOther"
    page = as_alice.get(f"/keys/{key.pk}/").content.decode()
    assert "enableMagic" not in page
    assert "cannot withdraw" not in page
    rows = KeyCheck.objects.filter(key=key).count()
    report_again = looked_at(key)
    assert report_again.concern_since == odd.concern_since
    assert KeyCheck.objects.filter(key=key).count() == rows + 1  # asked for one by one, each has its row


def test_reminders_follow_an_end_that_moved(key: ApiKey, simulator: Simulator) -> None:
    ends = timezone.now() + 5 * DAY
    says(simulator, tradingAuthorityExpirationTime=int(ends.timestamp() * 1000))
    ending = looked_at(key)
    assert ending.expires_at is not None
    assert abs(ending.expires_at - ends) < HOUR
    assert (ending.problem, {item.code for item in ending.findings}) == ("", {"expires_soon"})
    assert mailed() == []


def test_support_has_a_key_looked_at_now(key: ApiKey, simulator: Simulator) -> None:
    agent = make_staff(Role.SUPPORT)
    says(simulator, enableWithdrawals=True)
    assert not checked(key).problem  # not due: nothing is asked
    check_again(key_id=key.pk, by=By(actor=agent, reason="Ticket 9", address="10.0.0.1"))
    assert checked(key).problem == "forbidden_permission"
    assert verbs(key) == ["key_check_asked", "key_widened"]


@pytest.mark.parametrize("confirmed", [True, False])
def test_another_account_behind_a_key_in_use_is_settled_by_support(
    confirmed: bool, key: ApiKey, simulator: Simulator
) -> None:
    ApiKey.objects.filter(pk=key.pk).update(account_id="1")
    moved = looked_at(key)
    assert (moved.concern, moved.account_id, moved.problem, mailed()) == ("wrong_account", "1", "", [])
    act = settle_account.confirm if confirmed else settle_account.turn_down
    agent = make_staff(Role.SUPPORT)
    act(key_id=key.pk, by=By(agent, "10.0.0.1", "Ticket 9", seen=settle_account.shown(moved)))
    settled = checked(key)
    if confirmed:
        named = settle_account.named_account(settled)
        assert (settled.status, settled.concern, settled.account_id) == (KeyStatus.ACTIVE, "", named)
    else:
        assert (settled.status, settled.sealed) == (KeyStatus.REVOKED, None)
        assert mailed() == ["api_revoked"]


def test_only_who_holds_the_claim_writes_and_only_once(key: ApiKey, simulator: Simulator) -> None:
    until = timezone.now() + HOUR
    wide = KeyReport(dict.fromkeys(Right, True), allow_list=AllowList(bound=True))

    def conclude(claim: UUID) -> None:
        claimed = ApiKey.objects.select_related("bot__customer").get(pk=key.pk)
        claimed.claim = claim
        recheck.conclude(claimed, wide, started_at=timezone.now(), now=timezone.now())

    mine, another = uuid4(), uuid4()
    ApiKey.objects.filter(pk=key.pk).update(claim=mine, claimed_until=until)
    conclude(another)
    assert mailed() == []
    conclude(mine)
    conclude(mine)  # redelivered
    assert (mailed(), verbs(key)) == (["api_widened"], ["key_widened"])
    ApiKey.objects.filter(pk=key.pk).update(claim=mine, status=KeyStatus.RETIRED, sealed=None, problem="")
    conclude(mine)  # replaced meanwhile
    key.refresh_from_db()
    assert (key.problem, mailed()) == ("", ["api_widened"])


def test_due_times_are_spread_over_the_day_and_come_sooner_in_trouble(binance_bot: Bot) -> None:
    now = timezone.now()
    keys = [ApiKey(bot=binance_bot, last_four="0000") for _ in range(400)]
    hours = [0] * 24
    for key in keys:
        due = recheck.next_due(key, now)
        assert 12 * HOUR <= due - now <= 36 * HOUR
        assert recheck.next_due(key, due) == due + DAY
        hours[due.hour] += 1
    assert max(hours) < 45
    assert min(hours) > 2

    def pause(**stands: Any) -> timedelta:
        return recheck.next_due(ApiKey(bot=binance_bot, **stands), now) - now

    def ago(hours: float) -> datetime:
        return now - hours * HOUR

    assert pause(problem="not_found", problem_since=now) == HOUR
    assert pause(problem="not_found", problem_since=ago(5)) == 5 * HOUR
    assert pause(problem="not_found", problem_since=ago(900)) >= 12 * HOUR
    assert pause(expires_at=now + 2 * DAY) == 6 * HOUR
    assert HOUR < pause(expires_at=now + HOUR) < 2 * HOUR
    assert pause(problem="forbidden_permission", problem_since=ago(66), revoke_at=now + 6 * HOUR) == 5 * HOUR


def test_what_an_ended_key_left_behind_is_wiped_and_told(
    key: ApiKey, caplog: pytest.LogCaptureFixture
) -> None:
    handover = Handover.objects.create(
        kind=Handover.Kind.KEY, key=key, envelope=b"copy", created_at=timezone.now()
    )
    wipe_leftovers()
    assert not caplog.records or "held a secret" not in caplog.text
    ApiKey.objects.filter(pk=key.pk).update(status=KeyStatus.REVOKED, sealed=None)
    for _ in range(2):
        wipe_leftovers()
    handover.refresh_from_db()
    assert handover.envelope is None
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told == [f"Ended keys still held a secret, wiped now: {key.pk}"]
