"""gunicorn sets up its own log before the settings are read; here it writes as the rest does."""

from typing import Any

from gunicorn import glogging

from sequence_portal.logs import JsonFormatter
from sequence_portal.redaction import RedactionFilter


class Logger(glogging.Logger):  # type: ignore[misc]  # it has no types
    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())
            handler.addFilter(RedactionFilter())
