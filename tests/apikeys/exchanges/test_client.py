"""The client's own promises, shown on one or two exchanges; what holds for each is in test_every_exchange."""

import asyncio
import json
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from apikeys.exchanges import pace
from apikeys.exchanges.adapter import Call, Reply
from apikeys.exchanges.base import Credentials, KeyReport, Trouble
from apikeys.exchanges.client import Client, ask, ask_async, asking, sending
from apikeys.exchanges.client.sending import Answer
from apikeys.exchanges.client.signing import Signer
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import FindingCode
from tests.apikeys.conversing import converse
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.exchange_simulator.exchanges import EXCHANGES as SIMULATED
from tests.exchange_simulator.model import Asked, SimulatedKey
from tests.exchange_simulator.simulator import Simulator

KEYS = {name: credentials(SIMULATED[name].fresh(0)) for name in ("binance", "bybit")}
BOTH = pytest.mark.parametrize("exchange", KEYS)


def code_of(answer: KeyReport | Trouble) -> FindingCode:
    assert isinstance(answer, Trouble)
    return answer.code


@pytest.mark.parametrize(
    ("exchange", "code", "finding"),
    [
        ("binance", "-1022", FindingCode.BAD_SIGNATURE),
        ("bybit", "10010", FindingCode.IP_BLOCKED),
        ("bybit", "33004", FindingCode.EXPIRED),
    ],
)
def test_it_gives_the_exchange_s_own_code(
    exchange: str, code: str, finding: FindingCode, simulator: Simulator, client: AskOnce
) -> None:
    simulator.behave(exchange, "refuse", code=code)
    assert client(exchange) == Trouble(finding, code, outage=False)


def test_it_lets_a_caller_wait_no_longer_than_it_says(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ASK_SECONDS", 0.3)
    simulator.behave("binance", "hold")
    assert code_of(ask("binance", KEYS["binance"])) == FindingCode.EXCHANGE_UNAVAILABLE


def test_it_waits_for_an_answer_that_is_late(simulator: Simulator, client: AskOnce) -> None:
    simulator.behave("bybit", "delay", seconds=0.4)
    started = time.monotonic()
    assert isinstance(client("bybit"), KeyReport)
    assert time.monotonic() - started >= 0.4


def test_it_finds_nobody_at_home(client: AskOnce, settings: Settings) -> None:
    settings.EXCHANGE_BASE_URLS = {"binance": "http://127.0.0.1:9"}
    assert client("binance") == Trouble(FindingCode.EXCHANGE_UNAVAILABLE, outage=True)


@pytest.mark.parametrize(("told", "read"), [("7", 7.0), (None, None), ("soon", None), ("9" * 400, 999999.0)])
def test_it_reads_when_to_come_back(
    told: str | None, read: float | None, simulator: Simulator, client: AskOnce
) -> None:
    simulator.behave("binance", "rate_limit", retry_after=told)
    answer = client("binance")
    assert isinstance(answer, Trouble)
    assert (answer.code, answer.retry_after) == (FindingCode.EXCHANGE_UNAVAILABLE, read)
    assert answer.outage


@pytest.mark.parametrize(
    ("do", "options", "outage"),
    [
        ("http_status", {"status": 503}, True),
        ("hang_up", {}, True),
        ("redirect", {}, True),
        # What one key could bring about by itself.
        ("refuse", {"code": "-9999"}, False),
        ("huge", {}, False),
        ("html", {}, False),
    ],
)
def test_it_tells_an_exchange_that_is_away_from_one_that_answers_oddly(
    do: str, options: dict[str, Any], outage: bool, simulator: Simulator, client: AskOnce
) -> None:
    simulator.behave("binance", do, **options)
    answer = client("binance")
    assert isinstance(answer, Trouble)
    assert answer.outage is outage


@pytest.mark.parametrize("told", [30, None])
def test_it_asks_nobody_while_the_exchange_said_stop(
    told: int | None, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LONGEST_PAUSE", 0.3)

    async def run() -> None:
        async with Client() as client:
            simulator.behave("binance", "rate_limit", retry_after=told)
            await client.ask("binance", KEYS["binance"])
            simulator.behave("binance", "ok")
            held_back = await client.ask("binance", KEYS["binance"])
            assert code_of(held_back) == FindingCode.EXCHANGE_UNAVAILABLE
            assert isinstance(held_back, Trouble)
            assert held_back.retry_after is not None
            assert 0 < held_back.retry_after <= 0.3
            assert simulator.number_of_calls("binance") == 1
            await asyncio.sleep(0.35)
            assert isinstance(await client.ask("binance", KEYS["binance"]), KeyReport)

    asyncio.run(run())


def test_it_keeps_the_pace(simulator: Simulator) -> None:
    async def run() -> None:
        async with Client() as client:
            await asyncio.gather(*(client.ask("bybit", KEYS["bybit"]) for _ in range(11)))

    started = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - started >= 10 / EXCHANGES["bybit"].calls_per_second


def test_threads_of_one_process_cross_no_keys(simulator: Simulator) -> None:
    mine = [SIMULATED["bybit"].fresh(number) for number in range(100)]
    for key in mine:
        simulator.know(key)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda key: ask("bybit", credentials(key)), mine))
    for number, answer in enumerate(answers):
        assert isinstance(answer, KeyReport), answer
        assert answer.account_id == str(number + 1)


def test_it_serves_a_caller_with_a_loop_of_its_own(simulator: Simulator) -> None:
    assert isinstance(asyncio.run(ask_async("bybit", KEYS["bybit"])), KeyReport)


def test_it_uses_one_thread_however_many_ask(simulator: Simulator) -> None:
    def number() -> int:
        return [thread.name for thread in threading.enumerate()].count("exchange-client")

    ask("binance", KEYS["binance"])
    of_one = number()  # sweeps have a client of their own, which another test may have begun
    for exchange in KEYS:
        ask(exchange, KEYS[exchange])
    assert of_one == number() >= 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_it_asks_from_a_forked_child(simulator: Simulator) -> None:
    ask("binance", KEYS["binance"])
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            told = isinstance(ask("binance", KEYS["binance"]), KeyReport)
            os.write(writing, b"yes" if told else b"no")
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "yes"
    assert os.waitpid(child, 0)[1] == 0
    assert isinstance(ask("binance", KEYS["binance"]), KeyReport)


def test_it_hides_credentials_and_requests_from_repr() -> None:
    key = KEYS["binance"]
    signed = Signer("binance").sign(EXCHANGES["binance"].calls[0], key)
    assert signed is not None
    assert key.api_key in str(signed.headers)
    assert key.api_key not in repr(signed)
    assert repr(key) == "Credentials()"
    assert key.api_key not in repr(Call("path", ("private",), params={"accessKey": key.api_key}))


@pytest.mark.parametrize(
    ("url", "moved"),
    [
        ("https://api.bybit.com/v5/user/query-api?", "http://127.0.0.1:1/v5/user/query-api?"),
        ("https://api.binance.com/a/b?c=%2F&d=e/f", "http://127.0.0.1:1/a/b?c=%2F&d=e/f"),
    ],
)
def test_it_changes_nothing_of_an_address_but_where_it_goes(url: str, moved: str) -> None:
    assert sending.at("http://127.0.0.1:1", url) == moved


@pytest.mark.parametrize("body", [b"[" * 200_000, b"1" * 5000, b"\xff\xfe", b'{"a": ', b"", b"null"])
@BOTH
def test_it_proves_nothing_by_json_that_cannot_be_trusted(exchange: str, body: bytes) -> None:
    reply = Reply(200, Answer(200, body).decoded())
    answer, _ = converse(EXCHANGES[exchange], reply)
    assert code_of(answer) == FindingCode.UNPROVEN_PERMISSION


def test_it_proves_nothing_by_a_reply_that_says_two_things_of_one_right() -> None:
    key = SIMULATED["binance"].fresh(0)
    asked = Asked("GET", "", "", {}, {}, "", "")
    said = json.dumps(SIMULATED["binance"].private["GET", "/sapi/v1/account/apiRestrictions"](key, asked))
    twice = said.replace("{", '{"enableWithdrawals": true, ')
    assert Answer(200, said.encode()).decoded() is not None
    assert Answer(200, twice.encode()).decoded() is None


def test_it_tells_of_an_error_nothing_but_its_kind(
    client: AskOnce, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def quote(_: Any, signed: Any, **__: Any) -> None:
        raise RuntimeError(f"{signed.url} {signed.headers}")

    monkeypatch.setattr(sending.Sender, "send", quote)
    with caplog.at_level(logging.DEBUG):
        assert code_of(client("binance")) == FindingCode.EXCHANGE_UNAVAILABLE
    assert "RuntimeError" in caplog.text
    assert KEYS["binance"].api_key not in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


# Regions and other sites


def at_host(exchange: str, host: str, number: int) -> SimulatedKey:
    key = SIMULATED[exchange].fresh(number)
    return SimulatedKey(exchange, key.api_key, key.secret, key.reply, key.passphrase, key.more, host)


def test_it_finds_the_region_that_knows_a_key_and_keeps_its_code(
    simulator: Simulator, client: AskOnce
) -> None:
    key = at_host("bybit", "api.bybit.kz", 300)
    simulator.know(key)
    report = client("bybit", credentials(key))
    assert isinstance(report, KeyReport)
    assert report.region == "kazakhstan"
    before = simulator.number_of_calls("bybit")
    again = client("bybit", credentials(key), "kazakhstan")
    assert again == report
    assert simulator.number_of_calls("bybit") == before + 1


def test_it_takes_a_region_s_refusal_for_an_answer(simulator: Simulator, client: AskOnce) -> None:
    """A key that its region knows and refuses is no unknown key."""
    key = at_host("bybit", "api.bybit.ae", 301)
    simulator.know(key)
    wrong = Credentials(key.api_key, KEYS["bybit"].secret)
    assert code_of(client("bybit", wrong)) == FindingCode.BAD_SIGNATURE


OTHER_HOST = [
    ("html", {}),
    ("empty", {}),
    ("half_json", {}),
    ("http_status", {"status": 401}),
    ("http_status", {"status": 403}),
    ("http_status", {"status": 503}),
    ("rate_limit", {"retry_after": None}),
    ("refuse", {"code": "10002"}),
    ("hang_up", {}),
    ("redirect", {}),
    ("hold", {}),
]


@pytest.mark.parametrize(("do", "options"), OTHER_HOST)
def test_a_report_counts_for_more_than_what_another_region_sends(
    do: str,
    options: dict[str, Any],
    simulator: Simulator,
    client: AskOnce,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "LOOK_SECONDS", 2.0)
    key = at_host("bybit", "api.bybit.kz", 307)
    simulator.know(key)
    simulator.behave("bybit", do, host="api.bybit.nl", **options)
    report = client("bybit", credentials(key))
    assert isinstance(report, KeyReport), report
    assert report.region == "kazakhstan"


@pytest.mark.parametrize(("do", "options"), OTHER_HOST)
def test_it_says_that_a_region_which_may_know_the_key_gave_no_answer(
    do: str,
    options: dict[str, Any],
    simulator: Simulator,
    client: AskOnce,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "LOOK_SECONDS", 2.0)
    stranger = credentials(SIMULATED["bybit"].fresh(308))
    assert client("bybit", stranger) == Trouble(FindingCode.NOT_FOUND, "10003", outage=False)
    simulator.behave("bybit", do, host="api.bybit.kz", **options)
    assert client("bybit", stranger) == Trouble(FindingCode.NOT_FOUND, "10003", outage=False, unheard=True)


def test_a_region_has_its_time_for_an_answer_once_it_is_its_turn(
    simulator: Simulator, client: AskOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue of ours is not the silence of a region."""
    monkeypatch.setattr(asking, "LOOK_SECONDS", 0.5)
    monkeypatch.setitem(EXCHANGES, "okx", replace(EXCHANGES["okx"], calls_per_second=1))
    key = at_host("okx", "us.okx.com", 309)
    simulator.know(key)
    report = client("okx", credentials(key))
    assert isinstance(report, KeyReport), report
    assert report.region == "us"


@pytest.mark.parametrize(
    ("number", "exchange", "host", "code", "name"),
    [
        (303, "binance", "testnet.binance.vision", FindingCode.WRONG_ENVIRONMENT, "Binance's testnet"),
        (304, "binance", "demo-api.binance.com", FindingCode.WRONG_ENVIRONMENT, "Binance's demo trading"),
        (305, "bybit", "api-testnet.bybit.com", FindingCode.WRONG_ENVIRONMENT, "Bybit's testnet"),
        (306, "bybit", "api-demo.bybit.com", FindingCode.WRONG_ENVIRONMENT, "Bybit's demo trading"),
    ],
)
def test_it_says_where_a_key_belongs_that_does_not_belong_here(
    number: int,
    exchange: str,
    host: str,
    code: FindingCode,
    name: str,
    simulator: Simulator,
    client: AskOnce,
) -> None:
    key = at_host(exchange, host, number)
    simulator.know(key)
    answer = client(exchange, credentials(key))
    assert isinstance(answer, Trouble)
    assert (answer.code, answer.belongs_to) == (code, name)


def test_a_region_that_is_away_does_not_hold_up_the_answer(
    simulator: Simulator, client: AskOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "LOOK_SECONDS", 0.3)
    stranger = credentials(SIMULATED["binance"].fresh(302))
    simulator.behave("binance", "hold", path="/api/v3/account")
    assert code_of(client("binance", stranger)) == FindingCode.NOT_FOUND
