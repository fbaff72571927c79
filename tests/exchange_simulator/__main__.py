"""`python -m tests.exchange_simulator --port 8001`: runs in the foreground, knowing the demo keys."""

import argparse

from aiohttp import web

from tests.exchange_simulator.exchanges import all_demo_keys
from tests.exchange_simulator.server import application

parser = argparse.ArgumentParser(prog="python -m tests.exchange_simulator", description=__doc__)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--without-demo-keys", action="store_true")
told = parser.parse_args()


async def main() -> web.Application:
    return application(() if told.without_demo_keys else all_demo_keys())


web.run_app(
    main(),
    host=told.host,
    port=told.port,
    access_log=None,
    print=None,
    handler_cancellation=True,
    shutdown_timeout=1,
)
