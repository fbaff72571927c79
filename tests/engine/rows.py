"""Bots whose new key waits for the engine, written in bulk as the flows leave them."""

from datetime import timedelta
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from apikeys import vault
from apikeys.exchanges.base import Credentials
from apikeys.models import ApiKey, Bot, Handover
from apikeys.status import KeyStatus

_AT_ONCE = 1_000


def make_ready_keys(number: int, *, customers: int = 10) -> None:
    """Every bot trades with an old key and waits with a new one, whose envelope really opens."""
    people = User.objects.bulk_create(
        User(email=f"c{index}@example.com", client_id=f"0x{index:X} / Customer{index}")
        for index in range(min(number, customers))
    )
    bots = [
        Bot(
            bot_id=f"{people[index % len(people)].client_id} / BTC-{index}",
            customer=people[index % len(people)],
            exchange="binance",
            market="spot",
        )
        for index in range(number)
    ]
    for begin in range(0, number, _AT_ONCE):
        with transaction.atomic():
            batch = Bot.objects.bulk_create(bots[begin : begin + _AT_ONCE])
            ApiKey.objects.bulk_create(_key(bot, KeyStatus.ACTIVE) for bot in batch)
            keys = ApiKey.objects.bulk_create(_key(bot, KeyStatus.READY) for bot in batch)
            Handover.objects.bulk_create(_handover(key) for key in keys)


def api_key_of(key: ApiKey) -> str:
    return f"{key.pk.hex}{key.last_four}"


def _key(bot: Bot, status: KeyStatus) -> ApiKey:
    now = timezone.now()
    return ApiKey(
        bot=bot,
        status=status,
        sealed=b"s" * 1_300,
        seal_id="0" * 8,
        fingerprint=uuid4().hex,
        last_four=uuid4().hex[:4],
        submitted_at=now,
        checked_at=now,
        ready_at=now,
        activated_at=now - timedelta(days=90) if status == KeyStatus.ACTIVE else None,
    )


def _handover(key: ApiKey) -> Handover:
    bot = key.bot
    credentials = Credentials(api_key_of(key), uuid4().hex * 2)
    sealed = vault.seal_for_engine(credentials, key_id=key.pk, bot_id=bot.bot_id, exchange=bot.exchange)
    if sealed is None:
        raise RuntimeError("No engine is configured.")
    return Handover(
        kind=Handover.Kind.KEY,
        key=key,
        envelope=sealed.ciphertext,
        engine_key_id=sealed.seal_id,
        created_at=timezone.now(),
    )
