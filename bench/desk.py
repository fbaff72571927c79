"""The slowest page of the desk with 100,000 keys and 20,000 customers, beside lists of stock admin.

Every page of the admin site that can be looked at, found from its addresses; of each list the first, a middle
and the last page, every option of every filter, and searches for what agents type. Through Django's test
client, so that all from the middleware to the template is in the time, over PostgreSQL after VACUUM ANALYZE.
"""

import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from accounts.roles import Role
from bench import stage
from bench.desk_pages import pages, sample, stock_pages
from demo.filling import fill
from tests.conftest import make_staff, signed_in

KEYS = 100_000
ROUNDS, STOCK_ROUNDS = 7, 3
SHOWN = 15


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    ms: float
    statements: int


def measure() -> Mapping[str, float]:
    with stage.fresh_database():
        begun = time.monotonic()
        fill(keys=KEYS, customers=KEYS // 5, sealed=False)
        print(f"  {KEYS:,} keys in {time.monotonic() - begun:.0f} s")
        return look("100k")


def look(size: str) -> Mapping[str, float]:
    """The figures of the database as it is, named with its size. What is added to look at is taken back."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    with transaction.atomic(), override_settings(ROOT_URLCONF="bench.stock", ALLOWED_HOSTS=["testserver"]):
        lead = make_staff(Role.LEAD, "lead@bench.example")
        rows = sample(asked_by=lead)
        browser = signed_in(lead)
        ours = look_at(browser, pages(rows), ROUNDS)
        show(f"the desk, {len(ours)} pages", ours)
        with override_settings(TEMPLATES=[settings.TEMPLATES[0] | {"DIRS": []}]):
            stock = look_at(browser, stock_pages(rows), STOCK_ROUNDS)
        show(f"stock admin, {len(stock)} pages", stock)
        transaction.set_rollback(True)
    return {
        f"desk_ms_{size}": max(page.ms for page in ours),
        f"desk_statements_{size}": max(page.statements for page in ours),
        f"desk_stock_ms_{size}": max(page.ms for page in stock),
    }


def look_at(browser: Client, addresses: Iterable[tuple[str, str]], rounds: int) -> list[Measured]:
    """Each page once to warm up, which counts its statements, then for its median."""
    measured = []
    for name, address in addresses:
        with CaptureQueriesContext(connection) as seen:
            status = browser.get(address).status_code
        statements = len(seen)  # the next request forgets them
        if status == HTTPStatus.FORBIDDEN:  # open to another role alone
            continue
        if status not in (200, 302):  # 302: one exact hit, or a page that lies elsewhere
            raise RuntimeError(f"{name}: {address} answered with {status}")
        times = []
        for _ in range(rounds):
            begun = time.perf_counter()
            browser.get(address)
            times.append(time.perf_counter() - begun)
        measured.append(Measured(name, statistics.median(times) * 1000, statements))
    return measured


def show(what: str, measured: list[Measured]) -> None:
    slowest = sorted(measured, key=lambda page: -page.ms)
    most = max(measured, key=lambda page: page.statements)
    middle = statistics.median(page.ms for page in measured)
    print(f"  {what}: median of all {middle:.0f} ms; most statements {most.statements}: {most.name}")
    for page in slowest[:SHOWN]:
        print(f"    {page.ms:7.1f} ms {page.statements:3} statements  {page.name}")
