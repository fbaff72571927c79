"""The door itself, described by docs/engine-api.json. JSON in and out; without a token there is only 401."""

import base64
import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils.dateparse import parse_datetime
from django.views.decorators.csrf import csrf_exempt

from accounts.addresses import client_address
from accounts.identifiers import BOT_ID_MAX, canonical
from apikeys.engine import handovers, tokens
from apikeys.engine.handovers import Ack, State
from apikeys.models import Handover, Scope

P = ParamSpec("P")
Answer = JsonResponse
# A page of acknowledgements, each a hundred bytes, with room.
_BODY_MAX = 256 * 1024
_LAST_NUMBER = 2**63 - 1
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REASON = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}")
_MOMENT = re.compile(
    r"(199[1-9]|[2-8][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)


class BadRequestError(Exception):
    """What is wrong with the request, for the engine's developers."""


def door(
    **scopes: Scope,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], Answer]], Callable[Concatenate[HttpRequest, P], HttpResponse]
]:
    """Admit a request by its token before anything else about it is looked at. Methods map to scopes.

    Where nothing is named, any method and any live token will do.
    """

    def guard(view: Callable[Concatenate[HttpRequest, P], Answer]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            scope = scopes.get(request.method or "")
            try:
                # An unknown method still needs a token, so that a stranger learns nothing but 401.
                tokens.admit(
                    request.headers.get("Authorization", ""), scope=scope, address=client_address(request)
                )
                if scopes and scope is None:
                    answer = _error(405, "method_not_allowed", f"Use {', '.join(scopes)}.")
                    answer["Allow"] = ", ".join(scopes)
                else:
                    answer = view(request, *args, **kwargs)
            except tokens.DeniedError as denied:
                answer = _error(denied.status, denied.code, denied.message)
                if denied.status == 401:
                    answer["WWW-Authenticate"] = "Bearer"
            except BadRequestError as wrong:
                answer = _error(400, "bad_request", str(wrong))
            return answer

        return guarded

    return guard


@door(GET=Scope.FETCH)
def pending(request: HttpRequest) -> Answer:
    page = handovers.fetch(after=_number(request.GET.get("after", "0")), address=client_address(request))
    shown = [_shown(handover) for handover in page.handovers]
    return JsonResponse({"handovers": shown, "next_after": page.next_after})


@door(POST=Scope.SETTLE)
def ack(request: HttpRequest, handover_id: UUID) -> Answer:
    body = _body(request, {"taken_over_at"})
    states = handovers.ack(
        [Ack(handover_id, _moment(body["taken_over_at"]))], address=client_address(request)
    )
    return _state(handover_id, states[handover_id])


@door(POST=Scope.SETTLE)
def ack_many(request: HttpRequest) -> Answer:
    acks = _body(request, {"acks"})["acks"]
    if not isinstance(acks, list) or not 1 <= len(acks) <= handovers.PAGE:
        raise BadRequestError(f"acks must be a list of 1 to {handovers.PAGE}.")
    states = handovers.ack([_ack(item) for item in acks], address=client_address(request))
    return JsonResponse(
        {"results": [{"id": str(found), "state": state.value} for found, state in states.items()]}
    )


@door(POST=Scope.SETTLE)
def reject(request: HttpRequest, handover_id: UUID) -> Answer:
    reason = _body(request, {"reason"})["reason"]
    if not isinstance(reason, str) or not _REASON.fullmatch(reason):
        raise BadRequestError("reason must be a code of 1 to 30 letters, digits and underscores.")
    try:
        state = handovers.reject_key(handover_id, reason=reason, address=client_address(request))
    except handovers.NotAKeyError:
        return _error(409, "not_a_key", "A revocation can only be acknowledged.")
    return _state(handover_id, state)


@door(GET=Scope.BOTS)
def bots(request: HttpRequest) -> Answer:
    bot_id = canonical(request.GET.get("bot_id", ""))
    if not 1 <= len(bot_id) <= BOT_ID_MAX or "\0" in bot_id:
        raise BadRequestError("bot_id is needed.")
    handover = handovers.current(bot_id, address=client_address(request))
    if handover is None:
        return _error(404, "not_found", "No bot of this id has a key for the engine.")
    return JsonResponse(_shown(handover) | {"status": handover.key.status})


@door()
def nothing(request: HttpRequest) -> Answer:
    return _error(404, "not_found", "There is nothing at this address.")


def _shown(handover: Handover) -> dict[str, Any]:
    key = handover.key
    envelope = base64.b64encode(bytes(handover.envelope)).decode() if handover.envelope else None
    return {
        "id": str(handover.id),
        "number": handover.number,
        "kind": handover.kind,
        "key_id": str(key.pk),
        "bot_id": key.bot.bot_id,
        "exchange": key.adapter.id,
        "market": key.bot.market,
        "last_four": key.last_four,
        "created_at": handover.created_at.isoformat(),
        "engine_key_id": handover.engine_key_id or None,
        "envelope": envelope,
    }


def _state(handover_id: UUID, state: State) -> Answer:
    if state is State.UNKNOWN:
        return _error(404, "not_found", "There is no hand-over of this id.")
    return JsonResponse({"id": str(handover_id), "state": state.value})


def _ack(item: object) -> Ack:
    if not isinstance(item, dict) or item.keys() != {"id", "taken_over_at"}:
        raise BadRequestError("Each ack has an id and taken_over_at, and nothing else.")
    found = item["id"]
    if not isinstance(found, str) or not _UUID.fullmatch(found):
        raise BadRequestError("id must be the id of a hand-over.")
    return Ack(UUID(found), _moment(item["taken_over_at"]))


def _body(request: HttpRequest, names: set[str]) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise BadRequestError("The body must be application/json.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()) or int(length) > _BODY_MAX:
        raise BadRequestError(f"The body must have at most {_BODY_MAX} bytes.")
    try:
        found = json.loads(request.body)
    except UnreadablePostError:
        raise BadRequestError("The body ended too early.") from None
    except (ValueError, RecursionError):
        raise BadRequestError("The body is no JSON.") from None
    if not isinstance(found, dict) or found.keys() != names:
        raise BadRequestError(f"The body must be an object with {', '.join(sorted(names))} and nothing else.")
    return found


def _moment(value: object) -> datetime:
    try:
        found = parse_datetime(value) if isinstance(value, str) and _MOMENT.fullmatch(value) else None
    except ValueError:
        found = None
    if found is None:
        raise BadRequestError("A time must look like 2026-11-23T17:46:31Z, with its zone.")
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _LAST_NUMBER):
        raise BadRequestError("after must be a number that an earlier page gave.")
    return int(text)


def _error(status: int, code: str, message: str) -> Answer:
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)
