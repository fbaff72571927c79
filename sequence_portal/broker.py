"""The embedded broker: kombu's, which keeps each message in a file, without its race.

kombu 5.7 creates a file, then fills it. Who reads it in between finds it empty, and a worker that does so
ends with a JSONDecodeError. Here a file has its whole content before it has its name.
"""

import fcntl
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


def _write(file: Path, content: str) -> None:
    """`.part` is no name that kombu looks for."""
    part = file.with_name(f"{uuid.uuid4()}.part")
    part.write_text(content)
    part.replace(file)


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as kombu does
        # As kombu names it: sorted by time, so that what came first is taken first.
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, dumps(payload))

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str) -> None:
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with (Path(self.control_folder) / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go of as the file is closed
            table = self.get_table(exchange)
            if bound not in table:
                file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]  # newer than its stubs
                _write(file, dumps([bound, *table]))


class Transport(filesystem.Transport):
    Channel = Channel
