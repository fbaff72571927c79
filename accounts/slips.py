"""Finds what must not stand in a letter: something that looks like a key, a secret or a code.

It warns a person, who decides. What it calls a key may be a long order number; what it does not know passes.
"""

import re
from collections.abc import Iterator

_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")
_CODE = re.compile(r"(?<![\w.,/:-])\d{3}[ -]?\d{3}(?![\w.,/:-]*\d)")
# Unbroken and mixed, as nothing is that people write. The shortest key that an exchange hands out has 16.
_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{16,}")


def slips_in(text: str) -> list[str]:
    """A sentence for each thing that looks like one, without repeating it whole."""
    return list(dict.fromkeys(_slips_in(text)))


def _slips_in(text: str) -> Iterator[str]:
    if _PEM.search(text):
        yield "A private key stands in the text."
    for found in _TOKEN.findall(text):
        if _is_mixed(found):
            yield f"“{found[:4]}…”, {len(found)} characters, looks like an API key or a secret."
    for found in _CODE.findall(text):
        yield f"“{found[:2]}…” looks like a six-digit code."


def _is_mixed(token: str) -> bool:
    return any(c.isdigit() for c in token) and any(c.isalpha() for c in token)
