"""The server: the exchanges' addresses, and a control.

    POST /_control/keys       [{"exchange", "api_key", "secret", "reply": {…}, "passphrase"?, "more"?,
                              "host"?}, …] registers or replaces keys
    POST /_control/behaviour  {"exchange", "do", "api_key"?, "path"?, "host"?, …options}
                              of one key, or of the exchange; at one path or host, or at all of them
    POST /_control/release    {}                                               ends every hold
    POST /_control/reset      {}                                               forgets calls and behaviours
    POST /_control/clock      {"ahead_ms"}                                     of all exchanges
    GET  /_control/calls      {"binance": {"number", "calls": [{"last_four", "at", "method", "path",
                              "host"}]}, …, "unknown": 0, "redirected": 0}
    GET  /_control/held       {"held": 0}

"at" is seconds since 1970. `reset` keeps the keys. No answer holds more of a key than its last four
characters. Which host a call was meant for is told by X-Forwarded-Host; without it the path decides, and the
exchange's first host is meant. "unknown" counts calls that are none of any exchange's.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from tests.exchange_simulator import model
from tests.exchange_simulator.behaviours import BEHAVIOURS, Call
from tests.exchange_simulator.exchanges import EXCHANGES
from tests.exchange_simulator.model import Asked, SimulatedExchange, SimulatedKey


class State:
    def __init__(self, keys: Iterable[SimulatedKey]) -> None:
        self.keys: dict[tuple[str, str, str], SimulatedKey] = {}
        for key in keys:
            self.register(key)
        self.released = asyncio.Event()
        self.behaviours: list[dict[str, Any]] = []
        self.reset()

    def register(self, key: SimulatedKey) -> None:
        host = key.host or EXCHANGES[key.exchange].hosts[0]
        self.keys[key.exchange, host, key.api_key] = key

    def reset(self) -> None:
        self.release()
        self.behaviours.clear()
        self.calls: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.unknown = self.redirected = self.held = 0

    def release(self) -> None:
        self.behaviours = [told for told in self.behaviours if told["do"] != "hold"]
        self.released.set()
        self.released = asyncio.Event()

    def behave(self, told: dict[str, Any]) -> None:
        same = ("exchange", "api_key", "path", "host")
        others = [other for other in self.behaviours if any(other[name] != told[name] for name in same)]
        # What is told of one key, path or host goes before what is told of all.
        self.behaviours = sorted([*others, told], key=lambda each: [not each[name] for name in same])

    def behaviour_of(self, exchange: str, **asked: str) -> dict[str, Any]:
        for told in self.behaviours:
            if told["exchange"] == exchange and all(told[name] in ("", asked[name]) for name in asked):
                return told
        return {"do": "ok"}

    async def hold(self) -> None:
        self.held += 1
        try:
            await self.released.wait()
        finally:
            self.held -= 1


STATE = web.AppKey("STATE", State)
CONTROL = web.RouteTableDef()


def application(keys: Iterable[SimulatedKey] = ()) -> web.Application:
    app = web.Application()
    app[STATE] = State(keys)
    app.add_routes(CONTROL)
    app.router.add_get("/_redirected", _redirected)
    app.router.add_route("*", "/{path:.*}", _answer)
    return app


async def _answer(request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    host = request.headers.get("X-Forwarded-Host", "")
    exchange = _meant(host, request.method, request.path)
    if exchange is None:
        state.unknown += 1
        raise web.HTTPNotFound
    asked = Asked(
        method=request.method,
        path=request.path,
        query=request.rel_url.raw_query_string,
        params=request.query,
        headers=request.headers,
        body=await request.text(),
        host=host or exchange.hosts[0],
    )
    api_key = exchange.caller(asked)
    call = {"last_four": api_key[-4:], "at": time.time(), "method": asked.method, "path": asked.path}
    state.calls[exchange.id].append(call | {"host": asked.host})
    if asked.path in exchange.public:
        return web.json_response(exchange.public[asked.path]())
    behaviour = state.behaviour_of(exchange.id, api_key=api_key, path=asked.path, host=asked.host)
    key = state.keys.get((exchange.id, asked.host, api_key))
    reply = exchange.private[asked.method, asked.path]
    return await BEHAVIOURS[behaviour["do"]](
        Call(request, asked, exchange, reply, key, behaviour, state.hold)
    )


def _meant(host: str, method: str, path: str) -> SimulatedExchange | None:
    for exchange in EXCHANGES.values():
        serves = (method, path) in exchange.private or (method == "GET" and path in exchange.public)
        if serves and (not host or host in exchange.hosts):
            return exchange
    return None


async def _redirected(request: web.Request) -> web.Response:
    request.app[STATE].redirected += 1
    return web.json_response({})


@CONTROL.post("/_control/keys")
async def register(request: web.Request) -> web.Response:
    for told in await request.json():
        request.app[STATE].register(SimulatedKey(**told))
    return web.json_response({})


@CONTROL.post("/_control/behaviour")
async def behave(request: web.Request) -> web.Response:
    told = await request.json()
    if told["exchange"] not in EXCHANGES or told["do"] not in BEHAVIOURS:
        raise web.HTTPBadRequest
    request.app[STATE].behave({"api_key": "", "path": "", "host": ""} | told)
    return web.json_response({})


@CONTROL.post("/_control/clock")
async def set_clock(request: web.Request) -> web.Response:
    model.clock_ahead_ms = float((await request.json())["ahead_ms"])
    return web.json_response({})


@CONTROL.post("/_control/release")
async def release(request: web.Request) -> web.Response:
    request.app[STATE].release()
    return web.json_response({})


@CONTROL.post("/_control/reset")
async def reset(request: web.Request) -> web.Response:
    request.app[STATE].reset()
    return web.json_response({})


@CONTROL.get("/_control/calls")
async def calls(request: web.Request) -> web.Response:
    state = request.app[STATE]
    told: dict[str, Any] = {
        name: {"number": len(state.calls[name]), "calls": state.calls[name]} for name in EXCHANGES
    }
    return web.json_response(told | {"unknown": state.unknown, "redirected": state.redirected})


@CONTROL.get("/_control/held")
async def held(request: web.Request) -> web.Response:
    return web.json_response({"held": request.app[STATE].held})
