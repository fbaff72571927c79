"""Reference client of the portal's engine door: takes keys over, keeps them sealed, and drops revoked ones.

    fetch ▶ open each envelope, keep it sealed in the state file ▶ ack ▶ what the portal answers decides:
        acked     the bot trades with the new key, the one before is dropped
        revoked   the key ended meanwhile: it is dropped, and the bot goes on with the one before
    an envelope that does not open ▶ reject;  a revocation ▶ drop the key, ack

Every step may be cut off and done again: the state file changes first and the portal is told afterwards, and
the portal offers whatever it has not been told about again and again.

Needs Python 3.11 and `cryptography`. Copy it, or read it as the door's description in code.
"""

import argparse
import base64
import binascii
import hashlib
import http.client
import json
import logging
import os
import signal
import sqlite3
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

PURPOSE = "sequence-portal/engine-handover/1"
POLL_SECONDS = 2.0
# Two halves of a page under way together, so that the portal's database and its web processes both have work.
ACKS_AT_ONCE, ACKS_UNDER_WAY = 250, 2
TIMEOUT_SECONDS = 30.0
# A page of 500 envelopes is about two megabytes.
_ANSWER_MAX = 16 * 1024 * 1024
_MLKEM_SEED_BYTES = 64
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.SHAKE256, hpke.AEAD.AES_256_GCM)

logger = logging.getLogger("engine_client")


class SetupError(Exception):
    """What is wrong with the environment, in one line. Carries no secret."""


class PortalAwayError(Exception):
    """The portal did not answer as it should. Nothing is lost: the next round tries again."""


class CannotOpenError(Exception):
    """The envelope was altered, or made for another key, bot, exchange or reader."""


class CannotUseError(Exception):
    """Raised by what takes a key over. reason: a code of up to 30 letters, digits and underscores."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Credentials:
    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """One key as it was handed over. The envelope stays sealed until it is used."""

    key_id: str
    handover_id: str
    number: int
    bot_id: str
    exchange: str
    market: str
    engine_key_id: str
    envelope: bytes = field(repr=False)
    taken_over_at: str


class Keyring:
    """The engine's private keys, by the id that an envelope names."""

    def __init__(self, entries: str) -> None:
        """entries: `id:base64url,…`; each is 64 bytes ML-KEM-768 seed and 32 bytes X25519."""
        self._keys = dict(self._read(entry.strip()) for entry in entries.split(",") if entry.strip())
        if not self._keys:
            raise SetupError("ENGINE_PRIVATE_KEYS holds no key.")

    @staticmethod
    def _read(entry: str) -> tuple[str, hpke.MLKEM768X25519PrivateKey]:
        key_id, _, encoded = entry.partition(":")
        try:
            raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            mlkem = MLKEM768PrivateKey.from_seed_bytes(raw[:_MLKEM_SEED_BYTES])
            x25519 = X25519PrivateKey.from_private_bytes(raw[_MLKEM_SEED_BYTES:])
        except (binascii.Error, ValueError):
            raise SetupError("A key of ENGINE_PRIVATE_KEYS is not in the form id:base64url.") from None
        public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        if hashlib.sha256(public).hexdigest()[:8] != key_id:
            raise SetupError("A key of ENGINE_PRIVATE_KEYS does not match its id.")
        return key_id, hpke.MLKEM768X25519PrivateKey(mlkem, x25519)

    def __contains__(self, engine_key_id: str) -> bool:
        return engine_key_id in self._keys

    def open(self, key: Key) -> Credentials:
        """Raises CannotOpenError. The context ties the envelope to this key, bot and exchange."""
        info = json.dumps([PURPOSE, key.key_id, key.bot_id, key.exchange]).encode()
        try:
            plaintext = _SUITE.decrypt(key.envelope, self._keys[key.engine_key_id], info=info)
            return Credentials(*json.loads(plaintext))
        except (KeyError, InvalidTag, ValueError, TypeError):
            raise CannotOpenError from None


class State:
    """What the engine has taken over, in one SQLite file: ids, times and envelopes, no secret in clear.

    A bot has at most one settled key, the one that it trades with, beside one that the portal has not
    confirmed yet.
    """

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        # One thread at a time uses it, not always the one that made it.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(
            """
            pragma journal_mode = wal;
            pragma secure_delete = on;
            create table if not exists keys (
                key_id text primary key, handover_id text not null unique, number integer not null,
                bot_id text not null, exchange text not null, market text not null,
                engine_key_id text not null, envelope blob not null, taken_over_at text not null,
                settled integer not null default 0
            );
            create index if not exists keys_of_bot on keys (bot_id);
            create index if not exists keys_unsettled on keys (number) where settled = 0;
            """
        )

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        self._db.execute("begin immediate")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.execute("rollback" if error else "commit")

    def has(self, key_id: str) -> bool:
        return self._db.execute("select 1 from keys where key_id = ?", (key_id,)).fetchone() is not None

    def keep(self, keys: Sequence[Key]) -> None:
        rows = [
            (
                *(key.key_id, key.handover_id, key.number, key.bot_id, key.exchange, key.market),
                *(key.engine_key_id, key.envelope, key.taken_over_at),
            )
            for key in keys
        ]
        self._db.executemany("insert or ignore into keys values (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", rows)

    def drop(self, key_ids: Sequence[str]) -> None:
        self._db.executemany("delete from keys where key_id = ?", [(key_id,) for key_id in key_ids])

    def settle(self, handover_ids: Sequence[str]) -> None:
        """The portal confirmed these: what their bots traded with before goes."""
        rows = [(handover_id,) for handover_id in handover_ids]
        self._db.executemany(
            "delete from keys where settled = 1 and bot_id ="
            " (select bot_id from keys where handover_id = ? and settled = 0)",
            rows,
        )
        self._db.executemany("update keys set settled = 1 where handover_id = ?", rows)

    def drop_unconfirmed(self, handover_ids: Sequence[str]) -> None:
        self._db.executemany(
            "delete from keys where handover_id = ?", [(handover_id,) for handover_id in handover_ids]
        )

    def unsettled(self) -> list[tuple[str, str]]:
        """Hand-over id and time of every key that the portal has not confirmed."""
        query = "select handover_id, taken_over_at from keys where settled = 0 order by number"
        return self._db.execute(query).fetchall()

    def key_of(self, bot_id: str) -> Key | None:
        """What the bot trades with: the newest key, confirmed or not."""
        query = (
            "select key_id, handover_id, number, bot_id, exchange, market, engine_key_id, envelope,"
            " taken_over_at from keys where bot_id = ? order by number desc limit 1"
        )
        row = self._db.execute(query, (bot_id,)).fetchone()
        return Key(*row) if row else None


class Door:
    """The portal's side, over HTTP: JSON in and out."""

    def __init__(self, url: str, token: str) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise SetupError("ENGINE_PORTAL_URL must be https, except on this machine.")
        self._base = f"{url.rstrip('/')}/engine/v1"
        self._token = token
        # A redirect would carry the token to whoever is named; it is an error instead.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())

    def get(self, path: str) -> Any:
        return self._ask(urllib.request.Request(f"{self._base}/{path}"))  # noqa: S310

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return self._ask(urllib.request.Request(f"{self._base}/{path}", data, headers))  # noqa: S310

    def _ask(self, request: urllib.request.Request) -> Any:
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return json.loads(answer.read(_ANSWER_MAX))
        except urllib.error.HTTPError as error:
            error.close()
            raise PortalAwayError(f"The portal answered with {error.code}.") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise PortalAwayError(f"The portal is away: {type(error).__name__}.") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class EngineClient:
    """`run_once()` takes over everything that waits. One thread, one state file."""

    def __init__(
        self,
        door: Door,
        keyring: Keyring,
        state: State,
        *,
        take_over: Callable[[Key, Credentials], None] = lambda key, credentials: None,
    ) -> None:
        """take_over: where an engine starts to trade with a key; raises CannotUseError where it cannot."""
        self._door, self._keyring, self._state = door, keyring, state
        self._take_over = take_over
        self._dropped: dict[str, str] = {}  # revocations by id, with the time
        self._rejected: dict[str, str] = {}  # hand-overs by id, with the reason

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "EngineClient":
        names = ("ENGINE_PORTAL_URL", "ENGINE_TOKEN", "ENGINE_PRIVATE_KEYS", "ENGINE_STATE")
        if missing := [name for name in names if not environ.get(name)]:
            raise SetupError(f"Not set: {', '.join(missing)}.")
        url, token, private, state = (environ[name] for name in names)
        return cls(Door(url, token), Keyring(private), State(Path(state)))

    def run_once(self) -> int:
        """Fetch and settle page after page; gives how many hand-overs came. Raises PortalAwayError."""
        self.settle()  # what an earlier round took over and could not tell
        after: int | None = 0
        number = 0
        while after is not None:
            came, after = self.fetch_once(after)
            number += came
            self.settle()
        return number

    def fetch_once(self, after: int = 0) -> tuple[int, int | None]:
        """Take one page over into the state file; gives its size and where the next one begins, if any."""
        page = self._door.get(f"handovers?after={after}")
        now = _now()
        try:
            keys = [_key(item, now) for item in page["handovers"] if item["kind"] == "key"]
            ended = {item["id"]: item["key_id"] for item in page["handovers"] if item["kind"] == "revocation"}
            next_after = page["next_after"]
        except (KeyError, TypeError, ValueError):
            raise PortalAwayError("The portal sent hand-overs in another form.") from None
        with self._state:
            self._state.keep(
                [key for key in keys if not self._state.has(key.key_id) and self._is_usable(key)]
            )
            self._state.drop(list(ended.values()))
        self._dropped |= dict.fromkeys(ended, now)
        for handover_id, key_id in ended.items():
            logger.info("Dropped key %s, by revocation %s", key_id, handover_id)
        return len(keys) + len(ended), next_after

    def settle(self) -> None:
        """Tell the portal what was taken over, dropped and rejected, and do what it answers."""
        acks = [*self._state.unsettled(), *self._dropped.items()]
        batches = [acks[begin : begin + ACKS_AT_ONCE] for begin in range(0, len(acks), ACKS_AT_ONCE)]
        with ThreadPoolExecutor(ACKS_UNDER_WAY) as pool:
            for states in pool.map(self._ack, batches):
                self._conclude(states)
        for handover_id, reason in list(self._rejected.items()):
            self._door.post(f"handovers/{handover_id}/reject", {"reason": reason})
            del self._rejected[handover_id]
            logger.info("Rejected hand-over %s: %s", handover_id, reason)

    def credentials_of(self, bot_id: str) -> Credentials | None:
        """Opened for this moment; None where the bot has no key."""
        key = self._state.key_of(bot_id)
        return self._keyring.open(key) if key else None

    def _is_usable(self, key: Key) -> bool:
        if key.engine_key_id not in self._keyring:
            # Our own fault, not the key's: rejecting would wipe it. It stays late until the key is here.
            logger.error("Hand-over %s needs the private key %s", key.handover_id, key.engine_key_id)
            return False
        try:
            self._take_over(key, self._keyring.open(key))
        except CannotOpenError:
            self._rejected[key.handover_id] = "cannot_open"
            return False
        except CannotUseError as error:
            self._rejected[key.handover_id] = error.reason
            return False
        logger.info("Took over key %s, by hand-over %s", key.key_id, key.handover_id)
        return True

    def _ack(self, acks: Sequence[tuple[str, str]]) -> dict[str, str]:
        """What the portal says of each. Touches no state, since it runs beside others of its kind."""
        body = {"acks": [{"id": found, "taken_over_at": at} for found, at in acks]}
        try:
            results = self._door.post("handovers/ack", body)["results"]
            return {str(result["id"]): str(result["state"]) for result in results}
        except (KeyError, TypeError):
            raise PortalAwayError("The portal answered acknowledgements in another form.") from None

    def _conclude(self, states: Mapping[str, str]) -> None:
        with self._state:
            self._state.settle([found for found, state in states.items() if state == "acked"])
            self._state.drop_unconfirmed([found for found, state in states.items() if state != "acked"])
        for found, state in states.items():
            self._dropped.pop(found, None)
            if state != "acked":
                logger.info("Hand-over %s was answered with %s: its key is dropped", found, state)


def _key(item: Mapping[str, Any], now: str) -> Key:
    return Key(
        key_id=str(item["key_id"]),
        handover_id=str(item["id"]),
        number=int(item["number"]),
        bot_id=str(item["bot_id"]),
        exchange=str(item["exchange"]),
        market=str(item["market"]),
        engine_key_id=str(item["engine_key_id"]),
        envelope=base64.b64decode(item["envelope"]),
        taken_over_at=now,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def poll(client: EngineClient, stop: threading.Event) -> None:
    """Until `stop`: a round every two seconds, whatever the portal does."""
    while not stop.is_set():
        try:
            client.run_once()
        except PortalAwayError as error:
            logger.warning("%s Trying again in %g seconds.", error, POLL_SECONDS)
        stop.wait(POLL_SECONDS)


def main() -> int:
    told = argparse.ArgumentParser(description="Reference client of the portal's engine door.")
    told.add_argument("--once", action="store_true", help="take over what waits, and end")
    once = told.parse_args().once
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        client = EngineClient.from_environment(os.environ)
    except SetupError as error:
        print(f"engine_client does not start: {error}", file=sys.stderr)
        return 1
    if once:
        try:
            logger.info("%s hand-overs", client.run_once())
        except PortalAwayError as error:
            logger.error("%s", error)
            return 1
        return 0
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    logger.info("engine_client ready.")
    poll(client, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
