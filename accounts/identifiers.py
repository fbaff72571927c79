"""User IDs and BOT IDs: forgiving on input, one form when shown."""

import re

CLIENT_ID_MAX = 100
BOT_ID_MAX = 200
_AROUND_SLASH = re.compile(r"\s*/\s*")
_SPACES = re.compile(r"\s+")


def folded(identifier: str) -> str:
    """For keys that must fall together wherever the database's `iexact` does, which compares in upper case.

    Lower case alone is not enough: a dotless i and an i are one letter in upper case and two in lower.
    """
    return identifier.upper().casefold()


def canonical(identifier: str) -> str:
    """`0x1A2/JaneDoe` and ` 0x1A2  /  JaneDoe ` become `0x1A2 / JaneDoe`. Letter case stays as given.

    Compare with `iexact`: ids that differ in letter case only are the same id.
    """
    return _AROUND_SLASH.sub(" / ", _SPACES.sub(" ", identifier.strip()))
