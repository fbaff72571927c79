"""Rows as lines of CSV (RFC 4180), for spreadsheets to open and for nothing in them to be run.

A cell that begins like a formula gets an apostrophe before it, as OWASP advises under "CSV injection": names,
subjects and notes are written by people whom whoever opens the file has no reason to trust.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

# Without it Excel takes UTF-8 for its own old encoding.
BYTE_ORDER_MARK = "\ufeff"
# Characters that are sent at once: each piece costs a call of its own.
_PIECE = 16_384
# Full-width ones are read as the plain ones where the language has them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def lines(
    header: Sequence[str], rows: Iterable[Sequence[Any]], *, most: int, cut_off: str
) -> Iterator[bytes]:
    """The file, some lines at a time; after `most` of `rows` the line `cut_off` is the last one."""
    some = io.StringIO(newline="")
    some.write(BYTE_ORDER_MARK)
    writer = csv.writer(some)
    writer.writerow(header)
    for number, row in enumerate(rows):
        if number == most:
            writer.writerow([cut_off])
            break
        writer.writerow([cell(value) for value in row])
        if some.tell() > _PIECE:
            yield some.getvalue().encode()
            some.seek(0)
            some.truncate()
    yield some.getvalue().encode()


def cell(value: object) -> str:
    """Times are UTC, in a form that spreadsheets know for one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
