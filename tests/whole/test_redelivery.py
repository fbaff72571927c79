"""A broker that gives a message to a second worker while the first one is at it: one effect."""

import re
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import AuditEvent
from apikeys.models import ApiKey, Bot, KeyCheck
from apikeys.status import KeyStatus
from notifications.models import Mail
from tests.apikeys.test_hand_over import checked, hand_over
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import CHECKS, MAIL, Stack, empty_broker, free_port
from tests.whole.waiting import wait_until

IMPATIENT = {"DJANGO_SETTINGS_MODULE": "tests.whole.settings_impatient"}


def was_given_twice(stacks: list[Stack], process: str, task: str) -> bool:
    """One and the same message, to any of the workers."""
    logs = [stack.log(process).read_text(encoding="utf-8") for stack in stacks]
    messages = re.findall(rf"Task {task}\[([0-9a-f-]+)\] received", "".join(logs))
    return any(number > 1 for number in Counter(messages).values())


@pytest.mark.skipif(not settings.BROKER_URL.startswith("redis"), reason="Redis alone takes the slow for dead")
def test_it_has_one_effect_when_the_broker_gives_a_message_to_a_second_worker(
    transactional_db: None,
    patient_bell: None,
    tmp_path: Path,
    as_alice: Client,
    bybit_bot: Bot,
    simulator: Simulator,
    mail_sink: MailSink,
) -> None:
    old = checked(hand_over(as_alice, bybit_bot, "old"))
    Mail.objects.update(status=Mail.Status.ACCEPTED)
    empty_broker()
    simulator.behave("bybit", "hold")
    mail_sink.hold()
    with ExitStack() as ends:
        stacks = [Stack(tmp_path / name, simulator, mail_sink, free_port(), IMPATIENT) for name in "ab"]
        for stack in stacks:
            stack.directory.mkdir()
            ends.callback(stack.stop)
            stack.start(CHECKS)
        key = hand_over(as_alice, bybit_bot, "good")
        wait_until(simulator.held, "the exchange is asked")
        again = partial(was_given_twice, stacks, CHECKS, "apikeys.check_key")
        wait_until(again, "the check was given to a worker again")
        simulator.release()
        wait_until(ApiKey.objects.filter(pk=key.pk, status=KeyStatus.ACTIVE).exists, "it is active")

        for stack in stacks:
            stack.start(MAIL)
        wait_until(lambda: mail_sink.held, "the mail server has the mail's text")
        again = partial(was_given_twice, stacks, MAIL, "notifications.deliver")
        wait_until(again, "the mail was given to a worker again")
        mail_sink.release()
        refresh = Mail.objects.filter(kind="api_refresh")
        wait_until(refresh.filter(status=Mail.Status.ACCEPTED).exists, "the mail server has the mail")

    assert KeyCheck.objects.filter(key=key).count() == 1
    assert AuditEvent.objects.filter(verb="key_activated", key_id=key.pk).count() == 1
    old.refresh_from_db()
    assert old.status == KeyStatus.RETIRED
    assert refresh.get().tries == len(mail_sink.messages) == 1
