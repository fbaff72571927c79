"""One mail from one folder of three templates: subject.txt, body.txt, body.html.

Context values are data from outside (names, ids, an exchange's words), so each text in them is put on one
line before a template sees it: it can neither add a header nor a paragraph that looks like ours.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.template import Context
from django.template.engine import Engine

from notifications.kinds import MailKind

# By default css-inline fetches what <link> names; a mail is made of what is in the repository only.
# At-rules stay in <style>: dark mode and narrow screens cannot be inlined.
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)

# Line ends, tabs, and marks that turn or hide text without showing themselves.
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp"})

# What template tags on lines of their own leave behind.
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n)+")


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """subject: one line. text: lines ended by "\\n". html: a whole document."""

    subject: str
    text: str
    html: str


def render(kind: MailKind, context: Mapping[str, object]) -> RenderedMail:
    """The mail of this kind in plain and HTML form, ready to be sent."""
    composed = compose(kind, context)
    return replace(composed, html=inline_styles(composed.html))


def inline_styles(html: str) -> str:
    """What mail programs need, done as late as can be: it is a third of the work and half of the bytes."""
    return _INLINER.inline(html)


def compose(kind: MailKind, context: Mapping[str, object]) -> RenderedMail:
    """As `render`, with the styles still in one place.

    Besides `context`, templates see `support_email`, `portal_url` and `portal_host`. Raises
    TemplateDoesNotExist where the kind has no folder.
    """
    values = {name: _one_line(value) for name, value in context.items()}
    values |= {
        "support_email": settings.SUPPORT_EMAIL,
        "portal_url": settings.PORTAL_URL,
        "portal_host": urlsplit(settings.PORTAL_URL).hostname or "",
    }
    subject = _fold(_fill(kind, "subject.txt", values, escape=False))
    return RenderedMail(
        subject=subject,
        text=_EMPTY_LINES.sub("\n\n", _fill(kind, "body.txt", values, escape=False)).strip() + "\n",
        html=_fill(kind, "body.html", values | {"subject": subject}, escape=True),
    )


def _fill(kind: MailKind, name: str, values: Mapping[str, object], *, escape: bool) -> str:
    template = Engine.get_default().get_template(f"emails/{kind.value}/{name}")
    return template.render(Context(dict(values), autoescape=escape))


def _fold(text: str) -> str:
    return " ".join("".join(" " if unicodedata.category(c) in _INVISIBLE else c for c in text).split())


def _one_line(value: object) -> object:
    """The value with every text in it folded. Data classes become dictionaries, read alike by templates."""
    if isinstance(value, str):
        return _fold(value)
    if isinstance(value, Mapping):
        return {name: _one_line(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_one_line(item) for item in value]
    if is_dataclass(value):
        return {field.name: _one_line(getattr(value, field.name)) for field in fields(value)}
    return value
