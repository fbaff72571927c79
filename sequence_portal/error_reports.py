"""Reports of exceptions to Sentry, only where SENTRY_DSN is set.

What leaves is built anew and not cleaned: the exception's type, the places it passed through, and the
request or task to look for in our own log. Its text stays here, since the text of an error may quote
anything, and so do local variables, bodies, headers, addresses, people and queries.
"""

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.types import Event, Hint

from sequence_portal.logs import request_reference, task_id

_OF_A_FRAME = ("module", "filename", "function", "lineno")


def start(dsn: str) -> None:
    sentry_sdk.init(
        dsn=dsn,
        before_send=bare,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        send_default_pii=False,
        auto_session_tracking=False,
        send_client_reports=False,
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(), CeleryIntegration()],
    )


def bare(event: Event, hint: Hint) -> Event | None:
    """None for what is no exception: a line of the log is in the log."""
    raised = (event.get("exception") or {}).get("values") or []
    if not raised:
        return None
    return {
        "event_id": event["event_id"],
        "timestamp": event["timestamp"],
        "platform": "python",
        "level": "error",
        "exception": {"values": [_bare(exception) for exception in raised]},
        "tags": {"request": request_reference.get(), "task": task_id.get()},
    }


def _bare(exception: dict[str, Any]) -> dict[str, Any]:
    frames = (exception.get("stacktrace") or {}).get("frames") or []
    return {
        "type": exception.get("type"),
        "module": exception.get("module"),
        "stacktrace": {"frames": [{name: frame.get(name) for name in _OF_A_FRAME} for frame in frames]},
    }
