"""An adapter's conversation without a network: told replies go in, what came of it comes out."""

from collections.abc import Mapping
from typing import Any

from apikeys.exchanges.adapter import Adapter, Call, Own, Reply
from apikeys.exchanges.base import KeyReport, Trouble, UnreadableReplyError
from apikeys.findings import FindingCode

OWN = Own("ownkeyownkeyownkeyownkey")
# What any further question is answered with, where a test is about the first one.
NOT_NOW = Reply(400, None)


def converse(
    adapter: Adapter, *told: Any, own: Own = OWN, at: Mapping[str, Any] | None = None
) -> tuple[KeyReport | Trouble, list[Call]]:
    """What came of it, and the calls that were made.

    told: the replies in turn, each a `Reply` or the JSON of one with status 200; at: by the call's path. What
    is asked beyond them is answered with an error that says nothing.
    """
    conversation = adapter.converse(own)
    replies, calls = list(told), []
    try:
        call = next(conversation)
        while True:
            assert call in adapter.calls, call.path
            calls.append(call)
            if call.path in (at or {}):
                found = (at or {})[call.path]
            else:
                found = replies.pop(0) if replies else NOT_NOW
            call = conversation.send(found if isinstance(found, Reply) else Reply(200, found))
    except StopIteration as end:
        return end.value, calls
    except UnreadableReplyError:
        return Trouble(FindingCode.UNPROVEN_PERMISSION), calls


def answer(adapter: Adapter, *told: Any, own: Own = OWN, at: Mapping[str, Any] | None = None) -> Any:
    """As `converse`, without the calls."""
    return converse(adapter, *told, own=own, at=at)[0]
