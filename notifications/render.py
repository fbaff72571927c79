"""One mail from one folder of three templates: subject.txt, body.txt, body.html."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import css_inline
from django.template import Context
from django.template.engine import Engine

from notifications.facts import Facts, Kept, fold, freeze, thaw
from notifications.kinds import MailKind
from notifications.models import Mail

# By default css-inline fetches what <link> names; a mail is made of what is in the repository only.
# At-rules stay in <style>: dark mode and narrow screens cannot be inlined.
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)

# What template tags on lines of their own leave behind.
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n)+")


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """subject: one line. text: lines ended by "\\n". html: a whole document."""

    subject: str
    text: str
    html: str


def render(kind: MailKind, facts: Facts) -> RenderedMail:
    """The mail of this kind in plain and HTML form, ready to be sent.

    Besides `facts`, templates see `support_email`, `portal_url` and `portal_host`. Raises
    TemplateDoesNotExist where the kind has no folder.
    """
    kept = freeze(facts)
    return _render(kind, subject_of(kind, kept), kept)


def render_stored(mail: Mail) -> RenderedMail:
    """What a stored mail says, the same whenever it is asked. Raises whatever a template raises."""
    if mail.context is None:
        return RenderedMail(subject=mail.subject, text=mail.text, html=_INLINER.inline(mail.html))
    return _render(MailKind(mail.kind), mail.subject, mail.context)


def subject_of(kind: MailKind, kept: Kept) -> str:
    """All of a mail that is needed before it is sent, at a fiftieth of the cost of the rest."""
    return fold(_fill(kind, "subject.txt", thaw(kept), escape=False))


def _render(kind: MailKind, subject: str, kept: Kept) -> RenderedMail:
    values = thaw(kept) | {"portal_host": urlsplit(kept["portal_url"]).hostname or ""}
    return RenderedMail(
        subject=subject,
        text=_EMPTY_LINES.sub("\n\n", _fill(kind, "body.txt", values, escape=False)).strip() + "\n",
        html=_INLINER.inline(_fill(kind, "body.html", values | {"subject": subject}, escape=True)),
    )


def _fill(kind: MailKind, name: str, values: Mapping[str, Any], *, escape: bool) -> str:
    template = Engine.get_default().get_template(f"emails/{kind.value}/{name}")
    return template.render(Context(dict(values), autoescape=escape))
