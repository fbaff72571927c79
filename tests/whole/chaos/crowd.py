"""Customers with many bots, each trading with an old key, and the new key that is about to come for each."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from itertools import cycle
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import User
from apikeys import vault
from apikeys.exchanges.base import Credentials, Market
from apikeys.findings import FindingCode
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from tests.conftest import make_customer
from tests.exchange_simulator.exchanges import EXCHANGES
from tests.exchange_simulator.model import SimulatedKey
from tests.exchange_simulator.simulator import Control

# Of quick pace, so that what holds a key up is a fault and not a queue.
TRADED_AT = ("binance", "bybit")
CUSTOMERS = 10
NO_PASSWORD = "!"


class Sort(Enum):
    """What is wrong with a new key, and the finding with which it must be refused."""

    GOOD = None
    CAN_WITHDRAW = FindingCode.FORBIDDEN_PERMISSION
    CANNOT_TRADE = FindingCode.MISSING_PERMISSION
    WRONG_SECRET = FindingCode.BAD_SIGNATURE
    UNKNOWN = FindingCode.NOT_FOUND
    # The exchange says 200 to it and sends a page, half an answer, or a right of the wrong type.
    GARBAGE = FindingCode.UNPROVEN_PERMISSION


BAD = tuple(sort for sort in Sort if sort is not Sort.GOOD)
GARBAGES = ("html", "half_json", "wrong_type")
REPLIES: Mapping[tuple[str, Sort], Mapping[str, Any]] = {
    ("binance", Sort.CAN_WITHDRAW): {"enableWithdrawals": True},
    ("binance", Sort.CANNOT_TRADE): {"enableSpotAndMarginTrading": False},
    ("bybit", Sort.CAN_WITHDRAW): {"permissions": {"Wallet": ["Withdraw"]}},
    ("bybit", Sort.CANNOT_TRADE): {"readOnly": 1},
}


@dataclass(frozen=True)
class Planned:
    """One submission to come. `old` is the key with which the bot trades until then, and maybe afterwards."""

    bot: Bot
    old: ApiKey
    new: SimulatedKey
    sort: Sort

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.new.api_key, self.new.secret, self.new.passphrase)


@dataclass(frozen=True)
class Crowd:
    """planned: in the order in which they are handed over. known: every key that the exchanges know."""

    planned: list[Planned]
    known: list[SimulatedKey]

    def misbehave(self, control: Control) -> None:
        """Have the exchanges answer garbage, and nothing else, to the keys that are there for it."""
        garbages = cycle(GARBAGES)
        for each in self.planned:
            if each.sort is Sort.GARBAGE:
                control.behave(each.bot.exchange, next(garbages), each.new.api_key)


def gather(number: int) -> Crowd:
    """So many bots and the keys for them, a fifth of which is bad."""
    people = [_customer(turn) for turn in range(CUSTOMERS)]
    bots = Bot.objects.bulk_create(_bot(turn, people[turn % CUSTOMERS]) for turn in range(number))
    known = [EXCHANGES[bot.exchange].fresh(turn) for turn, bot in enumerate(bots)]
    olds = ApiKey.objects.bulk_create(_old_key(bot, old) for bot, old in zip(bots, known, strict=True))
    planned = []
    for turn, (bot, old) in enumerate(zip(bots, olds, strict=True)):
        sort = BAD[turn // 5 % len(BAD)] if turn % 5 == 4 else Sort.GOOD
        new = EXCHANGES[bot.exchange].fresh(len(bots) + turn)
        # Of the same account as the old one.
        same = known[turn]
        new = replace(new, reply={**same.reply, **REPLIES.get((bot.exchange, sort), {})}, more=same.more)
        if sort is Sort.WRONG_SECRET:
            known.append(replace(new, secret=new.secret[::-1]))
        elif sort is not Sort.UNKNOWN:
            known.append(new)
        planned.append(Planned(bot, old, new, sort))
    random.Random(number).shuffle(planned)
    return Crowd(planned, known)


def _customer(turn: int) -> User:
    return make_customer(f"customer{turn}@example.com", f"0x{turn:03X} / Crowd{turn}", NO_PASSWORD)


def _bot(turn: int, owner: User) -> Bot:
    exchange = TRADED_AT[turn % len(TRADED_AT)]
    return Bot(bot_id=f"{owner.client_id} / B-{turn}", customer=owner, exchange=exchange, market=Market.SPOT)


def _old_key(bot: Bot, old: SimulatedKey) -> ApiKey:
    key_id, before = uuid4(), timezone.now() - timedelta(days=30)
    credentials = Credentials(old.api_key, old.secret, old.passphrase)
    sealed = vault.seal(credentials, key_id=key_id, bot_id=bot.bot_id, exchange=bot.exchange)
    return ApiKey(
        id=key_id,
        bot=bot,
        status=KeyStatus.ACTIVE,
        last_four=old.api_key[-4:],
        fingerprint=vault.fingerprint(bot.exchange, old.api_key),
        sealed=sealed.ciphertext,
        seal_id=sealed.seal_id,
        submitted_at=before,
        checked_at=before,
        ready_at=before,
        activated_at=before,
        check_due_at=timezone.now(),
    )
