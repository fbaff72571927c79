"""A last net under the logs. No code here logs a secret on purpose; this catches what slips into a line."""

import logging
import re

# Runs of letters and digits, with at least one of each, as long as the keys of most exchanges. Ids of ours
# are parted by hyphens, and so stay readable.
_KEY_LIKE = re.compile(r"\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{32,}")
_NAMED = re.compile(
    r"(?i)\b(api[-_]?key|secret|passphrase|password|token|signature|authorization|code)\b([\"']?\s*[:=]\s*[\"']?)[^\s\"',&}]+"
)


class RedactionFilter(logging.Filter):
    """Replaces what looks like a key, or stands behind the name of a secret, in message and traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


def redact(text: str) -> str:
    return _NAMED.sub(r"\1\2[redacted]", _KEY_LIKE.sub("[redacted]", text))
