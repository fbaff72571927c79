"""A sweep over 20,000 keys in use at an exchange that answers after 200 ms: keys a second, CPU and memory of
two worker processes, beside a naive sweep and raw aiohttp; and how long a person waits for a verdict.
"""

import asyncio
import json
import os
import secrets
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import aiohttp
import yarl
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apikeys.exchanges import client
from apikeys.exchanges.base import KeyReport
from apikeys.exchanges.client.sending import at
from apikeys.models import ApiKey, KeyCheck
from apikeys.status import KeyStatus
from apikeys.tasks import plan_sweeps
from bench import stage, unpaced
from bench.browser import Browser
from bench.quick_exchange import QuickExchange
from bench.rehearsal import credentials, rehearse
from bench.sweep_stage import (
    NAIVE,
    SWEEPS_TOO,
    SweepStack,
    cpu_of,
    make_due,
    make_keys_in_use,
    megabytes_of,
    wait_until,
)
from bench.unpaced import EXCHANGE
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import CHECKS, MAIL, SWEEPS, WEB, empty_broker, free_port

KEYS = 20_000
ROUNDS = 5  # 100,000 checks
NAIVE_KEYS = 600
RAW_KEYS = 4_000
IN_FLIGHT = 200
EXCHANGE_SECONDS = 0.2
SUBMISSIONS = 40
WORKERS = (SWEEPS, SWEEPS_TOO)


def measure() -> Mapping[str, float]:
    with (
        stage.fresh_database(),
        Simulator() as simulator,
        MailSink() as sink,
        QuickExchange(EXCHANGE, (EXCHANGE_SECONDS, EXCHANGE_SECONDS), tls=False) as exchange,
    ):
        settings.EXCHANGE_BASE_URLS = {EXCHANGE: exchange.url}
        known = credentials(EXCHANGE)
        report = client.ask(EXCHANGE, known)
        if not isinstance(report, KeyReport):
            raise RuntimeError(f"No report: {report}")
        make_keys_in_use(KEYS, known, report)
        empty_broker()
        stack = SweepStack(
            Path(os.environ["PORTAL_TEST_DIR"]),
            simulator,
            sink,
            port=free_port(),
            extra={
                "DJANGO_SETTINGS_MODULE": "bench.settings",
                "EXCHANGE_BASE_URLS": json.dumps(settings.EXCHANGE_BASE_URLS),
            },
        )
        try:
            figures = _measure(stack, sink, exchange.url)
        finally:
            stack.stop()
            empty_broker()
    return figures


def _measure(stack: SweepStack, sink: MailSink, url: str) -> dict[str, float]:
    raw = [asyncio.run(_raw(url))]
    stack.start(NAIVE)
    naive_rate, naive_cpu = _sweep_naively(stack)
    stack.stop()
    stack.processes.clear()
    empty_broker()
    raw.append(asyncio.run(_raw(url)))

    stack.start(*WORKERS)
    rates, costs = [], []
    for number in range(ROUNDS - 1):
        rate, cpu = _sweep(stack)
        rates.append(rate)
        costs.append(cpu)
        sizes = ", ".join(f"{megabytes_of(stack, name):.0f}" for name in WORKERS)
        checks = KEYS * (number + 1)
        print(f"  {checks} checks: {rate:.0f} keys/s, {cpu * 1e3:.2f} ms a key, {sizes} MB", flush=True)
    raw.append(asyncio.run(_raw(url)))
    stack.start(WEB, CHECKS, MAIL)
    customer = stage.make_customer()
    bots = [stage.make_bot(customer, f"BTC-{number}").pk for number in range(SUBMISSIONS)]
    browser = Browser(stack.url)
    stage.sign_in(browser, sink)
    _verdict(browser, bots.pop())  # connections open
    waits: list[float] = []
    sweeping = threading.Thread(target=_sweep_beside, args=(stack,))
    make_due()
    sweeping.start()
    while sweeping.is_alive() and bots:
        waits.append(_verdict(browser, bots.pop()))
        time.sleep(0.3)
    sweeping.join()
    sizes = ", ".join(f"{megabytes_of(stack, name):.0f}" for name in WORKERS)
    print(f"  {KEYS * ROUNDS} checks: {sizes} MB")
    p95 = statistics.quantiles(waits, n=20)[-1]
    print(f"  {len(waits)} verdicts during a sweep: median {statistics.median(waits):.2f} s, p95 {p95:.2f} s")
    if KeyCheck.objects.filter(key__bot__customer__email__startswith="sweep").exists():
        raise RuntimeError("A key that did not change was concluded.")
    rate, cost, least = statistics.median(rates), statistics.median(costs), statistics.median(raw)
    print(f"  naive: {naive_rate:.1f} keys/s, {naive_cpu * 1e3:.1f} ms a key; raw {least * 1e3:.2f} ms a key")
    return {
        "sweep_keys_per_s": rate,
        "sweep_rate_vs_naive": rate / naive_rate,
        "sweep_cpu_vs_naive": cost / naive_cpu,
        "sweep_cpu_vs_raw": cost / least,
        "verdict_during_sweep_p95_s": p95 - _exchange_seconds(),
    }


def _sweep(stack: SweepStack) -> tuple[float, float]:
    """Keys a second from planning to the last record, and CPU seconds a key, planning and workers."""
    make_due()
    before, own = cpu_of(stack, WORKERS), time.process_time()
    begun = time.perf_counter()
    plan_sweeps()
    planned = time.process_time() - own
    wait_until(_is_done, "every key was checked")
    seconds = time.perf_counter() - begun
    return KEYS / seconds, (cpu_of(stack, WORKERS) - before + planned) / KEYS


def _sweep_beside(stack: SweepStack) -> None:
    try:
        _sweep(stack)
    finally:
        connection.close()


def _is_done() -> bool:
    due = ApiKey.objects.active().filter(exchange=EXCHANGE, check_due_at__lte=timezone.now())
    return not due.exists()


def _sweep_naively(stack: SweepStack) -> tuple[float, float]:
    """The same of a task for each key, once every process of the pool has had some."""
    for number in (64, NAIVE_KEYS):
        due = timezone.now()
        keys = list(ApiKey.objects.active().values_list("pk", flat=True)[:number])
        ApiKey.objects.filter(pk__in=keys).update(check_due_at=due)
        before, own = cpu_of(stack, [NAIVE]), time.process_time()
        begun = time.perf_counter()
        for key_id in keys:
            unpaced.check_naively.delay(str(key_id))
        queued = time.process_time() - own
        wait_until(_is_done, "every key was checked naively")
        seconds = time.perf_counter() - begun
        cpu = cpu_of(stack, [NAIVE]) - before + queued
    return number / seconds, cpu / number


async def _raw(url: str) -> float:
    """CPU seconds a key of the least that a caller of aiohttp does: signed beforehand, nothing checked."""
    calls = [
        (call.signed.method, yarl.URL(at(url, call.signed.url), encoded=True), call.signed.headers)
        for call in rehearse(EXCHANGE)
    ]
    numbers = iter(range(RAW_KEYS))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256)) as session:

        async def work(numbers: Iterator[int]) -> None:
            for _ in numbers:
                for method, target, headers in calls:
                    async with session.request(method, target, headers=headers) as response:
                        json.loads(await response.read())

        begun = time.process_time()
        await asyncio.gather(*(work(numbers) for _ in range(IN_FLIGHT)))
        return (time.process_time() - begun) / RAW_KEYS


def _verdict(browser: Browser, bot: int) -> float:
    """Hand over a fresh key; seconds from sending it until it is decided."""
    path = f"/bots/{bot}/key/"
    browser.get(path)
    begun = time.perf_counter()
    answer = browser.post(path, api_key=secrets.token_hex(32), secret=secrets.token_hex(32))
    if answer.status != 302:
        raise RuntimeError(f"The key was not taken: {answer.status}")
    decided = ApiKey.objects.filter(bot=bot).exclude(status=KeyStatus.CHECKING)
    while not decided.exists():
        time.sleep(0.01)
    return time.perf_counter() - begun


def _exchange_seconds() -> float:
    """What the exchange takes for the calls of one check."""
    return EXCHANGE_SECONDS * len(rehearse(EXCHANGE))
