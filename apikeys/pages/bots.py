"""The first page: each bot of a customer with the state of its key, most urgent first."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from accounts.models import User
from apikeys.models import ApiKey, Bot
from apikeys.pages import words
from apikeys.pages.bot_card import BotCard, BotKeys, card
from apikeys.status import LIVE, WAITING, KeyStatus

_URGENCY = {
    "problem": 0,
    "expired": 1,
    "revoked": 2,
    "expiring": 3,
    "none": 4,
    "open": 5,
    "checking": 6,
    "active": 7,
}
_ONE_BOT = {
    "problem": "Your bot needs attention.",
    "expired": "Your bot needs attention.",
    "revoked": "Your bot is disconnected.",
    "expiring": "The key of your bot expires soon.",
    "none": "Your bot waits to be connected.",
    "checking": "The new key of your bot is on its way.",
    "open": "Your bot is connected, with a key that is bound to no address.",
    "active": "Your bot is connected.",
}


def bot_cards(customer: User, now: datetime) -> list[BotCard]:
    """Two queries, whatever the number of bots."""
    return [shown for shown, _, _ in bots_with_keys(customer, now)]


def bots_with_keys(customer: User, now: datetime) -> list[tuple[BotCard, Bot, BotKeys]]:
    """As `bot_cards`, with the rows that they were made of."""
    bots = list(Bot.objects.filter(customer=customer))
    latest = ApiKey.objects.filter(bot=OuterRef("bot")).order_by("-submitted_at").values("pk")[:1]
    telling = (
        Q(status__in=LIVE) | Q(pk=Subquery(latest)) | Q(status=KeyStatus.REVOKED, activated_at__isnull=False)
    )
    of_bot: dict[int, list[ApiKey]] = defaultdict(list)
    for key in (
        ApiKey.objects.filter(telling, bot__customer=customer).defer("sealed").order_by("submitted_at")
    ):
        of_bot[key.bot_id].append(key)
    sorted_out = [(bot, _sorted_out(bot, of_bot[bot.pk])) for bot in bots]
    cards = [(card(bot, keys, now), bot, keys) for bot, keys in sorted_out]
    return sorted(cards, key=lambda shown: (_URGENCY[shown[0].state], shown[0].bot_id.upper()))


def _sorted_out(bot: Bot, keys: list[ApiKey]) -> BotKeys:
    for key in keys:
        key.bot = bot
    return BotKeys(
        waiting=next((key for key in keys if key.status in WAITING), None),
        active=next((key for key in keys if key.status == KeyStatus.ACTIVE), None),
        latest=keys[-1] if keys else None,
        ever_active=any(key.activated_at for key in keys),
    )


def bots_lede(cards: Sequence[BotCard]) -> str:
    """All bots in one sentence, such as `One of four needs attention, and one key expires soon.`"""
    if not cards:
        return ""
    if len(cards) == 1:
        return _ONE_BOT[cards[0].state]
    states = Counter(shown.state for shown in cards)
    parts = [
        _part(states["problem"] + states["expired"], "needs attention", "need attention"),
        _part(states["revoked"], "is disconnected", "are disconnected"),
        _part(states["expiring"], "has a key that expires soon", "have a key that expires soon"),
        _part(states["none"], "waits to be connected", "wait to be connected"),
        _part(states["open"], "has a key bound to no address", "have keys bound to no address"),
        _part(states["checking"], "has a new key on its way", "have a new key on its way"),
    ]
    told = [part for part in parts if part]
    if not told:
        return f"All {words.number(len(cards))} are connected."
    first, *others = told
    count, verb = first.split(" ", 1)
    sentence = ", ".join([f"{count} of {words.number(len(cards))} {verb}", *others[:-1]])
    if others:
        sentence += f", and {others[-1]}"
    return f"{sentence[0].upper()}{sentence[1:]}."


def _part(count: int, one: str, many: str) -> str:
    return f"{words.number(count)} {one if count == 1 else many}" if count else ""
