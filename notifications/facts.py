"""What a mail is written from: facts, kept with its row as one small JSON object.

They are frozen when the cause happens and never looked up again, so a mail that is tried for three days tells
at each try what was true in the beginning.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

Fact = str | int | datetime | None | Sequence["Fact"] | Mapping[str, "Fact"]
Facts = Mapping[str, Fact]
# As it lies in the database.
Kept = dict[str, Any]

# How a time is written in JSON. No template can name this, so no fact has it.
_TIME = "$time"

# Line ends, tabs, and marks that turn or hide text without showing themselves.
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp"})


def freeze(facts: Facts) -> Kept:
    """The facts as JSON, and with them what mails say of the portal itself.

    Texts come from outside (names, ids, an exchange's words), so each is put on one line: it can neither add
    a header nor a paragraph that looks like ours. Raises TypeError for what is no fact, such as an object
    that may carry more than it is known for, and ValueError for a time without a zone.
    """
    ours = {"support_email": settings.SUPPORT_EMAIL, "portal_url": settings.PORTAL_URL}
    return _freeze_all(facts) | ours


def thaw(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What `freeze` was given, as templates see it: times are times again."""
    return {name: _thaw(value) for name, value in kept.items()}


def fold(text: str) -> str:
    """The text on one line, of what can be seen."""
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(c) in _INVISIBLE else c for c in text)
    return " ".join(text.split())


def _freeze_all(facts: Facts) -> Kept:
    if not all(name.isidentifier() for name in facts):
        raise TypeError("A fact has a name that a template can say.")
    return {name: _freeze(value) for name, value in facts.items()}


def _freeze(value: Fact) -> Any:
    if isinstance(value, str):
        return fold(value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("A time needs its zone.")
        return {_TIME: value.isoformat()}
    if isinstance(value, Mapping):
        return _freeze_all(value)
    if isinstance(value, list | tuple):
        return [_freeze(item) for item in value]
    raise TypeError(f"{type(value).__name__} is no fact for a mail.")


def _thaw(value: Any) -> Any:
    if isinstance(value, dict):
        return datetime.fromisoformat(value[_TIME]) if _TIME in value else thaw(value)
    return [_thaw(item) for item in value] if isinstance(value, list) else value
