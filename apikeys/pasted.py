"""What was pasted into the boxes for a key, put in order and judged, in sentences for the customer.

Nothing here keeps or quotes a value.
"""

import re
from collections.abc import Mapping

from apikeys import key_files
from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.base import KeyKind
from apikeys.key_files import Fault, KeyFileError

# What clings to the ends of a pasted value: spaces of every kind, and characters that nobody sees.
INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\ufeff"
)
EDGES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + INVISIBLE
# Longer than any credential of any exchange, key files included. Counted before anything else looks at it.
PASTED_MAX = 8_000

LABELS = {"api_key": "API key", "secret": "secret", "passphrase": "passphrase"}

TRANSLATED = (
    "This has characters that no {what} has. Your browser's translator may have changed this: "
    "switch translation off for this page, then copy it again at {exchange}."
)
BROKEN = "There is a space or a line break inside. Copy it again at {exchange}, in one piece."
KEY_FILE = (
    "This is a key file (PEM). Here the two values are needed that {exchange} shows when it makes the key "
    "for you."
)
PRIVATE_KEY_HERE = "This is a private key. It belongs into the other box, as the secret."
TOO_LONG = "This has {count:,} characters. Paste only the {label}: {hint}"
WRONG_SHAPE = (
    "This has {count} {unit}{other}. A {what} has {hint} Copy it again with the button at {exchange}."
)
SAME = "This is the same as the API key. The secret is the other, second value."
SWAPPED = "The API key and the secret seem to be swapped. Paste each into the other box."
EMPTY = "Paste the {label} here."
UNFIT = "This cannot be the API passphrase: at {exchange} it has {hint}"
TWO_NAMES = (
    "The file is of another key than the one in the first box. Empty that box, or paste the other file."
)
RAW_ED25519 = (
    "This is an Ed25519 key, the kind that {exchange} presets. Trading takes the other kind: make a new key,"
    " and choose ECDSA for it."
)
_FAULTS = {
    Fault.PUBLIC_HALF: (
        "This is the public half of your key pair, which {exchange} has. Paste the private half here: its"
        " first line says PRIVATE KEY."
    ),
    Fault.ENCRYPTED: "This key file is locked with a password. Unlock it first, then paste it.",
    Fault.CERTIFICATE: "This is a certificate. Paste the private key here: its first line says PRIVATE KEY.",
    Fault.OPENSSH: (
        "This is a key in the form of OpenSSH. Paste it as PEM: its first line says BEGIN PRIVATE KEY or"
        " BEGIN RSA PRIVATE KEY."
    ),
    Fault.BROKEN: (
        "This key file is not complete. Copy it again, from its first line to its last, both of them"
        " included."
    ),
    Fault.OTHER_KIND: "This is a private key of a kind that {exchange} does not take: {kinds}.",
    Fault.NO_KEY: "There is no private key in this. Copy the whole file, from its first line to its last.",
}


def trimmed(name: str, pasted: str) -> str:
    """Without what clings to the ends. A passphrase is what the customer chose, byte for byte."""
    return pasted if name == "passphrase" or len(pasted) > PASTED_MAX else pasted.strip(EDGES)


def unpacked(values: dict[str, str], adapter: Adapter) -> str:
    """Take both values out of a JSON file that was pasted into either box; gives the problem, if any."""
    if not adapter.shape.json_file:
        return ""
    for name in ("secret", "api_key"):
        found = key_files.read_json(values[name]) if len(values[name]) <= PASTED_MAX else None
        if found is None:
            continue
        other = values["api_key"] if name == "secret" else ""
        if other and other != found.name:
            return TWO_NAMES
        values["api_key"], values["secret"] = found.name, found.private_key
    return ""


def problem(name: str, values: dict[str, str], adapter: Adapter, hint: str) -> str:
    """What is wrong with one value, or nothing. A key file among `values` is put into its one form."""
    value, label = values[name], LABELS[name]
    words = {"exchange": adapter.name, "what": f"{adapter.name} {label}", "label": label, "hint": hint}
    if not value:
        return EMPTY.format(**words)
    if len(value) > PASTED_MAX:
        return TOO_LONG.format(count=len(value), **words)
    if name == "secret" and value == values["api_key"]:
        return SAME
    if key_files.MARK in value:
        return _key_file_problem(name, values, adapter)
    if not value.isascii():
        return TRANSLATED.format(**words)
    if name == "passphrase":
        return _passphrase_problem(value, adapter, words)
    if not value.isprintable() or any(letter.isspace() for letter in value):
        return BROKEN.format(**words)
    if name == "secret" and _are_swapped(values, adapter):
        return SWAPPED
    return _shape_problem(name, value, adapter, words)


def _key_file_problem(name: str, values: dict[str, str], adapter: Adapter) -> str:
    kinds = adapter.shape.key_files
    if not kinds:
        return KEY_FILE.format(exchange=adapter.name)
    if name != "secret":
        return PRIVATE_KEY_HERE
    try:
        found = key_files.read(values[name])
    except KeyFileError as error:
        return _FAULTS[error.fault].format(exchange=adapter.name, kinds=_listed(kinds))
    if found.kind not in kinds:
        return f"This is an {found.kind} key. {adapter.name} takes another kind: {_listed(kinds)}."
    values[name] = found.pem
    return ""


def _listed(kinds: tuple[KeyKind, ...]) -> str:
    names = {KeyKind.EC: "ECDSA (EC, curve P-256)", KeyKind.RSA: "RSA (2048 to 4096 bits)"}
    return " or ".join(names.get(kind, kind.value) for kind in kinds)


def _passphrase_problem(value: str, adapter: Adapter, words: Mapping[str, str]) -> str:
    if value.isprintable() and re.fullmatch(adapter.shape.passphrase_pattern, value):
        return ""
    return UNFIT.format(exchange=words["exchange"], hint=_lower(words["hint"]))


def _are_swapped(values: Mapping[str, str], adapter: Adapter) -> bool:
    """Both fit the other box and at least one does not fit its own."""
    key, secret, shape = values["api_key"], values["secret"], adapter.shape
    return (
        _fits(shape.secret_pattern, key)
        and _fits(shape.key_pattern, secret)
        and not (_fits(shape.key_pattern, key) and _fits(shape.secret_pattern, secret))
    )


def _shape_problem(name: str, value: str, adapter: Adapter, words: Mapping[str, str]) -> str:
    pattern = adapter.shape.key_pattern if name == "api_key" else adapter.shape.secret_pattern
    if _fits(pattern, value):
        return ""
    if not pattern and key_files.is_raw_ed25519(value):
        return RAW_ED25519.format(**words)
    return WRONG_SHAPE.format(
        count=len(value),
        unit="character" if len(value) == 1 else "characters",
        other="" if value.isalnum() else ", not all of them letters and digits",
        what=words["what"],
        hint=_lower(words["hint"]),
        exchange=words["exchange"],
    )


def _lower(hint: str) -> str:
    return hint[:1].lower() + hint[1:]


def _fits(pattern: str, value: str) -> bool:
    return bool(pattern) and len(value) <= PASTED_MAX and re.fullmatch(pattern, value) is not None
