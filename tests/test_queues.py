"""Which queue a task waits in, and that the broker's clock gives no message away that is in good hands."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sequence_portal.celery import app

ROOT = Path(__file__).resolve().parent.parent
QUEUES = {"checks", "mail", "sweeps", "chores"}
LONGEST_WAIT = 300  # seconds; Redis takes a message that waits for much longer for one of a dead worker
WITH_REDIS = """
import json
from sequence_portal.celery import app
c = app.conf
print(json.dumps([
    c.broker_transport_options["visibility_timeout"],
    c.result_backend_transport_options["visibility_timeout"],
    c.visibility_timeout,
    c.task_acks_late,
    c.worker_prefetch_multiplier,
]))
"""


def test_every_task_waits_in_one_of_four_queues() -> None:
    app.loader.import_default_modules()
    ours = [name for name in app.tasks if not name.startswith("celery.")]
    assert len(ours) >= 10
    queue_of = {name: app.amqp.router.route({}, name)["queue"].name for name in ours}
    assert set(queue_of.values()) <= QUEUES
    assert queue_of["apikeys.check_key"] == "checks"


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_a_message_is_given_away_after_one_time_that_all_three_places_name(scheme: str) -> None:
    environ = {**os.environ, "REDIS_URL": f"{scheme}://127.0.0.1:9/0"}
    ran = subprocess.run(
        [sys.executable, "-c", WITH_REDIS], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    broker, results, itself, acked_late, prefetched = json.loads(ran.stdout)
    assert broker == results == itself == 900
    assert (acked_late, prefetched) == (True, 1)


def waits(source: str) -> list[str]:
    """Every message that is told to wait, where it is not a number of seconds within bounds."""
    found = []
    for node in ast.walk(ast.parse(source)):
        told_of = {word.arg: word.value for word in node.keywords} if isinstance(node, ast.Call) else {}
        for name in {"eta", "countdown"} & told_of.keys():
            told = told_of[name]
            seconds = told.value if isinstance(told, ast.Constant) else None
            if name == "eta" or not isinstance(seconds, int) or seconds > LONGEST_WAIT:
                found.append(f"line {told.lineno}: {name}")
    return found


def test_no_message_is_told_to_wait_for_long() -> None:
    for app_folder in ("sequence_portal", "accounts", "apikeys", "notifications"):
        for file in (ROOT / app_folder).rglob("*.py"):
            assert waits(file.read_text()) == [], file


@pytest.mark.parametrize(
    ("source", "is_told"),
    [
        ("task.apply_async(countdown=300)", False),
        ("task.apply_async(countdown=301)", True),
        ("task.apply_async(countdown=pause)", True),
        ("app.send_task('x', eta=now + day)", True),
    ],
)
def test_it_would_find_one_that_is(source: str, is_told: bool) -> None:
    assert bool(waits(source)) == is_told
