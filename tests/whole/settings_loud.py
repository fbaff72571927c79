"""The settings of the tests with every log line there is, and without the net that redacts them."""

from typing import Any

from tests.settings import *  # noqa: F403
from tests.settings import LOGGING as QUIET

_QUIET: dict[str, Any] = QUIET
LOGGING = _QUIET | {
    "handlers": {"stderr": _QUIET["handlers"]["stderr"] | {"filters": []}},
    "root": _QUIET["root"] | {"level": "DEBUG"},
    "loggers": {name: told | {"level": "DEBUG"} for name, told in _QUIET["loggers"].items()},
}
