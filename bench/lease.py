"""100,000 keys in use that are due: every row leased and put to work; seconds, and what that takes in Redis.

Nobody takes the lists up meanwhile, so that all of them are in Redis at once.
"""

import time
from collections.abc import Mapping
from typing import Any

import redis
from django.conf import settings

from apikeys.exchanges import client
from apikeys.exchanges.base import KeyReport
from apikeys.models import ApiKey
from apikeys.tasks import plan_sweeps
from bench import stage
from bench.quick_exchange import QuickExchange
from bench.rehearsal import credentials
from bench.sweep_stage import make_due, make_keys_in_use, multiply_keys
from bench.unpaced import EXCHANGE
from tests.stack import empty_broker

KEYS = 100_000


def measure() -> Mapping[str, float]:
    with stage.fresh_database():
        known = credentials(EXCHANGE)
        with QuickExchange(EXCHANGE, tls=False) as exchange:
            settings.EXCHANGE_BASE_URLS = {EXCHANGE: exchange.url}
            report = client.ask(EXCHANGE, known)
        if not isinstance(report, KeyReport):
            raise RuntimeError(f"No report: {report}")
        make_keys_in_use(1, known, report)
        multiply_keys(KEYS - 1)
        make_due()
        empty_broker()
        begun = time.perf_counter()
        plan_sweeps()
        seconds = time.perf_counter() - begun
        leased = ApiKey.objects.active().exclude(claim=None).count()
        if leased != KEYS:
            raise RuntimeError(f"{leased} of {KEYS} keys were leased.")
        store: Any = redis.Redis.from_url(settings.REDIS_URL)
        lists = store.llen("sweeps")
        size = sum(store.memory_usage(name, samples=0) for name in store.keys("*"))
        empty_broker()
    print(f"  {KEYS} keys in {lists} lists: {seconds:.2f} s, {size / 1024**2:.2f} MiB in Redis")
    return {"lease_100k_s": seconds, "lease_100k_redis_mb": size / 1024**2}
