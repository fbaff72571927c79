"""Looks for a planted value in whatever the portal wrote, in every form that it could have there."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import redis
from django.conf import settings
from django.db import connection

from accounts.models import Session
from tests import rabbit
from tests.mail_sink import Letter

# Shorter pieces of base64 would be found by chance.
BASE64_MIN = 8


@dataclass(frozen=True)
class Source:
    """One place where something was written: a log, a table, a page."""

    name: str
    content: bytes


def forms_of(value: str) -> dict[str, bytes]:
    """The value as it is, in hex, quoted, and in base64 at each of the three places of a group of letters."""
    raw = value.encode()
    forms = {
        "plain": raw,
        "reversed": raw[::-1],
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "utf-16": value.encode("utf-16-le"),
        "json": json.dumps(value)[1:-1].encode(),
        "quoted": quote(value, safe="").encode(),
        "form": quote_plus(value).encode(),
    }
    for before in range(3):
        for name, encode in (("base64", base64.b64encode), ("urlsafe base64", base64.urlsafe_b64encode)):
            encoded = encode(b"\0" * before + raw)
            # Letters that hold bits of a neighbour as well are no part of the value's own form.
            start = (before * 8 + 5) // 6
            own = encoded[start : (before + len(raw)) * 8 // 6]
            if len(own) >= BASE64_MIN:
                forms[f"{name} +{before}"] = own
    return forms


def hits(sources: Iterable[Source], values: Mapping[str, str]) -> list[str]:
    """`values` by the name under which a hit is told, so that no failing test prints a value."""
    forms = [
        (name, form, needle) for name, value in values.items() for form, needle in forms_of(value).items()
    ]
    return sorted(
        {
            f"{name} as {form} in {source.name}"
            for source in sources
            for name, form, needle in forms
            if needle in source.content
        }
    )


def files(*directories: Path) -> Iterator[Source]:
    for directory in directories:
        for path in sorted(directory.rglob("*")):
            with suppress(FileNotFoundError, IsADirectoryError):  # a bell may be heard meanwhile
                yield Source(str(path.relative_to(directory.parent)), path.read_bytes())


def database() -> Iterator[Source]:
    """Every table and column; on SQLite the bytes of its files too, freed pages and journal included."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                yield Source(f"table {table}", b"\x1f".join(_bytes(value) for value in row))
    for session in Session.objects.all():
        yield Source("a session", json.dumps(session.get_decoded()).encode())
    if connection.vendor == "sqlite":
        file = Path(str(connection.settings_dict["NAME"]))
        yield from (Source(path.name, path.read_bytes()) for path in file.parent.glob(f"{file.name}*"))


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return (value if isinstance(value, str) else str(value)).encode()


def broker() -> Iterator[Source]:
    """What waits and what is done, and on Redis the cache with its sessions and limits as well."""
    if rabbit.IS_USED:
        yield from (Source(f"RabbitMQ {queue}", content) for queue, content in rabbit.bodies())
    if not settings.REDIS_URL:
        options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
        folders = (options[name] for name in ("data_folder_in", "processed_folder", "control_folder"))
        yield from _with_bodies(files(*(Path(str(folder)) for folder in folders)))
        return
    store: Any = redis.Redis.from_url(settings.REDIS_URL)
    read: Mapping[bytes, Callable[[bytes], Iterable[bytes | None]]] = {
        b"none": lambda key: (),  # taken meanwhile
        b"string": lambda key: (store.get(key),),
        b"list": lambda key: store.lrange(key, 0, -1),
        b"hash": lambda key: chain(*store.hgetall(key).items()),
        b"set": store.smembers,
        b"zset": lambda key: store.zrange(key, 0, -1),
    }
    for key in store.scan_iter():
        yield Source("a Redis key", key)
        values = [value for value in read[store.type(key)](key) if value is not None]
        yield from _with_bodies(Source(f"Redis {key.decode()}", value) for value in values)


def _with_bodies(sources: Iterable[Source]) -> Iterator[Source]:
    """A message's body is base64 in JSON; here it is read as well."""
    for source in sources:
        yield source
        try:
            message = json.loads(source.content)
            yield Source(f"{source.name}, body", base64.b64decode(message["body"]))
        except (ValueError, KeyError, TypeError):
            continue


def letters(found: Iterable[Letter]) -> Iterator[Source]:
    for letter in found:
        parts = (
            letter.message.as_bytes(),
            letter.subject.encode(),
            letter.text.encode(),
            letter.html.encode(),
        )
        yield Source(f"mail {letter.subject}", b"\n".join(parts))
