"""What planning sweeps and opening pages cost with 1,000, 10,000 and 100,000 keys in one database.

The database is filled up step by step, and at each size the same rows are looked at, so that what grows is
the database and not what there is to show. What counts is processor time, the database's included. What was
measured goes into `var/sizes.json`, which `python -m bench.plot_sizes` draws.
"""

import itertools
import json
import math
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from apikeys.flows import lease
from apikeys.models import ApiKey, ExchangeState
from bench import processor, stage
from bench.desk_pages import Sample, pages, sample
from bench.plot_sizes import MEASURED
from demo.filling import fill
from tests.conftest import make_staff, signed_in

SIZES = (1_000, 10_000, 100_000)
# Of the pages of the desk, by the names that bench.desk_pages gives, those that agents open all day.
DESK = {
    "index": "front page",
    "apikeys_apikey_changelist": "key list",
    "apikeys_apikey_changelist, search: last four": "keys by last four",
    "accounts_user_change": "a customer",
    "apikeys_apikey_change": "a key",
    "accounts_auditevent_changelist": "events",
}
PAGE_ROUNDS, PLAN_ROUNDS = 15, 5
# Every check of a key in use comes due within this time.
ALL_DUE_WITHIN = timedelta(days=2)
# Nothing is kept back for a later look of the schedule, so that one planning leases every key.
WITHOUT_END = timedelta(days=10_000)


@dataclass(frozen=True, slots=True)
class Page:
    """Medians of one page at one size. Processor time is that of this process and the database's together."""

    name: str
    at_desk: bool
    ms: float
    cpu_ms: float
    statements: int


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured with so many keys, of which `in_use` are checked daily."""

    keys: int
    in_use: int
    lists: int
    plan_s: float
    plan_cpu_s: float
    pages: Sequence[Page]


def measure() -> Mapping[str, float]:
    return figures(measure_at(SIZES))


def figures(sizes: Sequence[Size]) -> Mapping[str, float]:
    return {"sizes_plan_exponent": steepest(sizes), "sizes_pages_growth": growth(sizes)}


def measure_at(wanted: Sequence[int]) -> Sequence[Size]:
    """Fill up to each size in turn, smallest first; keep and give what was measured."""
    measured: list[Size] = []
    with stage.fresh_database():
        processor.keep_to_one_process()
        rows, lead = None, make_staff(Role.LEAD)
        for number, keys in enumerate(wanted, start=1):
            more = keys - (measured[-1].keys if measured else 0)
            begun = time.monotonic()
            fill(keys=more, customers=more // 5, seed=number, sealed=False)
            rows = rows or sample(asked_by=lead)
            _settle()
            print(f"  {keys:,} keys, filled in {time.monotonic() - begun:.0f} s", flush=True)
            measured.append(_measure_one(keys, rows, lead))
            _show(measured[-1])
    found = [asdict(size) for size in measured]
    MEASURED.parent.mkdir(exist_ok=True)
    MEASURED.write_text(json.dumps(found, indent=2) + "\n")
    return measured


def steepest(sizes: Sequence[Size]) -> float:
    """Between neighbours: 1 where ten times the keys in use cost ten times as much to plan."""
    return max(
        math.log(larger.plan_cpu_s / smaller.plan_cpu_s) / math.log(larger.in_use / smaller.in_use)
        for smaller, larger in itertools.pairwise(sizes)
    )


def growth(sizes: Sequence[Size]) -> float:
    """Of the page that grew most, from the smallest size to the largest: how many times as much it costs."""
    first, last = sizes[0].pages, sizes[-1].pages
    return max(after.cpu_ms / before.cpu_ms for before, after in zip(first, last, strict=True))


def _measure_one(keys: int, rows: Sample, lead: User) -> Size:
    desk, portal = signed_in(lead), signed_in(rows.customer)
    of_desk = {name: address for name, address in pages(rows) if name in DESK}
    looked_at = [(words, desk, of_desk[name]) for name, words in DESK.items()]
    for words, address in {
        "bots": reverse("apikeys:bots"),
        "own key": reverse("apikeys:key", args=[rows.key.pk]),
        "security": reverse("accounts:security"),
    }.items():
        looked_at.append((words, portal, address))
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        statements = [_statements(browser, address) for _, browser, address in looked_at]
        times = _times([(browser, address) for _, browser, address in looked_at])
    measured = [
        Page(words, browser is desk, *medians, number)
        for (words, browser, _), medians, number in zip(looked_at, times, statements, strict=True)
    ]
    return Size(keys, *_plan(), measured)


def _statements(browser: Client, address: str) -> int:
    """Of the page asked for once, which warms it up."""
    with CaptureQueriesContext(connection) as seen:
        answer = browser.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered with {answer.status_code}")
    return len(seen)


def _times(looked_at: Sequence[tuple[Client, str]]) -> Sequence[tuple[float, float]]:
    """Wall and processor time of each, in ms. In rounds, so that a busy moment meets more than one page."""
    times: list[list[tuple[float, float]]] = [[] for _ in looked_at]
    for _ in range(PAGE_ROUNDS):
        for found, (browser, address) in zip(times, looked_at, strict=True):
            begun, begun_cpu = time.perf_counter(), processor.seconds()
            browser.get(address)
            found.append((time.perf_counter() - begun, processor.seconds() - begun_cpu))
    return [(_median_ms(wall for wall, _ in found), _median_ms(cpu for _, cpu in found)) for found in times]


def _median_ms(seconds: Iterable[float]) -> float:
    return statistics.median(seconds) * 1000


def _plan() -> tuple[int, int, float, float]:
    """Keys in use, the lists that they were leased in, and the median seconds of wall and processor."""
    in_use = ApiKey.objects.active().count()
    walls, cpus, lists = [], [], 0
    for _ in range(PLAN_ROUNDS):
        now = timezone.now() + ALL_DUE_WITHIN
        with override_settings(SWEEP_PLANNED_AHEAD=WITHOUT_END):
            begun, begun_cpu = time.perf_counter(), processor.seconds()
            sizes = [len(leased.key_ids) for leased in lease.plan(now, most=in_use)]
            walls.append(time.perf_counter() - begun)
            cpus.append(processor.seconds() - begun_cpu)
        if sum(sizes) != in_use:
            raise RuntimeError(f"{sum(sizes)} of {in_use} keys were leased.")
        lists = len(sizes)
        ApiKey.objects.exclude(claim=None).update(claim=None, claimed_until=None)
        ExchangeState.objects.update(swept_until=None)
        _settle()
    return in_use, lists, statistics.median(walls), statistics.median(cpus)


def _settle() -> None:
    """So that neither rows that are gone nor old statistics are in what is measured next."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _show(size: Size) -> None:
    print(
        f"    planning {size.in_use:,} keys in use in {size.lists} lists: {size.plan_s * 1000:.0f} ms,"
        f" {size.plan_cpu_s * 1000:.0f} ms of CPU"
    )
    for page in size.pages:
        where = "desk" if page.at_desk else "portal"
        times = f"{page.ms:6.1f} ms {page.cpu_ms:6.1f} CPU"
        print(f"    {times} {page.statements:3} statements  {where}: {page.name}", flush=True)
