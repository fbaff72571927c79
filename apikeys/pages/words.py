"""Small pieces of markup for sentences: a time, the end of a key, an exchange's own words.

Values carry `translate="no"`: a browser's translation is known to change ids and keys.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# The end of a key, an IPv4 address, a User ID or BOT ID: what our sentences quote as a value.
_VALUE = re.compile(r"…[\w-]{4}(?!\w)|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|[^\s/]+(?: / [^\s/,]+)+")
_GUIDE_MARK = re.compile(r"(\[[^\]]+\]|\{site\})")


def number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def time_tag(at: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", text)


def clock(at: datetime, now: datetime, *, seconds: bool = False) -> SafeString:
    """`17:46` on the same day, else `22 Nov, 17:46`, with the year where it is another one."""
    at = at.astimezone(UTC)
    time = f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"
    if at.date() == now.date():
        return time_tag(at, time)
    year = "" if at.year == now.year else f" {at.year}"
    return time_tag(at, f"{at.day} {at:%b}{year}, {time}")


def when(at: datetime, now: datetime) -> SafeString:
    """`17:46` on the same day, else `22 November, 17:46`."""
    at = at.astimezone(UTC)
    if at.date() == now.date():
        return time_tag(at, f"{at:%H:%M}")
    year = "" if at.year == now.year else f" {at.year}"
    return time_tag(at, f"{at.day} {at:%B}{year}, {at:%H:%M}")


def moment(at: datetime, now: datetime) -> SafeString:
    """As `when`, with the preposition that a sentence needs."""
    return format_html("{} {}", "at" if at.astimezone(UTC).date() == now.date() else "on", when(at, now))


def date(at: datetime) -> SafeString:
    """`3 February 2026`."""
    at = at.astimezone(UTC)
    return time_tag(at, f"{at.day} {at:%B %Y}")


def value(text: str) -> SafeString:
    return format_html('<span class="id notranslate" translate="no">{}</span>', text)


def ending(last_four: str) -> SafeString:
    return value(f"…{last_four}")


def name(text: str) -> SafeString:
    """A bot's short name, kept on one line."""
    return format_html('<span class="name notranslate" translate="no">{}</span>', text)


def as_written(label: str) -> SafeString:
    """A word of the exchange, as it stands on its page."""
    return format_html('<b class="notranslate" translate="no">{}</b>', label)


def guided(text: str, site: str) -> SafeString:
    """A sentence of a guide, as `apikeys.exchanges.guide` writes them."""
    parts = [
        as_written(part[1:-1]) if part.startswith("[") else value(site) if part == "{site}" else part
        for part in _GUIDE_MARK.split(text)
    ]
    return format_html("{}" * len(parts), *parts)


def marked(text: str, labels: Iterable[str] = ()) -> SafeString:
    """A plain sentence with its values set as values, and the exchange's own words as it writes them."""
    words = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True) if len(label) > 3)
    pattern = re.compile(
        rf"(?<!\w)({words})(?!\w)|({_VALUE.pattern})" if words else f"(?!)()|({_VALUE.pattern})"
    )
    parts: list[str] = []
    end = 0
    for match in pattern.finditer(text):
        parts.append(conditional_escape(text[end : match.start()]))
        if match[1]:
            parts.append(as_written(match[1]))
        else:
            parts.append(value(match[0]))
        end = match.end()
    parts.append(conditional_escape(text[end:]))
    return mark_safe("".join(parts))  # noqa: S308 - all of it is escaped above # nosec B308 B703
