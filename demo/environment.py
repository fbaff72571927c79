"""What the demo's processes are started with: addresses, ports, and secrets made on the first run.

A variable that is set already wins over the demo's own value, as everywhere. The private seal keys are
handed to the check worker and the sweep worker alone, the key of the audit chain to the mail and chore worker
alone, and the engine's private key to the engine client alone.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from accounts import long_codes
from apikeys.vault import generate_pair
from tests.exchange_simulator.exchanges import EXCHANGES

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
LOG_DIR = VAR_DIR / "log"
SECRETS_FILE = VAR_DIR / "demo.json"

PRIVATE = "SEAL_PRIVATE_KEYS"
AUDIT = "AUDIT_KEY"
ENGINE = "ENGINE"
ENGINE_PUBLIC, ENGINE_PRIVATE = "ENGINE_PUBLIC_KEYS", "ENGINE_PRIVATE_KEYS"
PASSWORD = "DEMO_PASSWORD"  # noqa: S105  the name of a variable
# The second factors of the demo's member of staff: the secret of an authenticator app in base32, and recovery
# codes with commas between.
STAFF_APP, STAFF_CODES = "DEMO_STAFF_APP", "DEMO_STAFF_CODES"
FOR_THE_SEED = (PASSWORD, STAFF_APP, STAFF_CODES)
LOOPBACK = "127.0.0.1"
# An address of a range kept for documentation, so that a demo key is bound to nobody's machine.
EGRESS = "203.0.113.10"


class DemoError(Exception):
    """Why the demo cannot start or go on, as one line for the person who started it."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Four ports in a row, the portal's first."""

    portal: str
    web: int

    @property
    def exchange(self) -> int:
        return self.web + 1

    @property
    def mailbox(self) -> int:
        return self.web + 2

    @property
    def smtp(self) -> int:
        return self.web + 3

    @property
    def wanted(self) -> dict[int, str]:
        return {
            self.web: "the portal",
            self.exchange: "the simulated exchange",
            self.mailbox: "the mailbox page",
            self.smtp: "the mail sink",
        }

    def url(self, port: int) -> str:
        return f"http://{LOOPBACK}:{port}"


def addresses(environ: Mapping[str, str]) -> Addresses:
    portal = environ.get("PORTAL_URL", "").rstrip("/") or f"http://{LOOPBACK}:8000"
    parts = urlsplit(portal)
    try:
        port = parts.port or 80
    except ValueError:
        port = 0
    if parts.scheme != "http" or parts.hostname not in {LOOPBACK, "localhost"} or not 0 < port < 65533:
        raise DemoError(
            f"make run serves this machine only, such as PORTAL_URL=http://{LOOPBACK}:8100, not {portal}"
        )
    return Addresses(portal=portal, web=port)


def own_secrets() -> dict[str, str]:
    """The demo's secrets. They are kept, since what one run sealed must open in the next."""
    try:
        kept = json.loads(SECRETS_FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        kept = _new_secrets()
        _keep(kept)
    except ValueError:
        kept = None
    made = _new_secrets()
    # These are younger than the others: a demo of before gets them at its next start.
    younger = {AUDIT, STAFF_APP, STAFF_CODES}
    if not isinstance(kept, dict) or not kept.keys() >= made.keys() - younger:
        raise DemoError("var/demo.json is not what make run wrote. Remove the folder var to begin anew.")
    if not kept.keys() >= younger:
        kept = {name: made[name] for name in younger} | kept
        _keep(kept)
    return {name: str(value) for name, value in kept.items() if name not in {ENGINE_PUBLIC, ENGINE_PRIVATE}}


def engine_secrets() -> dict[str, str]:
    """The engine's key pair. It joins the other secrets at the first start with an engine.

    It is the demo's own always: a public half from elsewhere would be of no use to the client started here.
    """
    kept = json.loads(SECRETS_FILE.read_text(encoding="utf-8"))
    if not {ENGINE_PUBLIC, ENGINE_PRIVATE} <= kept.keys():
        kept[ENGINE_PRIVATE], kept[ENGINE_PUBLIC] = generate_pair()
        _keep(kept)
    return {name: str(kept[name]) for name in (ENGINE_PUBLIC, ENGINE_PRIVATE)}


def _keep(kept: Mapping[str, object]) -> None:
    written = SECRETS_FILE.with_suffix(".new")
    # Made readable for the owner only from the start, not afterwards.
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(kept, file, indent=2)
    written.replace(SECRETS_FILE)


def _new_secrets() -> dict[str, str]:
    private, public = generate_pair()
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FINGERPRINT_KEY": secrets.token_urlsafe(32),
        "CODE_KEY": secrets.token_urlsafe(32),
        AUDIT: secrets.token_urlsafe(32),
        "SEAL_PUBLIC_KEYS": public,
        PRIVATE: private,
        PASSWORD: f"demo-{secrets.token_hex(5)}",
        STAFF_APP: base64.b32encode(secrets.token_bytes(20)).decode(),
        STAFF_CODES: ",".join(long_codes.draw(groups=3) for _ in range(10)),
    }


def for_every_process(environ: Mapping[str, str], at: Addresses, made: Mapping[str, str]) -> dict[str, str]:
    """The environment of all processes. It never holds what belongs to one of them alone."""
    of_few = {PRIVATE, AUDIT, *FOR_THE_SEED}
    defaults = {name: value for name, value in made.items() if name not in of_few} | {
        "EMAIL_URL": f"smtp://{LOOPBACK}:{at.smtp}",
        "EXCHANGE_BASE_URLS": json.dumps(dict.fromkeys(EXCHANGES, at.url(at.exchange))),
        "PORTAL_EGRESS_IPS": EGRESS,
    }
    of_one = (PRIVATE, AUDIT, ENGINE_PRIVATE, "ENGINE_TOKEN")
    withheld = {name + suffix for name in of_one for suffix in ("", "_FILE")}
    given = {name: value for name, value in environ.items() if name not in withheld and value}
    return {
        **defaults,
        **given,
        "PORTAL_URL": at.portal,
        "DJANGO_SETTINGS_MODULE": "sequence_portal.settings",
        "PYTHONUNBUFFERED": "1",
    }


def for_the_engine(
    environ: Mapping[str, str], at: Addresses, engine: Mapping[str, str], token: str
) -> dict[str, str]:
    """What the engine client is started with. It is another company's machine: nothing else of ours."""
    return {
        "PATH": environ.get("PATH", ""),
        "PYTHONUNBUFFERED": "1",
        "ENGINE_PORTAL_URL": at.portal,
        "ENGINE_TOKEN": token,
        ENGINE_PRIVATE: engine[ENGINE_PRIVATE],
        "ENGINE_STATE": str(VAR_DIR / "engine.sqlite3"),
    }


def for_what_opens_secrets(environ: Mapping[str, str], made: Mapping[str, str]) -> dict[str, str]:
    """What check and sweep workers get on top: the private halves, from where the public ones came."""
    return _given_or_made(PRIVATE, environ, made)


def for_the_chore_worker(environ: Mapping[str, str], made: Mapping[str, str]) -> dict[str, str]:
    """What the mail and chore worker gets on top."""
    return _given_or_made(AUDIT, environ, made)


def _given_or_made(name: str, environ: Mapping[str, str], made: Mapping[str, str]) -> dict[str, str]:
    given = {variable: environ[variable] for variable in (name, f"{name}_FILE") if environ.get(variable)}
    return given or {name: made[name]}
