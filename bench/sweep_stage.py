"""Keys in use that really open, the worker processes of a sweep, and what those cost."""

import os
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from accounts.models import User
from apikeys import reports, vault
from apikeys.exchanges.base import Credentials, KeyReport
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from bench.unpaced import EXCHANGE
from tests.stack import CHECKS, MAIL, SWEEPS, Stack

SWEEPS_TOO = "sweeps-too"
NAIVE = "naive"
CUSTOMERS = 2_000
_AT_ONCE = 2_000
_TICKS = os.sysconf("SC_CLK_TCK")


class SweepStack(Stack):
    """Workers without Binance's pace; a second sweep worker, one for each of two cores; and the naive one."""

    def environment(self, name: str) -> dict[str, str]:
        return super().environment(SWEEPS if name in (SWEEPS_TOO, NAIVE) else name)

    def _command(self, name: str) -> list[str]:
        if name == NAIVE:
            pool = ["--pool=prefork", "--concurrency=8"]
            return ["celery", "-A", "bench.unpaced", "worker", "-Q", "sweeps", "-n", "naive@%h", *pool]
        command = super()._command(SWEEPS if name == SWEEPS_TOO else name)
        if name in (CHECKS, SWEEPS, SWEEPS_TOO, MAIL):
            command = ["bench.unpaced" if word == "sequence_portal" else word for word in command]
        return [word.replace("sweeps@%h", f"{name}@%h") for word in command]


def make_keys_in_use(number: int, credentials: Credentials, report: KeyReport) -> None:
    """Every bot has its own customer or shares one, and its own row, sealed for it."""
    people = User.objects.bulk_create(
        User(email=f"sweep{each}@example.com", client_id=f"0xF{each:X} / Swept{each}")
        for each in range(min(number, CUSTOMERS))
    )
    now = timezone.now()
    as_json = reports.as_json(report)
    for begin in range(0, number, _AT_ONCE):
        bots = Bot.objects.bulk_create(
            Bot(
                bot_id=f"{people[each % len(people)].client_id} / BTC-{each}",
                customer=people[each % len(people)],
                exchange=EXCHANGE,
                market="spot",
            )
            for each in range(begin, min(number, begin + _AT_ONCE))
        )
        rows = []
        for bot in bots:
            key_id = uuid4()
            sealed = vault.seal(credentials, key_id=key_id, bot_id=bot.bot_id, exchange=EXCHANGE)
            rows.append(
                ApiKey(
                    id=key_id,
                    bot=bot,
                    exchange=EXCHANGE,
                    status=KeyStatus.ACTIVE,
                    last_four=credentials.api_key[-4:],
                    fingerprint=key_id.hex * 2,
                    sealed=sealed.ciphertext,
                    seal_id=sealed.seal_id,
                    submitted_at=now,
                    ready_at=now,
                    activated_at=now,
                    checked_at=now,
                    check_due_at=now + timedelta(days=1),
                    report_json=as_json,
                    account_id=report.account_id,
                    expires_at=report.expires_at,
                    permanent=report.permanent,
                )
            )
        ApiKey.objects.bulk_create(rows)


def multiply_keys(number: int) -> None:
    """The one key that there is, so many times more, each with a bot of its own. They do not open."""
    own = {"id": "gen_random_uuid()", "bot_id": "bot.id", "fingerprint": "repeat(md5(bot.id::text), 2)"}
    columns = [str(field.column) for field in ApiKey._meta.local_concrete_fields]
    taken = ", ".join(own.get(column, f"key.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO apikeys_bot (bot_id, customer_id, exchange, market, created_at)"
            " SELECT 'copy ' || n, customer_id, exchange, market, created_at"
            " FROM apikeys_bot, generate_series(1, %s) AS n",
            [number],
        )
        cursor.execute(
            f"INSERT INTO apikeys_apikey ({', '.join(columns)})"  # noqa: S608 - names of our own columns
            f" SELECT {taken} FROM apikeys_apikey AS key, apikeys_bot AS bot WHERE bot.id <> key.bot_id"
        )


def make_due() -> None:
    ApiKey.objects.active().update(check_due_at=timezone.now() - timedelta(seconds=1))


def wait_until(what: Callable[[], bool], words: str, within: float = 600.0) -> None:
    until = time.monotonic() + within
    while not what():
        if time.monotonic() > until:
            raise RuntimeError(f"In {within:.0f} s it did not come about that {words}.")
        time.sleep(0.05)


def cpu_of(stack: Stack, names: Iterable[str]) -> float:
    """Seconds of processor time of these processes and all that they started."""
    groups = {stack.processes[name].pid for name in names}
    ticks = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) in groups:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def megabytes_of(stack: Stack, name: str) -> float:
    """Resident memory."""
    status = Path(f"/proc/{stack.processes[name].pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
