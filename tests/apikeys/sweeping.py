"""Keys in use, each known to the simulated exchange, and sweeps over them in this process."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from accounts.models import User
from apikeys import reports, vault
from apikeys.exchanges import client
from apikeys.exchanges.base import Credentials, KeyReport
from apikeys.flows import lease
from apikeys.flows.lease import Lease
from apikeys.flows.sweep import sweep
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from tests.exchange_simulator.exchanges import EXCHANGES
from tests.exchange_simulator.simulator import Simulator

LONG_AGO = timedelta(hours=30)


def keys_in_use(
    owner: User, simulator: Simulator, exchange: str, number: int, market: str = "spot"
) -> list[ApiKey]:
    """As they are after a check that found them in order; the next one is due."""
    found = []
    now = timezone.now()
    for each in range(number):
        known = EXCHANGES[exchange].fresh(each)
        simulator.know(known)
        credentials = Credentials(known.api_key, known.secret, known.passphrase)
        report = client.ask(exchange, credentials)
        assert isinstance(report, KeyReport), report
        bot_id = f"{owner.client_id} / {exchange}-{each}"
        bot = Bot.objects.create(bot_id=bot_id, customer=owner, exchange=exchange, market=market)
        key_id = uuid4()
        sealed = vault.seal(credentials, key_id=key_id, bot_id=bot_id, exchange=exchange)
        found.append(
            ApiKey.objects.create(
                id=key_id,
                bot=bot,
                status=KeyStatus.ACTIVE,
                last_four=known.api_key[-4:],
                fingerprint=vault.fingerprint(exchange, known.api_key),
                sealed=sealed.ciphertext,
                seal_id=sealed.seal_id,
                submitted_at=now - LONG_AGO,
                activated_at=now - LONG_AGO,
                checked_at=now - LONG_AGO,
                check_due_at=now - timedelta(minutes=number - each),
                report_json=reports.as_json(report),
                account_id=report.account_id,
                region=report.region,
                expires_at=report.expires_at,
                permanent=report.permanent,
            )
        )
    return found


def leased(now: datetime | None = None) -> list[Lease]:
    return list(lease.plan(now or timezone.now(), most=100))


def work(on: Lease, ending: threading.Event | None = None) -> int:
    """How many keys were asked about."""
    ending = ending or threading.Event()
    return sweep(on.exchange, on.claim, on.key_ids, ask_all=client.ask_all, ending=ending)


def again(keys: Sequence[ApiKey]) -> list[ApiKey]:
    """As their rows are now."""
    rows = ApiKey.objects.in_bulk([key.pk for key in keys])
    return [rows[key.pk] for key in keys]


def api_key_of(number: int, exchange: str) -> str:
    """Of the n-th key of `keys_in_use`."""
    return EXCHANGES[exchange].fresh(number).api_key


def copies_of(key: ApiKey, number: int) -> list[ApiKey]:
    """Rows like this one, due one after the other, for bots of their own. What they seal does not open."""
    owner, exchange = key.bot.customer, key.bot.exchange
    names = [f"{owner.client_id} / {exchange} copy {each}" for each in range(number)]
    bots = Bot.objects.bulk_create(
        Bot(bot_id=name, customer=owner, exchange=exchange, market=key.bot.market) for name in names
    )
    columns = {field.attname: getattr(key, field.attname) for field in ApiKey._meta.fields}
    assert key.check_due_at is not None
    return ApiKey.objects.bulk_create(
        ApiKey(
            **columns
            | {"id": uuid4(), "bot_id": bot.pk, "fingerprint": uuid4().hex}
            | {"check_due_at": key.check_due_at + timedelta(milliseconds=each)}
        )
        for each, bot in enumerate(bots)
    )
