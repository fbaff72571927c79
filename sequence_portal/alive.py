"""Shows that a worker or beat lives, by a file that it touches: what a container's health check looks at.

A question through the broker (`celery inspect ping`) would cost a second of CPU each time, to import Celery.
"""

import os
from pathlib import Path
from typing import Any

from celery.signals import after_task_publish

# Named by docker-compose.yml. Without it nothing is touched.
FILE = os.environ.get("ALIVE_FILE", "")
# Seconds; the health check minds a file that is older than a minute.
EVERY = 10.0


def touch(**_: Any) -> None:
    Path(FILE).touch()


def touch_from_the_loop_of_the_worker(sender: Any, **_: Any) -> None:
    """The loop that takes messages does it between two of them, so a worker that hangs, or that has lost its
    broker, stops touching; a timer alone would go on.
    """
    if FILE:
        touch()
        sender.timer.call_repeatedly(EVERY, sender.call_soon, (touch,))


def touch_as_beat_rings(**_: Any) -> None:
    """Some bell is rung every few seconds, and this is called once the broker has it."""
    if FILE:
        after_task_publish.connect(touch)
