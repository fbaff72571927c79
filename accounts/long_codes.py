"""Codes too long to be guessed, in groups of four: easy to type from paper, forgiving when read.

Crockford's alphabet leaves out i, l, o and u; each character carries five bits.
"""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_MEANT = str.maketrans("oil", "011")
_GROUP = 4


def draw(groups: int) -> str:
    """Such as `k7qf-2mxp-9dra`, with 20 bits a group."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(groups))


def folded(entered: str) -> str:
    """Without hyphens and spaces, in small letters, with the usual mix-ups undone."""
    kept = "".join(character for character in entered.lower() if character.isalnum())
    return kept.translate(_MEANT)
