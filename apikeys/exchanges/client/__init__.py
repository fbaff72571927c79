"""Asks an exchange about a key. ccxt signs, this package sends; nothing else imports either library.

Nothing that a request or an exception carries leaves it: addresses, headers and messages hold keys and
signatures. What comes out is a KeyReport, or a Trouble with the exchange's own error code.

    sweeping ─▶ asking ─▶ signing    ccxt, for its pure `sign`
                       ─▶ sending    one aiohttp session; no redirects, bounded in time and size
"""

from apikeys.exchanges.client.asking import Client, ask, ask_async, measure_clock
from apikeys.exchanges.client.sweeping import ask_all

__all__ = ["Client", "ask", "ask_all", "ask_async", "measure_clock"]
