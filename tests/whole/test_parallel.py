"""Many requests and workers at the same moment: threads with browsers of their own, before real processes."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

import celery
import pytest
from django.db import connection
from django.test import Client

from accounts.models import AuditEvent, CodeAttempt, MailedCode, User
from accounts.tasks import mail_code
from apikeys.models import ApiKey, Bot, KeyCheck
from apikeys.status import LIVE, KeyStatus
from apikeys.tasks import check_key
from notifications.models import Mail
from tests.apikeys.test_hand_over import checked, hand_over
from tests.conftest import PASSWORD
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import CHECKS, WEB, Stack, running_stack
from tests.whole.visitor import Page, Visitor, code_of
from tests.whole.waiting import bells_waiting, wait_until

MANY = 20
T = TypeVar("T")


@pytest.fixture
def webs(
    transactional_db: None, tmp_path: Path, simulator: Simulator, mail_sink: MailSink
) -> Iterator[list[Stack]]:
    """Two web processes with eight threads each, and no worker."""
    with ExitStack() as running:
        found = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            found.append(running.enter_context(running_stack(tmp_path / name, simulator, mail_sink, WEB)))
        yield found


def at_once(*acts: Callable[[], T]) -> list[T]:
    """Everybody waits until all are there."""
    gate = threading.Barrier(len(acts))

    def act(wanted: Callable[[], T]) -> T:
        gate.wait(30)
        return wanted()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(act, acts))


def visitors(webs: list[Stack], client: Client, number: int = MANY) -> list[Visitor]:
    """Tabs of one signed-in browser, alternately before both web processes."""
    session = client.cookies["session"].value
    return [Visitor(webs[turn % len(webs)].url, {"session": session}) for turn in range(number)]


def entering(webs: list[Stack], mail_sink: MailSink) -> tuple[list[Visitor], str]:
    """Browsers that all hold the one attempt of the one that asked, and its code."""
    first = Visitor(webs[0].url)
    assert first.sign_in("alice@example.com", PASSWORD).location == "/sign-in/code/"
    mail_code(str(MailedCode.objects.get().pk))
    first.get("/sign-in/code/")
    found = [Visitor(webs[turn % len(webs)].url, dict(first.cookies)) for turn in range(MANY)]
    return found, code_of(mail_sink.messages[-1])


def enter(visitor: Visitor, code: str) -> Callable[[], Page]:
    return lambda: visitor.post("/sign-in/code/", {"code": code})


def send(visitor: Visitor, bot: Bot, api_key: str, secret: str) -> Callable[[], Page]:
    visitor.get(f"/bots/{bot.pk}/key/")
    return lambda: visitor.post(f"/bots/{bot.pk}/key/", {"api_key": api_key, "secret": secret})


def test_it_accepts_a_code_once_among_many_tries_at_once(
    webs: list[Stack], mail_sink: MailSink, alice: User
) -> None:
    browsers, code = entering(webs, mail_sink)
    answers = at_once(*(enter(browser, code) for browser in browsers))
    assert Counter(answer.location for answer in answers) == {"/": 1, "/sign-in/?again=1": MANY - 1}
    assert AuditEvent.objects.filter(verb="signed_in").count() == 1
    assert CodeAttempt.objects.get().tries == 1


def test_it_counts_many_wrong_codes_at_once_as_five(
    webs: list[Stack], mail_sink: MailSink, alice: User
) -> None:
    browsers, code = entering(webs, mail_sink)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    answers = at_once(*(enter(browser, wrong) for browser in browsers))
    assert Counter(answer.status for answer in answers) == {200: 5, 302: MANY - 5}
    for left in ("Four tries are", "Three tries are", "Two tries are", "One try is", "no try is"):
        assert sum(f"{left} left" in answer.text for answer in answers) == 1
    assert CodeAttempt.objects.get().tries == 5
    assert enter(browsers[0], code)().location == "/sign-in/?again=1"
    assert AuditEvent.objects.filter(verb="codes_used_up").count() == 1


def test_it_accepts_the_right_code_at_most_once_among_wrong_ones(
    webs: list[Stack], mail_sink: MailSink, alice: User
) -> None:
    browsers, code = entering(webs, mail_sink)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    answers = at_once(*(enter(b, code if turn % 4 == 0 else wrong) for turn, b in enumerate(browsers)))
    signed_in = sum(answer.location == "/" for answer in answers)
    assert signed_in == AuditEvent.objects.filter(verb="signed_in").count() <= 1
    assert CodeAttempt.objects.get().tries <= 5


def test_it_makes_one_row_of_many_clicks(webs: list[Stack], as_alice: Client, binance_bot: Bot) -> None:
    good = DEMO_KEYS["binance"]["good"]
    answers = at_once(
        *(send(tab, binance_bot, good.api_key, good.secret) for tab in visitors(webs, as_alice))
    )
    key = ApiKey.objects.get()
    assert {(answer.status, answer.location) for answer in answers} == {(302, f"/keys/{key.pk}/")}
    assert AuditEvent.objects.filter(verb="key_submitted").count() == 1


def test_it_lets_one_of_many_different_keys_wait(
    webs: list[Stack], as_alice: Client, binance_bot: Bot
) -> None:
    tabs = visitors(webs, as_alice)
    sends = [
        send(tab, binance_bot, f"Key{turn:02d}".ljust(64, "k"), f"Secret{turn:02d}".ljust(64, "s"))
        for turn, tab in enumerate(tabs)
    ]
    answers = at_once(*sends)
    key = ApiKey.objects.get()
    assert key.status == KeyStatus.CHECKING
    assert Counter(answer.status for answer in answers) == {302: 1, 200: MANY - 1}
    others = [answer for answer in answers if answer.status == 200]
    assert all(f"Meanwhile another key of this bot, ending …{key.last_four}" in page.text for page in others)


def test_it_takes_one_key_for_one_bot_only(
    webs: list[Stack], as_alice: Client, as_bob: Client, alice: User, bob: User, simulator: Simulator
) -> None:
    """Ten bots of each of two customers, and the same API key for all of them at once."""
    good = DEMO_KEYS["binance"]["good"]
    sends = []
    for owner, client, client_id in ((alice, as_alice, "0x1A2 / AliceDoe"), (bob, as_bob, "0x2B3 / BobRoe")):
        for turn, tab in enumerate(visitors(webs, client, MANY // 2)):
            bot = Bot.objects.create(
                bot_id=f"{client_id} / B-{turn}", customer=owner, exchange="binance", market="spot"
            )
            sends.append(send(tab, bot, good.api_key, good.secret))
    answers = at_once(*sends)
    assert {answer.status for answer in answers} == {302}
    live = ApiKey.objects.get(status__in=LIVE)
    refused = ApiKey.objects.exclude(pk=live.pk)
    assert refused.count() == MANY - 1
    for key in refused:
        assert (key.status, key.sealed) == (KeyStatus.REFUSED, None)
        assert [finding.code.value for finding in key.findings] == ["duplicate"]
    assert Mail.objects.filter(kind="api_refused").count() == MANY - 1


def check_in_a_thread(key: ApiKey) -> None:
    try:
        check_key(str(key.pk))
    finally:
        connection.close()


def check_one_activation(key: ApiKey, old: ApiKey, simulator: Simulator) -> None:
    assert simulator.number_of_calls("bybit") == 2, "each key was asked about once"
    assert KeyCheck.objects.filter(key=key).count() == 1
    assert Mail.objects.filter(kind="api_refresh").count() == 1
    assert AuditEvent.objects.filter(verb="key_activated", key_id=key.pk).count() == 1
    old.refresh_from_db()
    assert old.status == KeyStatus.RETIRED


def test_it_activates_once_when_many_threads_check_one_key(
    transactional_db: None, as_alice: Client, bybit_bot: Bot, simulator: Simulator
) -> None:
    old = checked(hand_over(as_alice, bybit_bot, "old"))
    key = hand_over(as_alice, bybit_bot, "good")
    at_once(*[partial(check_in_a_thread, key)] * 8)
    key.refresh_from_db()
    assert key.status == KeyStatus.ACTIVE
    check_one_activation(key, old, simulator)


def test_it_activates_once_when_two_workers_are_rung_for_one_key_again_and_again(
    transactional_db: None,
    tmp_path: Path,
    as_alice: Client,
    bybit_bot: Bot,
    simulator: Simulator,
    mail_sink: MailSink,
) -> None:
    old = checked(hand_over(as_alice, bybit_bot, "old"))
    simulator.behave("bybit", "hold")
    with ExitStack() as running:
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            running.enter_context(running_stack(tmp_path / name, simulator, mail_sink, CHECKS))
        key = hand_over(as_alice, bybit_bot, "good")
        celery.current_app.send_task("apikeys.check_key", args=[str(key.pk)])
        wait_until(simulator.held, "the exchange is asked")
        for _ in range(MANY):
            celery.current_app.send_task("apikeys.check_key", args=[str(key.pk)])
        wait_until(lambda: not bells_waiting("checks"), "the workers heard every bell")
        simulator.release()
        wait_until(ApiKey.objects.filter(pk=key.pk, status=KeyStatus.ACTIVE).exists, "it is active")
    check_one_activation(key, old, simulator)
