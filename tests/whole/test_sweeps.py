"""A sweep worker as a process: killed in the middle of a list, and told to end."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from apikeys.models import ApiKey, KeyCheck
from apikeys.tasks import plan_sweeps
from tests.apikeys.sweeping import keys_in_use
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import SWEEPS, running_stack
from tests.whole.waiting import wait_until

# More than Kraken, whose pace is slow, has in flight at once.
KEYS = 18


def due() -> int:
    return ApiKey.objects.filter(check_due_at__lte=timezone.now()).count()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_with_a_worker_and_nothing_asked_twice_by_two(
    alice: User, simulator: Simulator, mail_sink: MailSink, tmp_path: Path
) -> None:
    keys = keys_in_use(alice, simulator, "kraken", KEYS)
    simulator.behave("kraken", "hold")
    with running_stack(tmp_path, simulator, mail_sink, SWEEPS) as stack:
        plan_sweeps()
        wait_until(simulator.held, "the list is worked on")
        stack.kill(SWEEPS)
        assert ApiKey.objects.filter(claim=None).count() == 0
        stack.start(SWEEPS)
        plan_sweeps()
        assert due() == KEYS, "what the dead one held is leased to it still"

        # Its lease ends; a new one is worked on, until the worker is told to end.
        ApiKey.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        before = simulator.number_of_calls("kraken")
        plan_sweeps()
        wait_until(lambda: simulator.number_of_calls("kraken") > before, "it is worked on again")
        stack.processes[SWEEPS].terminate()
        wait_until(lambda: b"shutdown" in stack.log(SWEEPS).read_bytes().lower(), "it was told")
        simulator.release()
        assert stack.processes.pop(SWEEPS).wait(60) == 0
        left = due()
        assert 0 < left < KEYS
        assert ApiKey.objects.exclude(claim=None, claimed_until=None).count() == 0

        stack.start(SWEEPS)
        plan_sweeps()
        wait_until(lambda: due() == 0, "the rest is checked")
        assert simulator.number_of_calls("kraken") - before == KEYS, "each once"
        log = stack.log(SWEEPS).read_bytes()
    # It found, for the first time, that they are bound to no address.
    assert sorted(KeyCheck.objects.values_list("key_id", flat=True)) == sorted(key.pk for key in keys)
    assert b"Traceback" not in log
