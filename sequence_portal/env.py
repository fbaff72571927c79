"""Reads the environment. What is missing or wrong stops the start with one clear line."""

import ipaddress
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

reader = environ.Env()
# This command prints what is to be set, so it must run where nothing is set yet.
_MAKES_SETTINGS = sys.argv[1:2] == ["generate_seal_key"]


def refuse(reason: str) -> NoReturn:
    """End the process with one line on standard error and status 1."""
    sys.exit(f"sequence_portal does not start: {reason}")


def value(name: str, default: str = "") -> str:
    """Read as it stands: django-environ takes a value that begins with $ for the name of another variable."""
    return os.environ.get(name) or default


def flag(name: str) -> bool:
    return value(name).lower() in reader.BOOLEAN_TRUE_STRINGS


def number(name: str, default: int) -> int:
    try:
        found = int(value(name) or default)
    except ValueError:
        found = -1
    if found < 0:
        refuse(f"{name} must be a whole number, 0 or more.")
    return found


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in value(name, default).split(",") if word.strip()]


def secret(name: str) -> str:
    """A secret from the variable NAME, or from the file that NAME_FILE names; empty where neither is set."""
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return value(name)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        refuse(f"{name}_FILE names a file that cannot be read.")


def required_secret(name: str, made_by: str, *, stand_in: str = "not set") -> str:
    """`stand_in` is for the one command that runs before anything is set."""
    found = secret(name)
    if not found and not _MAKES_SETTINGS:
        refuse(f"{name} is not set. {made_by}")
    return found or stand_in


def mapping(name: str) -> dict[str, str]:
    """A JSON object of text to text."""
    try:
        found = json.loads(value(name) or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(item, str) for item in found.values()):
        refuse(f'{name} must be a JSON object of texts, such as {{"binance": "https://…"}}.')
    return dict(found)


def addresses(name: str) -> tuple[str, ...]:
    found = words(name)
    for address in found:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            refuse(f"{name} holds something that is no network address.")
    return tuple(found)


def name_servers(name: str) -> tuple[tuple[str, int], ...]:
    """`ip:port` and `[ip]:port`; the port may be left out."""
    found = []
    for word in words(name):
        parts = urlsplit(f"//{word}")
        try:
            found.append((str(ipaddress.ip_address(parts.hostname or "")), parts.port or 53))
        except ValueError:
            refuse(f"{name} must be addresses with ports, such as 192.0.2.53:53.")
    return tuple(found)


def is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def base_urls(name: str) -> dict[str, str]:
    """Exchange id to scheme, host and port. Plain http would show every key, so it is for loopback only."""
    found = mapping(name)
    for exchange, url in found.items():
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            refuse(f"{name} sends {exchange} over plain http to another machine. Use https.")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            refuse(f"{name} holds no http address for {exchange}.")
    return {exchange: url.rstrip("/") for exchange, url in found.items()}


_DATABASES = ("django.db.backends.sqlite3", "django.db.backends.postgresql")


def database(name: str, default: str) -> dict[str, Any]:
    """Django's settings for one database, from its address."""
    try:
        with warnings.catch_warnings():
            # It would print the whole address, its password included.
            warnings.simplefilter("error", UserWarning)
            found: dict[str, Any] = reader.db_url_config(secret(name) or default)
    except (ValueError, ImproperlyConfigured, UserWarning):
        found = {}
    if found.get("ENGINE") not in _DATABASES:
        refuse(f"{name} is no address of a database, such as postgres://user:password@host:5432/portal.")
    return found


def mail_server(name: str) -> dict[str, Any]:
    """Django's EMAIL_… settings, from the address of a mail server."""
    example = "such as smtp+tls://user:password@host:587."
    try:
        found: dict[str, Any] = reader.email_url_config(
            required_secret(name, f"Give the address of a mail server, {example}", stand_in="dummymail://")
        )
    except (ValueError, ImproperlyConfigured):
        refuse(f"{name} is no address of a mail server, {example}")
    return found
