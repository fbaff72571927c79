"""The page of one key: what happens to it now, which key works, what was found, what to do."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apikeys import attention
from apikeys.findings import FindingCode, Severity
from apikeys.models import ApiKey
from apikeys.pages import verdict, words
from apikeys.pages.openings import opening
from apikeys.pages.stages import Bar, Stage, bars, stages
from apikeys.pages.verdict import Row
from apikeys.status import WAITING, KeyStatus

# Seconds between two looks of a waiting page: an answer takes seconds, a take-over minutes, a person longer.
_POLL_CHECKING, _POLL_READY, _POLL_HELD = 5, 15, 60
# Without a script the whole page is loaded again, which takes the reader's place on it.
_RELOAD_AT_MOST_EVERY = 15
_CHANGEABLE = {
    FindingCode.FORBIDDEN_PERMISSION,
    FindingCode.MISSING_PERMISSION,
    FindingCode.IP_BLOCKED,
    FindingCode.IP_NOT_OURS,
}


@dataclass(frozen=True, slots=True)
class Again:
    text: str
    url: str
    action: str  # for `data-action`


@dataclass(frozen=True, slots=True)
class KeyPage:
    """goodbye and delete_how: the big sentence about the old key, only once it may go.

    poll: seconds until the page asks again, or None when nothing will change by itself.
    """

    status: KeyStatus
    heading: str
    lede: SafeString
    bot_id: str
    exchange: str
    market: str
    goodbye: SafeString | None
    delete_how: SafeString | None
    rows: tuple[Row, ...]
    guide_url: str
    after_rows: str
    bars: tuple[Bar, ...]
    stages: tuple[Stage, ...]
    waiting: bool
    poll: int | None
    reload: int | None
    again: Again | None
    take_back_url: str
    from_here: SafeString | None


def key_page(key: ApiKey, now: datetime) -> KeyPage:
    other = _other_key(key)
    poll = _poll(key)
    heading, lede = opening(key, other, now)
    goodbye, delete_how = _goodbye(key, other)
    return KeyPage(
        status=KeyStatus(key.status),
        heading=heading,
        lede=lede,
        bot_id=key.bot.bot_id,
        exchange=key.adapter.name,
        market=key.bot.get_market_display(),
        goodbye=goodbye,
        delete_how=delete_how,
        rows=verdict.rows(key) if key.findings_json else (),
        guide_url=reverse("apikeys:key_form", args=[key.bot.pk]),
        after_rows=_after_rows(key),
        bars=bars(key, other),
        stages=stages(key, other, now),
        waiting=key.status in WAITING,
        poll=poll,
        reload=max(poll, _RELOAD_AT_MOST_EVERY) if poll else None,
        again=_again(key, other),
        take_back_url=reverse("apikeys:take_back", args=[key.pk]) if key.status in WAITING else "",
        from_here=_from_here(key),
    )


def _other_key(key: ApiKey) -> ApiKey | None:
    """The key that an active one replaced; for any other, the key that the bot trades with."""
    if key.status == KeyStatus.ACTIVE:
        return key.replaces
    return ApiKey.objects.filter(bot=key.bot, status=KeyStatus.ACTIVE).defer("sealed").first()


def _poll(key: ApiKey) -> int | None:
    if key.status == KeyStatus.READY:
        return _POLL_READY
    if key.status != KeyStatus.CHECKING:
        return None
    if verdict.has(key, FindingCode.WRONG_ACCOUNT):
        return _POLL_HELD
    return _POLL_READY if key.failed_checks else _POLL_CHECKING


def _goodbye(key: ApiKey, old: ApiKey | None) -> tuple[SafeString | None, SafeString | None]:
    if key.status != KeyStatus.ACTIVE or old is None or key.problem:
        return None, None
    adapter = old.adapter
    gone, kept = words.ending(old.last_four), words.ending(key.last_four)
    return (
        format_html("You can now delete the old key ending {} at {}, or let it expire.", gone, adapter.name),
        format_html(
            "At {}, open {} and delete that one key. Leave the one ending {}.",
            adapter.name,
            words.as_written(adapter.key_page),
            kept,
        ),
    )


def _after_rows(key: ApiKey) -> str:
    """Rights and addresses can be changed on the key itself; for the rest the row says what to do."""
    if key.status == KeyStatus.ACTIVE and key.problem:
        return attention.how_to_mend(key)
    codes = {item.code for item in key.findings if item.severity is Severity.REFUSE}
    if key.status != KeyStatus.REFUSED or not codes or not codes <= _CHANGEABLE:
        return ""
    return (
        "Change it on the same key, then paste the key again. "
        f"If {key.adapter.name} no longer shows the secret, make a new key."
    )


def _again(key: ApiKey, other: ApiKey | None) -> Again | None:
    wanting = key.status == KeyStatus.ACTIVE and key.problem
    if key.status not in (KeyStatus.REFUSED, KeyStatus.REVOKED) and not wanting:
        return None
    refresh = key.status == KeyStatus.ACTIVE or other is not None
    text, action = ("Refresh key", "refresh") if refresh else ("Connect a key", "connect")
    return Again(
        text="Try again" if key.status == KeyStatus.REFUSED else text,
        url=reverse("apikeys:key_form", args=[key.bot.pk]),
        action=action,
    )


def _from_here(key: ApiKey) -> SafeString | None:
    if key.status != KeyStatus.ACTIVE or key.problem:
        return None
    adapter = key.adapter
    if key.expires_at:
        ends = format_html("This key stops working at {} on {}.", adapter.name, words.date(key.expires_at))
    elif key.permanent:
        ends = format_html("{} says that this key does not end by itself.", adapter.name)
    elif verdict.has(key, FindingCode.IP_OPEN):
        ends = SafeString("")  # its finding has said how long it lasts
    else:
        ends = format_html("{} does not state how long this key lives.", adapter.name)
    return format_html(
        "{} When you want another one, use Refresh key: this one goes on working until then.",
        ends,
    )
