"""Log lines as JSON: one object a line, with the request or the task in which it was written.

Both are bound by context variables, which reach the exchange client's event loop as well.
"""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus

request_reference: ContextVar[str] = ContextVar("request_reference", default="")
task_id: ContextVar[str] = ContextVar("task_id", default="")


class NotReadyFilter(logging.Filter):
    """Drops what Django says at ERROR of each 503, which `/readyz` alone answers.

    A balancer asks every few seconds and acts on the answer; a line for each would bury the cause.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE


class JsonFormatter(logging.Formatter):
    """Keys: time (UTC), level, logger, message; where there is one: request, task, exception."""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request": request_reference.get(),
            "task": task_id.get(),
            "exception": record.exc_text,
        }
        return json.dumps({name: value for name, value in line.items() if value})
