"""The product's Celery application with the pace towards Binance lifted, so that a sweep is measured and not
a limit of the exchange; and beside it the naive sweep that ours is compared with.

The pace only sleeps: code and calls are the same, and turns are taken in Redis as ever.
"""

from dataclasses import replace
from typing import cast
from uuid import UUID, uuid4

import ccxt
import django
from celery import shared_task
from django.conf import settings
from django.utils import timezone

# A worker that is started on this module comes here before Celery has prepared Django.
django.setup()
from apikeys import vault  # noqa: E402
from apikeys.exchanges.adapter import Adapter, Own, Reply  # noqa: E402
from apikeys.exchanges.base import KeyReport, Trouble  # noqa: E402
from apikeys.exchanges.registry import EXCHANGES  # noqa: E402
from apikeys.flows import recheck  # noqa: E402
from apikeys.models import ApiKey  # noqa: E402
from sequence_portal.celery import app  # noqa: E402

__all__ = ["app"]

EXCHANGE = "binance"
cast(dict[str, Adapter], EXCHANGES)[EXCHANGE] = replace(EXCHANGES[EXCHANGE], calls_per_second=1e6)


@shared_task(name="bench.check_naively", queue="sweeps")
def check_naively(key_id: str) -> None:
    """One key in use: the same claim, opening, calls, reading and record as ours, by the means at hand."""
    now, claim = timezone.now(), uuid4()
    free = ApiKey.objects.active().filter(pk=UUID(key_id), check_due_at__lte=now).unclaimed(now)
    if not free.update(claim=claim, claimed_until=now + settings.SWEEP_CLAIM):
        return
    key = ApiKey.objects.select_related("bot").get(pk=key_id)
    bot = key.bot
    credentials = vault.open_sealed(
        bytes(key.sealed or b""), key.seal_id, key_id=key.pk, bot_id=bot.bot_id, exchange=bot.exchange
    )
    answer = _ask(credentials.api_key, credentials.secret)
    now = timezone.now()
    if not recheck.is_unchanged(key, answer, now):
        raise RuntimeError("The key has changed.")
    ApiKey.objects.active().filter(pk=key.pk, claim=claim).update(
        checked_at=now, check_due_at=recheck.next_due(key, now), claim=None, claimed_until=None
    )


def _ask(api_key: str, secret: str) -> KeyReport | Trouble:
    exchange = ccxt.binance({"apiKey": api_key, "secret": secret})
    base = settings.EXCHANGE_BASE_URLS[EXCHANGE]
    exchange.urls["api"] = exchange.urls["api"] | {"sapi": f"{base}/sapi/v1", "private": f"{base}/api/v3"}
    calls = {
        "account/apiRestrictions": exchange.sapiGetAccountApiRestrictions,
        "account": lambda: exchange.privateGetAccount({"omitZeroBalances": "true"}),
    }
    conversation = EXCHANGES[EXCHANGE].converse(Own(api_key))
    try:
        call = next(conversation)
        while True:
            call = conversation.send(Reply(200, calls[call.path]()))
    except StopIteration as end:
        found: KeyReport | Trouble = end.value
        return found
