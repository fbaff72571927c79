"""How a simulated exchange misbehaves. One async function for each, named as the control names it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from tests.exchange_simulator.model import Asked, Refusal, Reply, SimulatedExchange, SimulatedKey


@dataclass
class Call:
    """One call, and what the control asked for."""

    request: web.Request
    asked: Asked
    exchange: SimulatedExchange
    reply: Reply
    key: SimulatedKey | None
    options: Mapping[str, Any]
    hold: Callable[[], Awaitable[None]]


def ok_body(call: Call) -> tuple[int, Any]:
    refusal = call.exchange.verify(call.asked, call.key)
    if refusal is not None:
        return refusal.status, refusal.body
    assert call.key is not None
    reply = call.reply(call.key, call.asked)
    return (reply.status, reply.body) if isinstance(reply, Refusal) else (200, reply)


async def ok(call: Call) -> web.StreamResponse:
    status, body = ok_body(call)
    return web.json_response(body, status=status)


async def refuse(call: Call) -> web.StreamResponse:
    """Options: code; status, where the exchange's usual one is not meant."""
    refusal = call.exchange.refusal(str(call.options["code"]))
    return web.json_response(refusal.body, status=int(call.options.get("status", refusal.status)))


async def delay(call: Call) -> web.StreamResponse:
    """Options: seconds."""
    await asyncio.sleep(float(call.options["seconds"]))
    return await ok(call)


async def hold(call: Call) -> web.StreamResponse:
    await call.hold()
    return await ok(call)


async def rate_limit(call: Call) -> web.StreamResponse:
    """Options: retry_after in seconds, 1 unless told; none for no such header."""
    seconds = call.options.get("retry_after", 1)
    refusal = call.exchange.too_many
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return web.json_response(refusal.body, status=refusal.status, headers=headers)


async def http_status(call: Call) -> web.StreamResponse:
    """Options: status, 503 unless told."""
    return web.Response(status=int(call.options.get("status", 503)), text="upstream error")


async def html(call: Call) -> web.StreamResponse:
    return web.Response(text="<!doctype html><title>Maintenance</title>", content_type="text/html")


async def empty(call: Call) -> web.StreamResponse:
    return web.Response(body=b"", content_type="application/json")


async def half_json(call: Call) -> web.StreamResponse:
    text = json.dumps(ok_body(call)[1])
    return web.Response(text=text[: len(text) // 2], content_type="application/json")


async def redirect(call: Call) -> web.StreamResponse:
    """To a page of this server that counts who comes."""
    raise web.HTTPFound("/_redirected")


async def drip(call: Call) -> web.StreamResponse:
    """A byte every half second, for ever."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(call.request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.5)


async def huge(call: Call) -> web.StreamResponse:
    """A good reply behind ten megabytes of spaces."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(call.request)
    for _ in range(160):
        await response.write(b" " * 64 * 1024)
    await response.write(json.dumps(ok_body(call)[1]).encode())
    return response


async def wrong_type(call: Call) -> web.StreamResponse:
    assert call.key is not None
    key = replace(call.key, reply={**call.key.reply, **call.exchange.wrong_type})
    return web.json_response(call.reply(key, call.asked))


async def lie(call: Call) -> web.StreamResponse:
    """Options: reply, sent as it is to whoever asks."""
    return web.json_response(call.options.get("reply"))


async def hang_up(call: Call) -> web.StreamResponse:
    assert call.request.transport is not None
    call.request.transport.close()
    return web.Response()


BEHAVIOURS: Mapping[str, Callable[[Call], Awaitable[web.StreamResponse]]] = {
    behaviour.__name__: behaviour
    for behaviour in (
        *(ok, refuse, delay, hold, rate_limit, http_status, html, empty),
        *(half_json, redirect, drip, huge, wrong_type, lie, hang_up),
    )
}
