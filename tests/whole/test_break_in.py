"""A thief with a web process's environment, the database and Redis opens none of a thousand stored keys."""

import json
import subprocess
import sys
from pathlib import Path

import celery
import pytest
from django.core.cache import cache

from accounts.models import User
from apikeys.models import ApiKey
from tests.apikeys.test_rotation import credentials, sealed_rows
from tests.conftest import signed_in
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import CHECKS, ROOT, WEB, Stack, empty_broker
from tests.whole.grep import Source, broker, database, hits

ROWS = 1000


@pytest.fixture
def stored(transactional_db: None, alice: User) -> list[ApiKey]:
    """A thousand live keys, and a broker, a cache and sessions with something in them."""
    empty_broker()
    keys = ApiKey.objects.bulk_create(sealed_rows(alice, ROWS), batch_size=500)
    for key in keys[:20]:
        celery.current_app.send_task("nobody.listens", args=[str(key.pk)], queue="nobody")
        cache.set(f"limit-{key.pk}", 3)
    signed_in(alice)
    return keys


def break_in(stack: Stack, name: str) -> dict[str, int]:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.whole.break_in"],
        cwd=ROOT,
        env=stack.environment(name),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)  # type: ignore[no-any-return]


def test_nobody_opens_a_stored_key_with_all_that_the_web_has(
    stored: list[ApiKey], tmp_path: Path, simulator: Simulator, mail_sink: MailSink
) -> None:
    stack = Stack(tmp_path, simulator, mail_sink)
    told = break_in(stack, WEB)
    assert (told["rows"], told["opened"], told["keys_found"]) == (ROWS, 0, 0)
    assert told["pieces"] > 1000, "the public key alone has so many pieces"

    # The control: where a private key is, the same program opens all of them, and finds that key by its look.
    told = break_in(stack, CHECKS)
    assert (told["opened"], told["keys_found"]) == (ROWS, 1)


def test_nothing_of_a_stored_key_is_in_the_database_or_redis_as_it_was(stored: list[ApiKey]) -> None:
    """The values differ in their last digits only, so that what they share is looked for once for all."""
    shared = {"API key": credentials(0).api_key[:56], "secret": credentials(0).secret[:56]}
    assert {credentials(at).secret[:56] for at in range(ROWS)} == {shared["secret"]}
    assert hits([*database(), *broker()], shared) == []
    assert hits([Source("control", f"x{credentials(7).secret}y".encode())], shared)
