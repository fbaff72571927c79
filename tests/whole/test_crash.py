"""Every process of the data path is killed at every step in turn, as by a power cut, and started again.

What holds a step up stands outside the product: the exchange keeps its answer back, the mail server its 250,
or a connection of the test holds a row (on SQLite the right to write).
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from apikeys.models import ApiKey, Bot, KeyCheck
from apikeys.status import KeyStatus
from notifications.models import Mail
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import CHECKS, MAIL, WEB, empty_broker
from tests.whole.scene import Scene, prepared
from tests.whole.visitor import Page, Visitor
from tests.whole.waiting import bells_waiting, locked, wait_until

GOOD = DEMO_KEYS["bybit"]["good"]


@pytest.fixture
def scene(
    transactional_db: None,
    patient_bell: None,
    tmp_path: Path,
    simulator: Simulator,
    mail_sink: MailSink,
    as_alice: Client,
    bybit_bot: Bot,
) -> Iterator[Scene]:
    with prepared(tmp_path, simulator, mail_sink, as_alice, bybit_bot) as found:
        yield found


def send_key(scene: Scene, visitor: Visitor) -> Page:
    path = f"/bots/{scene.bot.pk}/key/"
    visitor.get(path)
    return visitor.post(path, {"api_key": GOOD.api_key, "secret": GOOD.secret})


def newest(scene: Scene) -> ApiKey:
    return ApiKey.objects.exclude(pk=scene.old.pk).get()


def test_it_survives_the_web_process_right_after_its_answer(scene: Scene) -> None:
    scene.stack.start(WEB)
    answer = send_key(scene, scene.visitor())
    scene.stack.kill(WEB)
    assert answer.location.startswith("/keys/")
    scene.stack.start(CHECKS, MAIL)
    scene.check_end(newest(scene))


def test_it_survives_the_web_process_in_the_middle_of_a_submission(scene: Scene) -> None:
    """Nothing was stored and nothing answered, so the customer sends the key again."""
    scene.stack.start(WEB)
    visitor = scene.visitor()
    visitor.get(f"/bots/{scene.bot.pk}/key/")
    failed: list[BaseException] = []

    def send() -> None:
        try:
            send_key(scene, visitor)
        except OSError as error:
            failed.append(error)

    sending = threading.Thread(target=send)
    with locked(Bot, scene.bot.pk) as lock:
        sending.start()
        lock.wait_for_somebody()
        scene.stack.kill(WEB)
        lock.drop_those_who_wait()
    sending.join()
    assert failed
    assert ApiKey.objects.count() == 1
    scene.stack.start(WEB, CHECKS, MAIL)
    assert send_key(scene, scene.visitor()).location.startswith("/keys/")
    scene.check_end(newest(scene))


def test_it_survives_the_loss_of_every_bell(scene: Scene) -> None:
    key = scene.hand_over()
    assert bells_waiting("checks") == 1
    empty_broker()
    scene.stack.start(CHECKS, MAIL)
    scene.check_end(key)


def test_it_survives_the_loss_of_the_mails_bell(scene: Scene) -> None:
    key, _ = with_unsent_mail(scene)
    scene.stack.kill(CHECKS)  # after which nobody can ring any more
    empty_broker()
    scene.stack.start(MAIL)
    scene.check_end(key)


def test_it_survives_the_check_worker_while_the_exchange_thinks(scene: Scene) -> None:
    scene.simulator.behave("bybit", "hold", GOOD.api_key)
    scene.stack.start(CHECKS, MAIL)
    key = scene.hand_over()
    wait_until(scene.simulator.held, "the exchange is asked")
    scene.stack.kill(CHECKS)
    scene.simulator.release()
    scene.stack.start(CHECKS)
    scene.check_end(key)
    assert scene.calls() == 2
    assert KeyCheck.objects.filter(key=key).count() == 1


def test_it_survives_the_check_worker_between_the_answer_and_the_verdict(scene: Scene) -> None:
    scene.simulator.behave("bybit", "hold", GOOD.api_key)
    scene.stack.start(CHECKS, MAIL)
    key = scene.hand_over()
    wait_until(scene.simulator.held, "the exchange is asked")
    with locked(Bot, scene.bot.pk) as lock:
        scene.simulator.release()
        wait_until(lambda: not scene.simulator.held(), "the exchange has answered")
        lock.wait_for_somebody()
        scene.stack.kill(CHECKS)
        lock.drop_those_who_wait()
    key.refresh_from_db()
    assert (key.status, key.claimed_until is not None) == (KeyStatus.CHECKING, True)
    scene.stack.start(CHECKS)
    scene.check_end(key)
    assert scene.calls() == 2
    assert KeyCheck.objects.filter(key=key).count() == 1


def with_unsent_mail(scene: Scene) -> tuple[ApiKey, Mail]:
    """The verdict is there, and no mail worker runs."""
    scene.stack.start(CHECKS)
    key = scene.hand_over()
    return key, scene.wait_until_active(key)


def test_it_survives_the_mail_worker_before_it_talks(scene: Scene) -> None:
    key, mail = with_unsent_mail(scene)
    with locked(Mail, mail.pk) as lock:
        scene.stack.start(MAIL)
        lock.wait_for_somebody()
        scene.stack.kill(MAIL)
        lock.drop_those_who_wait()
    mail.refresh_from_db()
    assert (mail.tries, scene.letters()) == (0, [])
    scene.stack.start(MAIL)
    scene.check_end(key)


def test_it_survives_the_mail_worker_before_the_servers_answer(scene: Scene) -> None:
    key, mail = with_unsent_mail(scene)
    scene.sink.hold()
    scene.stack.start(MAIL)
    wait_until(lambda: scene.sink.held, "the mail server has the mail's text")
    scene.stack.kill(MAIL)
    scene.sink.release()
    mail.refresh_from_db()
    assert (mail.tries, mail.status) == (1, Mail.Status.WAITING)
    scene.stack.start(MAIL)
    scene.check_end(key)


def test_it_sends_a_mail_twice_only_if_the_mail_worker_dies_between_the_250_and_its_record(
    scene: Scene,
) -> None:
    """The limit of "at least once": SMTP has no way to ask, so the second copy has the first one's id."""
    key, mail = with_unsent_mail(scene)
    scene.sink.hold()
    scene.stack.start(MAIL)
    wait_until(lambda: scene.sink.held, "the mail server has the mail's text")
    with locked(Mail, mail.pk) as lock:
        scene.sink.release()
        wait_until(scene.letters, "the mail server took it")
        lock.wait_for_somebody()
        scene.stack.kill(MAIL)
        lock.drop_those_who_wait()
    mail.refresh_from_db()
    assert mail.status == Mail.Status.WAITING
    scene.stack.start(MAIL)
    scene.check_end(key, letters=2)
