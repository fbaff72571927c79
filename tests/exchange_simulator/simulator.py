"""The server as a test uses it: in a thread of its own, steered over HTTP."""

import asyncio
import json
import threading
import urllib.request
from collections.abc import Iterable
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.exchange_simulator.exchanges import EXCHANGES
from tests.exchange_simulator.model import SimulatedKey
from tests.exchange_simulator.server import application


class Control:
    """Steers a running simulator, here or in another process."""

    def __init__(self, url: str = "") -> None:
        self.url = url

    def register(self, exchange: str, api_key: str, secret: str, **reply: Any) -> None:
        """Make a key known; `reply` is laid over its good reply, and None takes a field out."""
        self.know(SimulatedKey(exchange, api_key, secret, reply))

    def know(self, *keys: SimulatedKey) -> None:
        """Make keys known, with all that they have."""
        self._post("keys", [asdict(key) for key in keys])

    def behave(self, exchange: str, do: str, api_key: str = "", path: str = "", **options: Any) -> None:
        """From now on, towards one key or all of the exchange's, at one path or all; see `behaviours`.

        Options: host, for one host of the exchange; the others are the behaviour's own.
        """
        told = {"exchange": exchange, "do": do, "api_key": api_key, "path": path}
        self._post("behaviour", told | options)

    def set_clock(self, ahead_ms: float) -> None:
        self._post("clock", {"ahead_ms": ahead_ms})

    def release(self) -> None:
        self._post("release", {})

    def reset(self) -> None:
        self._post("reset", {})

    def calls(self) -> dict[str, Any]:
        found: dict[str, Any] = self._get("calls")
        return found

    def number_of_calls(self, exchange: str) -> int:
        return int(self.calls()[exchange]["number"])

    def held(self) -> int:
        return int(self._get("held")["held"])

    def base_urls(self) -> dict[str, str]:
        """What the setting EXCHANGE_BASE_URLS has to be."""
        return dict.fromkeys(EXCHANGES, self.url)

    def _post(self, what: str, told: Any) -> None:
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/_control/{what}", json.dumps(told).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            response.read()

    def _get(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/_control/{what}", timeout=10) as response:  # noqa: S310
            return json.load(response)


class Simulator(Control):
    """`with Simulator() as simulator:`; `simulator.url` is known once it started."""

    def __init__(self, port: int = 0, keys: Iterable[SimulatedKey] = ()) -> None:
        super().__init__()
        self._port = port
        self._keys = tuple(keys)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="exchange-simulator", daemon=True)
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        # A call that was given up by its caller ends here too, as the drip never would.
        self._runner = web.AppRunner(
            application(self._keys), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
