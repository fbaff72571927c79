"""Kraken and Bitfinex number the calls of a key, and the bot uses the same key: in milliseconds, as a bot
counts, never ahead of the clock.
"""

import re
import time
from unittest import mock

import pytest

from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import Credentials, Trouble
from apikeys.exchanges.client.signing import Signer
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import RETRIED
from tests.apikeys.conversing import answer
from tests.exchange_simulator.exchanges import EXCHANGES as SIMULATED

COUNTING = ["kraken", "bitfinex"]


def number_of(exchange: str, signer: Signer) -> int:
    known = SIMULATED[exchange].fresh(0)
    signed = signer.sign(EXCHANGES[exchange].calls[0], Credentials(known.api_key, known.secret))
    assert signed is not None
    (number,) = {
        *re.findall(r"nonce=(\d+)", signed.body or ""),
        *filter(None, [signed.headers.get("bfx-nonce")]),
    }
    return int(number)


@pytest.mark.parametrize("exchange", COUNTING)
def test_it_counts_in_milliseconds_and_never_ahead_of_the_clock(exchange: str) -> None:
    signer = Signer(exchange)
    before = int(time.time() * 1000)
    numbers = [number_of(exchange, signer) for _ in range(200)]
    after = int(time.time() * 1000)
    assert before <= min(numbers) <= max(numbers) <= after


@pytest.mark.parametrize("exchange", COUNTING)
def test_a_clock_that_was_ahead_shuts_no_bot_out_for_longer(exchange: str) -> None:
    signer = Signer(exchange)
    now = time.time()
    with mock.patch("apikeys.exchanges.client.signing.time.time", return_value=now + 3600):
        assert number_of(exchange, signer) == int((now + 3600) * 1000)
    assert number_of(exchange, signer) <= time.time() * 1000


@pytest.mark.parametrize("exchange", COUNTING)
def test_a_number_that_was_too_low_proves_nothing(exchange: str) -> None:
    code = {"kraken": "EAPI:Invalid nonce", "bitfinex": "10114"}[exchange]
    refusal = SIMULATED[exchange].refusal(code)
    found = answer(EXCHANGES[exchange], Reply(refusal.status, refusal.body))
    assert isinstance(found, Trouble)
    assert found.code in RETRIED
    assert not found.outage
