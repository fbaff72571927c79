"""Reads decoded JSON strictly by type: what is not exactly as documented proves nothing.

Every function raises UnreadableReplyError, with no text of the reply in it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from django.utils import timezone

from apikeys.exchanges.base import AllowList, Trouble, UnreadableReplyError
from apikeys.findings import FindingCode

# Names and ids of a reply are stored and shown. Plain characters only: some databases refuse NUL and halves
# of surrogate pairs, both of which JSON can write.
_PLAIN_TEXT = re.compile(r"[\x20-\x7e]{0,100}")
_NOT_PLAIN = re.compile(r"[^\x21-\x7e]")
_NAME_MAX = 60
_LIST_MAX = 4000
_ALL_ADDRESSES = frozenset({"*", "0.0.0.0", "::"})  # noqa: S104 - read, not listened on # nosec B104
_CODE = re.compile(r"[A-Za-z0-9_.:/ -]{1,60}")
# Too many requests, banned for it, and not served in this country: about our address, not about the key.
OUR_STATUSES = frozenset({418, 429, 451})


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


def error_code(reply: Any, name: str) -> str:
    """The exchange's error code, written as number or text; empty where the reply does not have one."""
    code = reply.get(name) if isinstance(reply, dict) else None
    if is_whole(code) and abs(code) < 10**18:
        return str(code)
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def trouble(code: str, status: int, table: Mapping[str, FindingCode]) -> Trouble | None:
    """What an error code means by the exchange's own table; None for no code, or 0, and a good status.

    A status of 5xx is the exchange's own trouble whatever it carries, and some are about our address. A code
    that the table does not know blames nobody. Only the code is kept: messages quote keys.
    """
    if code not in ("", "0"):
        ours = status >= 500 or status in OUR_STATUSES
        found = None if ours else table.get(code)
        return Trouble(found or FindingCode.EXCHANGE_UNAVAILABLE, code)
    if not 200 <= status < 300:
        return Trouble(FindingCode.EXCHANGE_UNAVAILABLE, f"HTTP {status}")
    return None


def is_for_later(trouble: Trouble, status: int) -> bool:
    """Of a further question, about the account only: ask again later, rather than go without its answer."""
    return trouble.code is FindingCode.CLOCK or status >= 500 or status in OUR_STATUSES


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
    if not isinstance(value, list):
        raise UnreadableReplyError
    for item in value:
        if not isinstance(item, str):
            raise UnreadableReplyError
    return tuple(value)


def comma_separated(reply: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """The entries of a text with commas in between; None where the reply does not have it."""
    if name not in reply:
        return None
    value = reply[name]
    if not isinstance(value, str) or len(value) > _LIST_MAX:
        raise UnreadableReplyError
    return tuple(entry.strip() for entry in value.split(",") if entry.strip())


def allow_list(entries: Sequence[str] | None) -> AllowList:
    """None: not said. No entry, or one that stands for all addresses: bound to none."""
    if entries is None:
        return AllowList()
    addresses = tuple(stored_name(entry.strip()) for entry in entries if entry.strip())
    if not addresses or not _ALL_ADDRESSES.isdisjoint(addresses):
        return AllowList(bound=False, addresses=())
    return AllowList(bound=True, addresses=addresses)


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


def moment_s(reply: Mapping[str, Any], name: str) -> datetime | None:
    """Seconds since 1970, number or text, as aware UTC; None where the reply does not have it, or has 0."""
    value = reply.get(name, 0)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
        value = int(value)
    if not is_whole(value):
        raise UnreadableReplyError
    try:
        return datetime.fromtimestamp(value, UTC) if value else None
    except (ValueError, OverflowError, OSError):
        raise UnreadableReplyError from None


def end_after(days: int, created_at: datetime | None) -> datetime:
    """The end of a key of which its exchange says that it lives so many more days.

    Told in whole days, it is known to a day. It is counted from the key's creation, at whose time of day the
    number changes, so that it is the same at every check; at most a day early, and never late.
    """
    now = timezone.now()
    start = created_at or now.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        return start + timedelta(days=(now - start).days + days)
    except OverflowError:
        raise UnreadableReplyError from None


def stored_name(name: str) -> str:
    """A name of the exchange's, made safe to store and to show."""
    return _NOT_PLAIN.sub("?", name)[:_NAME_MAX]


def clock_ms(reply: Mapping[str, Any], name: str, *, unit_ms: float = 1.0) -> float:
    """An exchange's own time, a number or its text in units of `unit_ms`, as milliseconds since 1970."""
    value = reply.get(name)
    try:
        found = float(value) * unit_ms if isinstance(value, str) or is_whole(value) else math.nan
    except ValueError:
        found = math.nan
    if not 1.6e12 < found < 4e12:  # a sane year
        raise UnreadableReplyError
    return found
