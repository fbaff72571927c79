"""One run, from an empty database to the verdict on it."""

import contextlib
import shutil
import time
from collections import Counter

from django.core.management import call_command
from django.db import connection

from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.ports import free_port
from tests.stack import CHECKS, MAIL, ROOT, SWEEPS, WEB, Stack, empty_broker
from tests.whole.chaos.crowd import gather
from tests.whole.chaos.faults import Faults
from tests.whole.chaos.handing_over import HandingOver
from tests.whole.chaos.judging import Judge, unsettled
from tests.whole.chaos.servers import Servers
from tests.whole.chaos.watching import Watch

STACKS = 2
LOGS = ROOT / "var" / "chaos"  # kept, to be read afterwards
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.whole.chaos.settings"}


def run(number: int, rate: float, servers: Servers) -> tuple[list[str], Counter[str]]:
    """What is wrong afterwards, and what was done and came of it. rate: keys a second."""
    shutil.rmtree(LOGS, ignore_errors=True)
    call_command("migrate", verbosity=0)
    crowd = gather(number)
    with contextlib.ExitStack() as ends:
        simulator = ends.enter_context(Simulator(keys=crowd.known))
        sink = ends.enter_context(MailSink())
        crowd.misbehave(simulator)
        stacks = []
        for turn in range(STACKS):
            folder = LOGS / f"{turn}"
            folder.mkdir(parents=True)
            stacks.append(Stack(folder, simulator, sink, port=free_port(), extra=SETTINGS))
            ends.callback(stacks[-1].stop)
        empty_broker()
        stacks[0].start(WEB, CHECKS, MAIL)
        stacks[1].start(CHECKS, MAIL, SWEEPS)
        faults = Faults(stacks, simulator, sink, servers)
        handing_over = HandingOver(crowd.planned, rate, stacks[0].url)
        with Watch() as watch:
            began = time.monotonic()
            faults.start()
            try:
                handing_over.run()
            finally:
                faults.stop()
            handed_over = time.monotonic()
            connection.close()  # which lived before the database was restarted
            late = unsettled()
            settled = time.monotonic()
        judge = Judge(crowd.planned, handing_over.keys)
        judge.judge()
        judge.judge_letters(sink, faults)
    counts = Counter(watch.counts) + handing_over.counts + faults.counts + judge.counts
    counts["seconds of faults"] = round(handed_over - began)
    counts["seconds until all was settled"] = round(settled - handed_over)
    ended = [f"A worker ended by itself: {told}" for told in faults.ended_by_themselves]
    return late + sorted(watch.wrong) + judge.wrong + ended, counts
