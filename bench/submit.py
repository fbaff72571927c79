"""How long a customer waits: from sending the form with a new key until the mail is accepted by SMTP.

Web, check worker, and mail worker with the schedule run as processes on the settings of the product. The
exchange answers after a fifth of a second; what it takes is measured beside each submission and subtracted.
"""

import secrets
import statistics
import time
import urllib.request
from collections.abc import Mapping

from django.conf import settings

from apikeys.models import Bot
from bench import stage
from bench.browser import Browser
from tests.exchange_simulator.exchanges import EXCHANGES
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import Letter, MailSink
from tests.stack import CHECKS, MAIL, WEB

SUBMISSIONS = 15
EXCHANGE_SECONDS = 0.2
# Out of step with the schedule, which looks every few seconds, so that it helps no submission by design.
BETWEEN_SECONDS = 0.7


def measure() -> Mapping[str, float]:
    name = "submit_to_mail_redis_s" if settings.REDIS_URL else "submit_to_mail_embedded_s"
    with stage.fresh_database(), Simulator() as simulator, MailSink() as sink:
        customer = stage.make_customer()
        bots = [stage.make_bot(customer, f"BTC-{number}") for number in (1, 2)]
        with stage.portal(simulator, sink, WEB, CHECKS, MAIL) as stack:
            browser = Browser(stack.url)
            stage.sign_in(browser, sink)
            simulator.behave("binance", "delay", seconds=EXCHANGE_SECONDS)
            submit(browser, simulator, sink, bots[0])  # workers open their connections
            times = []
            for number in range(SUBMISSIONS):
                time.sleep(BETWEEN_SECONDS)
                delay = exchange_seconds(simulator)
                times.append(submit(browser, simulator, sink, bots[number % 2]) - delay)
    print(
        f"  {SUBMISSIONS} submissions, {min(times):.2f} to {max(times):.2f} s, 9 of 10 within"
        f" {statistics.quantiles(times, n=10)[-1]:.2f} s"
    )
    return {name: statistics.median(times)}


def submit(browser: Browser, simulator: Simulator, sink: MailSink, bot: Bot) -> float:
    """Hand over a fresh key; seconds until its mail was accepted."""
    key, secret = secrets.token_hex(32), secrets.token_hex(32)
    simulator.register("binance", key, secret)
    path = f"/bots/{bot.pk}/key/"
    browser.get(path)
    seen = len(sink.messages)

    def is_its_mail(letter: Letter) -> bool:
        return letter.number > seen and bot.bot_id in letter.text

    begun = time.time()
    answer = browser.post(path, api_key=key, secret=secret)
    if answer.status != 302:
        raise RuntimeError(f"The key was not taken: {answer.status}")
    letter = sink.wait_for(is_its_mail, 60)
    if f"…{key[-4:]}" not in letter.text:
        raise RuntimeError(f"Another mail came: {letter.subject}")
    return letter.at.timestamp() - begun


def exchange_seconds(simulator: Simulator) -> float:
    """What the exchange itself takes for the calls of one check, at this moment on this machine."""
    (_, path), *_ = EXCHANGES["binance"].private
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _KeepsErrors())
    begun = time.perf_counter()
    opener.open(simulator.url + path, timeout=30).read()
    return (time.perf_counter() - begun) * len(EXCHANGES["binance"].private)


class _KeepsErrors(urllib.request.HTTPErrorProcessor):
    """A call without a key is answered with 400, after the same delay."""

    def http_response(self, request: object, response: object) -> object:
        return response
