"""The figures of `/metrics` as one page for a screen on the wall, with the limits of `ops/alerts.yml`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.desk.page import require
from accounts.roles import Act
from sequence_portal import backlogs, figures
from sequence_portal.backlogs import Backlog, Backlogs
from sequence_portal.charts import Series, bars, figure, span, spans
from telemetry.models import Heartbeat, Tally, What
from telemetry.tallies import BOUNDS, SLOT, slot_of

# What the charts show, and how often the page is loaded again.
SPAN = timedelta(hours=3)
RELOAD_SECONDS = 15

_OK, _WARN, _BAD = "ok", "warn", "bad"
_SILENT_AFTER = {"checks": 120, "mail": 120, "sweeps": 600, "chores": 600}
_QUEUES = {"checks": "Checks", "mail": "Mail", "sweeps": "Sweeps", "chores": "Chores"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: what it is of, the figure, what it says in words, and how bad that is."""

    name: str
    value: str
    words: str
    tone: str = _OK


@require_safe
def wallboard(request: HttpRequest) -> HttpResponse:
    require(request, Act.WATCH_WORKERS)
    now = timezone.now()
    tallies, waiting = figures.since(slot_of(now - SPAN)), backlogs.read(now)
    groups = [_queue_tiles(now), _work_tiles(now, tallies, waiting), _health_tiles(now, waiting)]
    still = "still" in request.GET
    wrong = [tile for group in groups for tile in group if tile.tone == _BAD]
    shown = {
        "title": "Wallboard",
        "now": now,
        "still": still,
        "groups": groups,
        "wrong": wrong,
        "charts": _charts(now, tallies),
    }
    page = TemplateResponse(request, "admin/wallboard.html", {**admin.site.each_context(request), **shown})
    if not still:
        # Without a script. Who reads slowly, or has it read aloud, can hold the page still.
        page["Refresh"] = str(RELOAD_SECONDS)
    return page


def _queue_tiles(now: datetime) -> list[Tile]:
    lengths = figures.queue_lengths()
    return [
        _queue_tile(queue, heartbeat, lengths.get(queue), now)
        for queue, heartbeat in figures.heartbeats().items()
    ]


def _queue_tile(queue: str, heartbeat: Heartbeat | None, length: int | None, now: datetime) -> Tile:
    name = f"Queue: {_QUEUES[queue]}"
    value = "?" if length is None else f"{length:,}"
    if heartbeat is None:
        return Tile(name, value, "nobody ever worked on it", _BAD)
    ago = (now - heartbeat.seen_at).total_seconds()
    if ago > _SILENT_AFTER[queue]:
        return Tile(name, value, f"nobody works on it, for {span(ago)}", _BAD)
    if length is None:
        return Tile(name, value, "the broker does not answer", _BAD)
    lags = heartbeat.lay_seconds > 30 and queue in ("checks", "mail")
    return Tile(name, value, f"waits {span(heartbeat.lay_seconds)} for a worker", _WARN if lags else _OK)


def _work_tiles(now: datetime, tallies: Sequence[Tally], waiting: Backlogs) -> list[Tile]:
    hour = [row for row in tallies if row.slot > now - timedelta(hours=1)]
    rechecks = waiting.rechecks.values()
    due = Backlog(
        sum(backlog.number for backlog in rechecks), max(backlog.oldest_seconds for backlog in rechecks)
    )
    failed = sum(row.number for row in hour if row.what == What.MAIL and row.result == "failed")
    return [
        _backlog_tile("Keys to check", waiting.checks, bad=300),
        _verdict_tile(hour),
        _backlog_tile("Daily checks due", due, bad=6 * 3600),
        _mail_tile(hour, now, waiting),
        Tile("Mail refused", f"{failed:,}", "in the last hour", _WARN if failed > 5 else _OK),
        _backlog_tile("Hand-overs", waiting.handovers, bad=900),
    ]


def _health_tiles(now: datetime, waiting: Backlogs) -> list[Tile]:
    states = figures.exchanges()
    away = [str(state) for state in states if state.open_until and state.open_until > now]
    clocks = [(abs(state.clock_ahead_ms), str(state)) for state in states if state.clock_ahead_ms]
    off, where = max(clocks, default=(0.0, ""))
    counted = figures.totals()
    unknown, unwiped = figures.unknown_seals(counted[What.SEALED]), counted[What.UNWIPED]
    sealed = sum(total.number for total in counted[What.SEALED].values())
    kept = sum(total.number for total in unwiped.values())
    return [
        Tile(
            "Exchanges away",
            f"{len(away)}",
            ", ".join(away) or "all answer",
            _BAD if len(away) >= 3 else _WARN if away else _OK,
        ),
        Tile("Clock", f"{off:.0f} ms", f"from {where}" if where else "in step", _WARN if off > 500 else _OK),
        Tile(
            "Sealed keys",
            f"{sealed:,}",
            "seal key not known" if unknown else "seal keys known",
            _BAD if unknown else _OK,
        ),
        _backlog_tile("Events to link", waiting.events, bad=300),
        _backlog_tile("Revocations due", waiting.revocations, bad=900),
        Tile("Secrets kept", f"{kept:,}", "of ended keys, ever", _BAD if kept else _OK),
    ]


def _backlog_tile(name: str, backlog: Backlog, *, bad: float) -> Tile:
    """bad: seconds after which somebody is woken."""
    more = "+" if backlog.number >= backlogs.AT_MOST else ""
    words = f"oldest {span(backlog.oldest_seconds)}" if backlog.number else "none waits"
    tone = _BAD if backlog.oldest_seconds > bad else _WARN if backlog.oldest_seconds > bad / 2 else _OK
    return Tile(name, f"{backlog.number:,}{more}", words, tone)


def _mail_tile(hour: Iterable[Tally], now: datetime, waiting: Backlogs) -> Tile:
    """As the alert `MailWaits` has it: one mailbox that puts its mail off for days is no trouble of ours."""
    lately = Counter[str]()
    for row in hour:
        if row.what == What.MAIL and row.slot > now - timedelta(minutes=15):
            lately[row.result] += row.number
    tile = _backlog_tile("Mail to send", waiting.mail, bad=900)
    if lately["unsent"] and not lately["accepted"]:
        return replace(tile, words="no server takes any", tone=_BAD)
    return replace(tile, tone=_backlog_tile(tile.name, waiting.mail_untried, bad=900).tone)


def _verdict_tile(hour: Iterable[Tally]) -> Tile:
    numbers = Counter[str]()
    for row in hour:
        if row.what == What.VERDICT:
            numbers[row.subject] += row.number
    bound = _most_within(numbers)
    if bound is None:
        return Tile("Verdicts", "-", "no key in the last hour")
    value = "over an hour" if bound == float("inf") else span(bound)
    return Tile("Verdicts", value, "at most, for 9 in 10", _WARN if bound > 60 else _OK)


def _most_within(numbers: Counter[str]) -> float | None:
    """The bound below which nine of ten lie; None where there are none."""
    total, below = numbers.total(), 0
    for bound in BOUNDS:
        below += numbers[bound]
        if total and below >= 0.9 * total:
            return float(bound)
    return None


def _charts(now: datetime, tallies: Sequence[Tally]) -> list[SafeString]:
    first = slot_of(now - SPAN)
    slots = [first + SLOT * at for at in range(int(SPAN / SLOT) + 1)]
    labels = [f"{slot:%H:%M}" for slot in slots]
    good = {"accepted", "unchanged", "changed", "checked again", "held"}
    numbers = Counter[tuple[datetime, str, str]]()
    verdicts: dict[datetime, Counter[str]] = {slot: Counter() for slot in slots}
    for row in tallies:
        if row.what == What.VERDICT:
            verdicts[row.slot][row.subject] += row.number
        elif row.what == What.CHECK:
            kind = "refused" if row.result == "refused" else "good" if row.result in good else "later"
            numbers[row.slot, What.CHECK, kind] += row.number
        else:
            numbers[row.slot, row.what, row.result] += row.number

    def series(what: What, kind: str) -> list[int]:
        return [numbers[slot, what, kind] for slot in slots]

    checks = (
        Series("answered", series(What.CHECK, "good"), "ok"),
        Series("refused", series(What.CHECK, "refused"), "warn"),
        Series("to try again", series(What.CHECK, "later"), "off"),
    )
    mail = (
        Series("accepted", series(What.MAIL, "accepted"), "ok"),
        Series("put off by a mailbox", series(What.MAIL, "retry"), "off"),
        Series("no server took it", series(What.MAIL, "unsent"), "warn"),
        Series("refused", series(What.MAIL, "failed"), "bad"),
    )
    # An hour stands for whatever took longer than the last bound.
    waits = [_most_within(verdicts[slot]) for slot in slots]
    wait = Series("nine in ten within", [None if w is None else min(w, 3600.0) for w in waits], "ok")
    return [
        figure(
            bars(labels, *checks, title="Checks by five minutes"),
            labels,
            *checks,
            caption="Checks, 5 minutes",
        ),
        figure(
            spans(labels, wait, title="Time to verdict"),
            labels,
            wait,
            caption="Time to verdict",
            say=span,
        ),
        figure(bars(labels, *mail, title="Mail by five minutes"), labels, *mail, caption="Mail, 5 minutes"),
    ]
