"""One bot on the first page: the state of its key in words, and the one thing to do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apikeys import attention
from apikeys.findings import FindingCode
from apikeys.models import ApiKey, Bot
from apikeys.pages import verdict, words
from apikeys.status import BotStatus, KeyStatus


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str
    action: str = ""  # for `data-action`


@dataclass(frozen=True, slots=True)
class BotCard:
    """One bot as its customer sees it.

    status is meaning (`data-bot-status`), tone is looks, state tells apart what the summary counts.
    """

    bot_id: str
    short_name: str
    exchange: str
    market: str
    status: BotStatus
    state: str
    tone: str
    headline: str
    sentences: tuple[SafeString, ...]
    button: Link
    filled: bool
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class BotKeys:
    """What of a bot's keys its card tells."""

    waiting: ApiKey | None
    active: ApiKey | None
    latest: ApiKey | None
    ever_active: bool


def card(bot: Bot, keys: BotKeys, now: datetime) -> BotCard:
    if keys.waiting:
        return _checking(bot, keys.waiting, keys.active, now)
    if keys.active:
        return _connected(bot, keys.active, keys.latest, now)
    return _not_connected(bot, keys, now)


def _form_link(bot: Bot, *, refresh: bool, text: str = "") -> Link:
    action = "refresh" if refresh else "connect"
    return Link(
        text=text or ("Refresh key" if refresh else "Connect a key"),
        url=reverse("apikeys:key_form", args=[bot.pk]),
        action=action,
    )


def _key_link(text: str, key: ApiKey) -> Link:
    return Link(text=text, url=reverse("apikeys:key", args=[key.pk]))


def _checking(bot: Bot, waiting: ApiKey, active: ApiKey | None, now: datetime) -> BotCard:
    came = format_html(
        "The key ending {} came in {}",
        words.ending(waiting.last_four),
        words.moment(waiting.submitted_at, now),
    )
    exchange = bot.adapter.name
    if waiting.status == KeyStatus.READY:
        headline = "Accepted, waiting for your bot"
        first = format_html("{} and was accepted. Your bot takes it over next.", came)
    elif verdict.has(waiting, FindingCode.WRONG_ACCOUNT):
        headline = "Support looks at your new key"
        first = format_html("{}. {} A person looks at it first.", came, verdict.held_because(waiting))
    elif waiting.failed_checks:
        headline = "Checking your new key"
        first = format_html("{}. {} has not answered yet; we ask again by ourselves.", came, exchange)
    else:
        headline = "Checking your new key"
        first = format_html("{} and is being checked at {}.", came, exchange)
    sentences = [first]
    if active:
        sentences.append(
            format_html(
                "<b>Keep the old key</b> ending {}{}.",
                words.ending(active.last_four),
                "" if active.problem else ": your bot goes on trading with it",
            )
        )
        if to_come := attention.what_is_to_come(active):
            sentences.append(words.marked(f"Of the old key: {to_come}"))
    return _made(
        bot,
        status=BotStatus.CHECKING,
        state="checking",
        tone="busy",
        headline=headline,
        sentences=sentences,
        button=_key_link("See progress", waiting),
        link=_form_link(bot, refresh=active is not None, text="Use another key"),
    )


def _connected(bot: Bot, active: ApiKey, latest: ApiKey | None, now: datetime) -> BotCard:
    end, exchange = words.ending(active.last_four), bot.adapter.name
    status, state, tone, filled = BotStatus.ACTIVE, "active", "ok", False
    link = None
    if active.problem:
        status, state, tone, filled = BotStatus.PROBLEM, "problem", "bad", True
        headline = f"Needs attention: {attention.problem_in_words(active.problem)}"
        told = (attention.what_is_to_come(active), attention.what_works(active))
        sentences = [words.marked(sentence) for sentence in told if sentence]
        link = _key_link("What to do", active)
    elif active.expires_at and active.expires_at <= now:
        status, state, tone, filled = BotStatus.PROBLEM, "expired", "bad", True
        headline = "Expired"
        ended = words.moment(active.expires_at, now)
        sentences = [format_html("The key ending {} stopped working at {} {}.", end, exchange, ended)]
    elif active.expires_at and active.expires_at <= now + settings.EXPIRES_SOON:
        state, tone, filled = "expiring", "warn", True
        headline = _expires_in(active.expires_at - now)
        ends = words.moment(active.expires_at, now)
        sentences = [
            format_html("The key ending {} stops working at {} {}, and the bot with it.", end, exchange, ends)
        ]
    else:
        headline, sentences = "Active", [_healthy(active, now)]
        if verdict.works_from_anywhere(active):
            state, tone, headline = "open", "warn", "Active, but bound to no address"
            sentences.append(format_html("It works from any address. {}", bot.adapter.unbound_key_lives))
    if latest and latest.status == KeyStatus.REFUSED and latest.submitted_at > active.submitted_at:
        link = _key_link("Why the last key was refused", latest)
    return _made(
        bot,
        status=status,
        state=state,
        tone=tone,
        headline=headline,
        sentences=sentences,
        button=_form_link(bot, refresh=True),
        filled=filled,
        link=link,
    )


def _healthy(active: ApiKey, now: datetime) -> SafeString:
    # Where the desk looks into what the exchange said last, nothing is claimed.
    proved = "is in use" if active.concern else "can trade and cannot withdraw"
    return format_html(
        "The key ending {} {}.{}{}",
        words.ending(active.last_four),
        proved,
        format_html(" Last checked {}.", words.moment(active.checked_at, now)) if active.checked_at else "",
        format_html(" It ends on {}.", words.date(active.expires_at)) if active.expires_at else "",
    )


def _expires_in(left: timedelta) -> str:
    days = math.floor(left / timedelta(days=1))
    if days >= 1:
        return "Expires in 1 day" if days == 1 else f"Expires in {days} days"
    return "Expires within a day"


def _not_connected(bot: Bot, keys: BotKeys, now: datetime) -> BotCard:
    refused = keys.latest if keys.latest and keys.latest.status == KeyStatus.REFUSED else None
    exchange = bot.adapter.name
    if keys.ever_active:
        status, state, tone, headline = BotStatus.REVOKED, "revoked", "bad", "Disconnected"
        sentences = [words.marked("No key of this bot works. It does not trade until you connect a new one.")]
    else:
        status, state, tone, headline = BotStatus.NONE, "none", "off", "Not connected"
        sentences = [
            format_html("The bot is set up. It starts to trade once you connect a key of {}.", exchange)
        ]
    if refused:
        sentences.append(
            format_html(
                "The key ending {} was refused {}.",
                words.ending(refused.last_four),
                words.moment(refused.ended_at or refused.submitted_at, now),
            )
        )
    link = _key_link("Why it was refused", refused) if refused else None
    if keys.latest and attention.was_disconnected_for_a_right(keys.latest):
        sentences.insert(0, words.marked(attention.why_disconnected(keys.latest)))
        link = _key_link("What happened", keys.latest)
    return _made(
        bot,
        status=status,
        state=state,
        tone=tone,
        headline=headline,
        sentences=sentences,
        button=_form_link(bot, refresh=False),
        filled=True,
        link=link,
    )


def _made(
    bot: Bot,
    *,
    status: BotStatus,
    state: str,
    tone: str,
    headline: str,
    sentences: Sequence[SafeString],
    button: Link,
    filled: bool = False,
    link: Link | None = None,
) -> BotCard:
    return BotCard(
        bot_id=bot.bot_id,
        short_name=bot.short_name,
        exchange=bot.adapter.name,
        market=bot.get_market_display(),
        status=status,
        state=state,
        tone=tone,
        headline=headline,
        sentences=tuple(sentences),
        button=button,
        filled=filled,
        link=link,
    )
