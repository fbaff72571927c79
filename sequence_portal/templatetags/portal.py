"""What the templates of the whole site share: times, marked values, the address of support."""

import math
from collections.abc import Iterable
from datetime import datetime

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apikeys import attention
from apikeys.pages import words

register = template.Library()


@register.simple_tag
def clock(at: datetime) -> SafeString:
    return words.clock(at, timezone.now())


@register.simple_tag
def clock_seconds(at: datetime) -> SafeString:
    return words.clock(at, timezone.now(), seconds=True)


@register.simple_tag
def day(at: datetime) -> SafeString:
    return words.date(at)


@register.simple_tag
def guide_text(text: str, site: str) -> SafeString:
    """A sentence of a guide: `[label]` set as the exchange's own word, `{site}` as its address."""
    return words.guided(text, site)


@register.filter
def seconds_until(at: datetime) -> int:
    return max(0, math.ceil((at - timezone.now()).total_seconds()))


@register.filter
def marked(text: object, labels: Iterable[str] = ()) -> SafeString:
    return words.marked(str(text), labels)


@register.filter
def concern(code: str) -> str:
    return attention.concern_in_words(code)


@register.simple_tag
def support_link(text: str = "") -> SafeString:
    """A mail link to support; from the settings, so that it is there on a page that has no context."""
    return format_html('<a href="mailto:{}">{}</a>', settings.SUPPORT_EMAIL, text or settings.SUPPORT_EMAIL)


@register.simple_tag
def portal_address() -> str:
    return settings.PORTAL_URL
