"""What a thief does who has a process's whole environment and its databases: run as a program, with that
environment and nothing else. Prints how many stored credentials it could open.

Whatever could be a private key is tried as one: every setting and variable, every value of the database and
of Redis, and every piece of the right length of any text in them.
"""

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

import django

django.setup()

from django.conf import settings  # noqa: E402  needs the settings that setup reads

from apikeys import vault  # noqa: E402
from apikeys.models import ApiKey  # noqa: E402
from tests.whole.grep import broker, database  # noqa: E402

PRIVATE_BYTES = 96
_ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{128,}")  # 96 bytes in base64
_HEX = re.compile(rb"[0-9A-Fa-f]{192,}")


def everything() -> Iterator[bytes]:
    yield from (value.encode() for value in os.environ.values())
    for name in dir(settings):
        yield repr(getattr(settings, name)).encode()
    yield from (source.content for source in (*database(), *broker()))


def could_be_keys(found: Iterable[bytes]) -> set[bytes]:
    """Raw private keys in the right form, whatever they are worth."""
    pieces: set[bytes] = set()
    for value in found:
        if len(value) == PRIVATE_BYTES:
            pieces.add(value)
        for run in _HEX.findall(value):
            pieces.update(bytes.fromhex(run[at : at + 192].decode()) for at in range(len(run) - 191))
        for run in _ENCODED.findall(value):
            for at in range(len(run) - 127):
                with suppress(ValueError):
                    pieces.add(base64.b64decode(run[at : at + 128], altchars=b"-_", validate=True))
    return pieces


def opened(key: ApiKey, entries: str) -> bool:
    settings.SEAL_PRIVATE_KEYS = entries
    bot = key.bot
    try:
        vault.open_sealed(
            bytes(key.sealed or b""), key.seal_id, key_id=key.pk, bot_id=bot.bot_id, exchange=bot.exchange
        )
    except vault.SealError:
        return False
    return True


def main() -> None:
    rows = list(ApiKey.objects.live().select_related("bot"))
    as_it_is = settings.SEAL_PRIVATE_KEYS
    with_own_settings = sum(opened(key, as_it_is) for key in rows)
    pieces = could_be_keys(everything())
    # One row for each seal key: a key that opens one row of it opens all.
    one_of_each = {key.seal_id: key for key in rows}
    with_pieces = 0
    for seal_id, key in one_of_each.items():
        for piece in pieces:
            encoded = base64.urlsafe_b64encode(piece).decode()
            if opened(key, f"{seal_id}:{encoded}"):
                with_pieces += 1
    told = {"rows": len(rows), "opened": with_own_settings, "pieces": len(pieces), "keys_found": with_pieces}
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
