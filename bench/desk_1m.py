"""The same as `bench.desk` over the database of DATABASE_URL itself, which holds a million keys.

To fill it takes half an hour, so it is filled once: `python -m demo.fill --keys 1000000 --quick`.
"""

from collections.abc import Mapping

from apikeys.models import ApiKey
from bench import stage
from bench.desk import look

KEYS = 1_000_000


def measure() -> Mapping[str, float]:
    found = ApiKey.objects.count()
    if found < KEYS:
        raise RuntimeError(f"{found:,} keys. First: python -m demo.fill --keys {KEYS} --quick")
    stage.collect_static()
    return look("1m")
