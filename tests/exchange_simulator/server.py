"""The server: the exchanges' addresses, and a control.

    POST /_control/keys       {"exchange", "api_key", "secret", "reply": {…}}  registers or replaces a key
    POST /_control/behaviour  {"exchange", "do", "api_key"?, …options}         of one key, or of the exchange
    POST /_control/release    {}                                               ends every hold
    POST /_control/reset      {}                                               forgets calls and behaviours
    GET  /_control/calls      {"binance": {"number", "calls": [{"last_four", "at"}]}, …, "redirected": 0}
    GET  /_control/held       {"held": 0}

"at" is seconds since 1970. `reset` keeps the keys. No answer holds more of a key than its last four
characters.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from tests.exchange_simulator.behaviours import BEHAVIOURS, Call
from tests.exchange_simulator.replies import EXCHANGES, SimulatedKey


class State:
    def __init__(self, keys: Iterable[SimulatedKey]) -> None:
        self.keys = {(key.exchange, key.api_key): key for key in keys}
        self.released = asyncio.Event()
        self.behaviours: dict[tuple[str, str], dict[str, Any]] = {}
        self.reset()

    def reset(self) -> None:
        self.release()
        self.behaviours.clear()
        self.calls: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.redirected = 0
        self.held = 0

    def release(self) -> None:
        self.behaviours = {of: told for of, told in self.behaviours.items() if told["do"] != "hold"}
        self.released.set()
        self.released = asyncio.Event()

    def behaviour_of(self, exchange: str, api_key: str) -> dict[str, Any]:
        return self.behaviours.get((exchange, api_key)) or self.behaviours.get((exchange, "")) or {"do": "ok"}

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
    for name, exchange in EXCHANGES.items():
        app.router.add_get(exchange.path, _answer, name=name)
    return app


async def _answer(request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    name = str(request.match_info.route.name)
    exchange = EXCHANGES[name]
    api_key = exchange.caller(request)
    state.calls[name].append({"last_four": api_key[-4:], "at": time.time()})
    behaviour = state.behaviour_of(name, api_key)
    call = Call(request, exchange, state.keys.get((name, api_key)), behaviour, state.hold)
    return await BEHAVIOURS[behaviour["do"]](call)


async def _redirected(request: web.Request) -> web.Response:
    request.app[STATE].redirected += 1
    return web.json_response({})


@CONTROL.post("/_control/keys")
async def register(request: web.Request) -> web.Response:
    told = await request.json()
    key = SimulatedKey(told["exchange"], told["api_key"], told["secret"], told.get("reply", {}))
    request.app[STATE].keys[key.exchange, key.api_key] = key
    return web.json_response({})


@CONTROL.post("/_control/behaviour")
async def behave(request: web.Request) -> web.Response:
    told = await request.json()
    if told["exchange"] not in EXCHANGES or told["do"] not in BEHAVIOURS:
        raise web.HTTPBadRequest
    request.app[STATE].behaviours[told.pop("exchange"), told.pop("api_key", "")] = told
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
    return web.json_response(told | {"redirected": state.redirected})


@CONTROL.get("/_control/held")
async def held(request: web.Request) -> web.Response:
    return web.json_response({"held": request.app[STATE].held})
