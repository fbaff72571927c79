"""Reads decoded JSON strictly by type: what is not exactly as documented proves nothing.

Every function raises UnreadableReplyError, with no text of the reply in it.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard

from apikeys.exchanges.base import UnreadableReplyError

# Names and ids of a reply are stored and shown. Plain characters only: some databases refuse NUL and halves
# of surrogate pairs, both of which JSON can write.
_PLAIN_TEXT = re.compile(r"[\x20-\x7e]{0,100}")
_NOT_PLAIN = re.compile(r"[^\x21-\x7e]")
_NAME_MAX = 60


def mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableReplyError
    return value


def flag(reply: Mapping[str, Any], name: str) -> bool | None:
    """True or False; None where the reply does not have it."""
    value = reply.get(name)
    if value is None and name not in reply:
        return None
    if not isinstance(value, bool):
        raise UnreadableReplyError
    return value


def is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def error_code(reply: Any, name: str) -> int | None:
    """The exchange's error code; None where the reply, of whatever type, does not have one."""
    code = reply.get(name) if isinstance(reply, dict) else None
    return code if is_whole(code) else None


def whole(reply: Mapping[str, Any], name: str) -> int | None:
    """A whole number; None where the reply does not have it."""
    if name not in reply:
        return None
    value = reply[name]
    if not is_whole(value):
        raise UnreadableReplyError
    return value


def text(reply: Mapping[str, Any], name: str) -> str:
    """Plain text of at most 100 characters; empty where the reply does not have it."""
    value = reply.get(name, "")
    if not isinstance(value, str) or not _PLAIN_TEXT.fullmatch(value):
        raise UnreadableReplyError
    return value


def texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnreadableReplyError
    return tuple(value)


def account_number(reply: Mapping[str, Any], name: str) -> str:
    """An account's number, written as number or text; empty where there is none, which is also written 0."""
    value = reply.get(name, "")
    found = str(value) if is_whole(value) and abs(value) < 10**30 else text(reply, name)
    return "" if found == "0" else found


def moment_ms(reply: Mapping[str, Any], name: str) -> datetime | None:
    """Milliseconds since 1970 as aware UTC; None where the reply does not have it, or has 0."""
    value = whole(reply, name)
    if not value:
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableReplyError from None


def moment(reply: Mapping[str, Any], name: str) -> datetime | None:
    """An ISO 8601 time with its zone as aware UTC; None where the reply does not have it or it is 1970."""
    value = text(reply, name)
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableReplyError from None
    return None if found.year == 1970 else found


def stored_name(name: str) -> str:
    """A name of the exchange's, made safe to store and to show."""
    return _NOT_PLAIN.sub("?", name)[:_NAME_MAX]
