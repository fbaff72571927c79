"""Small charts drawn on the server as SVG, for pages whose policy allows no style and no script inside.

Colours come from classes that `portal/admin.css` sets for light and dark. A chart says in `<title>` and
`<desc>` what it shows, and `figure` puts its numbers beside it as a table: a picture alone tells nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_WIDTH, _HEIGHT = 392, 132
_TOP, _BASE = 16, 110  # between them the largest value is drawn; below stands the first and the last label
_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_EDGE = 120, 28, 3
_GAP = 1.5  # between the parts of a stack, so that they part without colour too
_LEAST = 1.5  # what happened at all is seen, however little it is beside the rest
_SHORTEST = 0.1  # seconds; the foot of an axis of times
# Seconds at which such an axis may end, and those of them at which it is marked on the way.
_SPANS = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 86_400: "1 d", 864_000: "10 d"}
_MARKED = (1, 60, 3600, 86_400)


@dataclass(frozen=True, slots=True)
class Series:
    """One number for each label, None where there is none."""

    name: str
    values: Sequence[float | None]
    tone: Literal["ok", "warn", "bad", "off", "soft"] = "ok"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"


def span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def bars(labels: Sequence[str], *series: Series, title: str) -> SafeString:
    """One column a label; several series stand on each other, the first at the bottom."""
    sums = [sum(each.values[at] or 0 for each in series) for at in range(len(labels))]
    top = _round_up(max(sums, default=0))
    step = _WIDTH / max(len(labels), 1)
    columns = format_html_join(
        "",
        "<g><title>{}</title>{}</g>",
        (
            (_told(label, series, at), _column(series, at, step * (at + 0.15), step * 0.7, top))
            for at, label in enumerate(labels)
        ),
    )
    return _chart(labels, series, title, number, [(_TOP, number(top))], columns)


def spans(labels: Sequence[str], *series: Series, title: str) -> SafeString:
    """One line a series, of seconds; it breaks where there is no number.

    Drawn by the logarithm: beside one that took a day, seconds and minutes are still told apart.
    """
    longest = max((value for each in series for value in each.values if value is not None), default=0)
    top = next((end for end in _SPANS if end >= longest), longest)

    def height_of(seconds: float) -> float:
        return _BASE - log(max(seconds, _SHORTEST) / _SHORTEST) / log(top / _SHORTEST) * (_BASE - _TOP)

    marks = [
        (height_of(at), name) for at, name in _SPANS.items() if at == top or (at in _MARKED and at < top)
    ]
    drawn = format_html_join("", "{}", ((_line(each, _WIDTH, height_of),) for each in series))
    return _chart(labels, series, title, span, marks, drawn)


def spark(values: Sequence[float | None], *, title: str) -> SafeString:
    """A line without axes, as high as two lines of text."""
    top = max((value for value in values if value is not None), default=0) or 1
    height = _SPARK_HEIGHT - 2 * _SPARK_EDGE
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" role="img"><title>{}</title>{}</svg>',
        _SPARK_WIDTH,
        _SPARK_HEIGHT,
        title,
        _line(
            Series("", values), _SPARK_WIDTH, lambda value: _SPARK_HEIGHT - _SPARK_EDGE - value / top * height
        ),
    )


def figure(
    chart: SafeString,
    labels: Sequence[str],
    *series: Series,
    caption: str,
    say: Callable[[float], str] = number,
) -> SafeString:
    """A chart under its caption and legend, with its numbers in a table that opens below, newest first."""
    return format_html(
        '<figure class="figure"><figcaption>{} {}</figcaption>{}<details><summary>Figures</summary><table>'
        '<thead><tr><th scope="col">Time</th>{}</tr></thead><tbody>{}</tbody></table></details></figure>',
        caption,
        format_html_join("", '<span class="key c-{}">{}</span>', ((each.tone, each.name) for each in series)),
        chart,
        format_html_join("", '<th scope="col">{}</th>', ((each.name,) for each in series)),
        format_html_join(
            "",
            '<tr><th scope="row">{}</th>{}</tr>',
            (
                (
                    labels[at],
                    format_html_join("", "<td>{}</td>", ((_said(each.values[at], say),) for each in series)),
                )
                for at in reversed(range(len(labels)))
            ),
        ),
    )


def _chart(
    labels: Sequence[str],
    series: Sequence[Series],
    title: str,
    say: Callable[[float], str],
    marks: Sequence[tuple[float, str]],
    drawn: SafeString,
) -> SafeString:
    """marks: height and name of each line across."""
    return format_html(
        '<svg class="chart" viewBox="0 0 {width} {height}" role="img">'
        "<title>{title}</title><desc>{desc}</desc>"
        '{marks}<path class="c-axis" d="M0 {base}.5h{width}"/>{drawn}'
        '<text class="c-text" x="0" y="{below}">{first}</text>'
        '<text class="c-text c-end" x="{width}" y="{below}">{last}</text></svg>',
        width=_WIDTH,
        height=_HEIGHT,
        title=title,
        desc=_described(labels, series, say),
        marks=format_html_join(
            "",
            '<path class="c-grid" d="M0 {}.5h{}"/><text class="c-text" x="0" y="{}">{}</text>',
            ((int(height), _WIDTH, int(height) - 4, name) for height, name in marks),
        ),
        base=_BASE,
        drawn=drawn,
        below=_HEIGHT - 6,
        first=labels[0] if labels else "",
        last=labels[-1] if labels else "",
    )


def _column(series: Sequence[Series], at: int, x: float, width: float, top: float) -> SafeString:
    foot = float(_BASE)
    parts: list[tuple[str, str, str, str, str]] = []
    for each in series:
        if value := each.values[at]:
            height = max(value / top * (_BASE - _TOP), _LEAST)
            shown = max(height - (_GAP if parts else 0), 1)
            parts.append((each.tone, f"{x:.1f}", f"{foot - height:.1f}", f"{width:.1f}", f"{shown:.1f}"))
            foot -= height
    return format_html_join("", '<rect class="c-{}" x="{}" y="{}" width="{}" height="{}"/>', parts)


def _line(series: Series, width: int, height_of: Callable[[float], float]) -> SafeString:
    """A path that starts anew after each gap. A number alone between two gaps is a dot, by the round ends."""
    step = width / max(len(series.values), 1)
    drawn, pen = "", "M"
    for at, value in enumerate(series.values):
        if value is None:
            pen = "M"
            continue
        place = f"{step * (at + 0.5):.1f} {height_of(value):.1f}"
        drawn += f"{pen}{place}" + (f"L{place}" if pen == "M" else "")
        pen = "L"
    return format_html('<path class="c-line c-{}" d="{}"/>', series.tone, drawn)


def _told(label: str, series: Sequence[Series], at: int) -> str:
    return f"{label}: " + ", ".join(f"{_said(each.values[at], number)} {each.name}" for each in series)


def _described(labels: Sequence[str], series: Sequence[Series], say: Callable[[float], str]) -> str:
    """Least, most and when, for each series."""
    told = []
    for each in series:
        paired = zip(each.values, labels, strict=True)
        known = [(value, label) for value, label in paired if value is not None]
        if not known:
            told.append(f"{each.name}: no figures.")
            continue
        most, when = max(known, key=lambda pair: pair[0])
        least = min(known, key=lambda pair: pair[0])[0]
        told.append(f"{each.name}: from {say(least)} to {say(most)}, most at {when}.")
    return " ".join(told)


def _said(value: float | None, say: Callable[[float], str]) -> str:
    return "-" if value is None else say(value)


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 with zeros, as the top of an axis; 1 where there is nothing."""
    if value <= 0:
        return 1
    size = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next((size * step for step in (1, 2, 3, 4, 5, 6, 8, 10) if size * step >= value), size * 10)
