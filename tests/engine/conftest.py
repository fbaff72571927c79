"""An engine: its own key pair, a token, and the reference client over real HTTP."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from engine_client import CannotUseError, Credentials, Door, EngineClient, Key, Keyring, State
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apikeys.engine import tokens
from apikeys.models import Scope
from apikeys.vault import generate_pair


def make_token(
    *scopes: Scope, addresses: Sequence[str] = (), life: timedelta = timedelta(hours=1), name: str = "engine"
) -> str:
    return tokens.make(name=name, scopes=scopes or list(Scope), addresses=addresses, life=life)


def bearer(token: str) -> Client:
    """Somebody with a token, at the door without any network between; CSRF checks as in production."""
    return Client(headers={"Authorization": f"Bearer {token}"}, enforce_csrf_checks=True)


@pytest.fixture
def engine_private(settings: Settings) -> str:
    """The portal knows the public half; the private one is the engine's."""
    private, settings.ENGINE_PUBLIC_KEYS = generate_pair()
    return private


@pytest.fixture
def engine_token(db: None) -> str:
    return make_token()


@pytest.fixture
def door(engine_token: str) -> Client:
    return bearer(engine_token)


class Engine:
    """A reference client that can be cut off, and started again on its state file."""

    def __init__(self, url: str, token: str, private: str, state: Path) -> None:
        self._url, self._token, self._private, self.state = url, token, private, state
        self.refuses = ""  # a reason for which it can use no key
        self.took: list[tuple[str, Credentials]] = []
        self.client = self._start()

    def restart(self) -> None:
        self._kept.close()
        self.client = self._start()

    def stop(self) -> None:
        self._kept.close()

    def _start(self) -> EngineClient:
        self._kept = State(self.state)
        door = Door(self._url, self._token)
        return EngineClient(door, Keyring(self._private), self._kept, take_over=self._take_over)

    def _take_over(self, key: Key, credentials: Credentials) -> None:
        if self.refuses:
            raise CannotUseError(self.refuses)
        self.took.append((key.bot_id, credentials))


MakeEngine = Callable[[str], Engine]


@pytest.fixture
def make_engine(
    live_server: LiveServer, engine_private: str, engine_token: str, tmp_path: Path
) -> Iterator[MakeEngine]:
    """Engines by the names of their state files."""
    made: list[Engine] = []

    def make(name: str) -> Engine:
        made.append(Engine(live_server.url, engine_token, engine_private, tmp_path / name))
        return made[-1]

    yield make
    for engine in made:
        engine.stop()


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    return make_engine("engine.sqlite3")
