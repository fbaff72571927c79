"""A last net under the logs. No code here logs a secret on purpose; this catches what slips into a line.

By type: credentials, sealed values and bytes are no text for a log. By name: what stands behind the name of a
secret. By look: what is shaped like a key.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from apikeys.exchanges.base import Credentials
from apikeys.vault import Sealed

REDACTED = "[redacted]"
_SECRET_TYPES = (Credentials, Sealed, bytes, bytearray, memoryview)
_SECRET_NAMES = r"api[-_]?key|secret|passphrase|password|token|signature|authorization|code"  # noqa: S105
_SECRET_NAME = re.compile(rf"(?i)\b({_SECRET_NAMES})\b")
_NAMED = re.compile(rf"(?i)\b({_SECRET_NAMES})\b([\"']?\s*[:=]\s*[\"']?)[^\s\"',&}}]+")
# Runs of letters and digits, with at least one of each, as long as the keys of most exchanges. Ids of ours
# are parted by hyphens, and so stay readable.
_KEY_LIKE = re.compile(r"\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{32,}")


class RedactionFilter(logging.Filter):
    """Works on the arguments of a line, then on its text and its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.args:
            record.args = _without_secrets(record.args)
        record.msg = redact(_text_of(record))
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


def redact(text: str) -> str:
    return _NAMED.sub(rf"\1\2{REDACTED}", _KEY_LIKE.sub(REDACTED, text))


def _text_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # A filter that raises would break what was only to be logged.
        return f"{record.msg} (its arguments do not fit)"


def _without_secrets(value: Any) -> Any:
    if isinstance(value, _SECRET_TYPES):
        return REDACTED
    if isinstance(value, Mapping):
        return {
            name: REDACTED if _SECRET_NAME.search(str(name)) else _without_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(_without_secrets(item) for item in value)
    return value
