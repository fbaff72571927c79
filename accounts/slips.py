"""Finds what must stand in no letter, reason, note or search: what looks like a key, a secret or a code.

Of a letter it warns a person, who decides. What it calls a key may be a long order number; what it does not
know passes.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from django.core.exceptions import ValidationError

_KEY_FILE = re.compile(r'-----BEGIN|"privateKey"')
_CODE = re.compile(r"(?<![\w.,/:-])\d{3}[ -]?\d{3}(?![\w.,/:-]*\d)")
# The shortest key that an exchange hands out has 16 characters.
_LEAST = 16
_TOKEN = re.compile(rf"[A-Za-z0-9+/=_-]{{{_LEAST},}}")
# Some exchanges hand out keys of this form, which by chance can be nearly all digits.
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_PART = re.compile(r"[A-Za-z0-9]+")
_WORDS = re.compile(r"[A-Z]*[a-z]*(?:[A-Z][a-z]+)*")  # as people write them: Jane, JaneDoe, BTCPerpetual
# What is no letter and cannot be seen, beside the characters that Unicode calls marks, format and control.
_FILLERS = "\u115f\u1160\u3164"


def slips_in(text: str) -> list[str]:
    """A sentence for each thing that looks like one, without repeating it whole."""
    return list(dict.fromkeys(_slips_in(text)))


def seems_secret(text: str) -> bool:
    return has_key_file(text) or bool(secrets_in(text))


def has_key_file(text: str) -> bool:
    return bool(_KEY_FILE.search(_visible(text)))


def secrets_in(text: str) -> list[str]:
    """What has the form of a whole API key or secret of some exchange, each in one piece.

    That is letters and digits mixed, as nothing is that people write. A date, an address of a page or an id
    is long as well, but its parts are words or numbers, or short.
    """
    tokens = _TOKEN.findall(_visible(text))
    return [token for token in tokens if _mixed_in(token) >= _LEAST or _UUID.search(token)]


def refuse_secrets(sentence: str) -> Callable[[str], None]:
    """A validator of a form's field. It says the sentence and repeats nothing."""

    def validate(text: str) -> None:
        if seems_secret(text):
            raise ValidationError(sentence)

    return validate


def _slips_in(text: str) -> Iterator[str]:
    if has_key_file(text):
        yield "A key file stands in the text."
    for found in secrets_in(text):
        yield f"“{found[:4]}…”, {len(found)} characters, looks like an API key or a secret."
    for found in _CODE.findall(text):
        yield f"“{found[:2]}…” looks like a six-digit code."


def _visible(text: str) -> str:
    """Letters of every width as one, and without what nobody sees, which would break a key in two."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isspace() or not _is_unseen(c))


def _is_unseen(character: str) -> bool:
    return character in _FILLERS or unicodedata.category(character) in ("Cc", "Cf", "Mn")


def _mixed_in(token: str) -> int:
    """How many characters of it are in mixed parts."""
    return sum(len(part) for part in _PART.findall(token) if _is_mixed(part))


def _is_mixed(part: str) -> bool:
    """A key in twenty of the shortest has no digit, but capitals where no word begins."""
    if part.isalpha():
        return len(part) >= _LEAST and not _WORDS.fullmatch(part)
    return not part.isdigit()
