"""The client against the simulated exchange, over real HTTP."""

import asyncio
import io
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pytest_django import Settings

from apikeys.exchanges import client as client_module
from apikeys.exchanges import pace
from apikeys.exchanges.base import Credentials, KeyReport, Right, Trouble
from apikeys.exchanges.client import Client, ask, ask_async
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import FindingCode
from tests.exchange_simulator.demo_keys import DEMO_KEYS, all_demo_keys
from tests.exchange_simulator.replies import EXCHANGES as REPLYING
from tests.exchange_simulator.simulator import Simulator

KEYS = {
    "binance": Credentials("BiNaNcEk3y".ljust(64, "k"), "SeCrEtOfBiNaNcE".ljust(64, "s")),
    "bybit": Credentials("ByBiTk3y".ljust(18, "k"), "SeCrEtOfByBiT".ljust(36, "s")),
}
NOT_A_REPLY: list[Any] = [None, [], "ok", 1, True, {}]
BOTH = pytest.mark.parametrize("exchange", ["binance", "bybit"])


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(running: Simulator, settings: Settings) -> Iterator[Simulator]:
    settings.EXCHANGE_BASE_URLS = running.base_urls()
    running.reset()
    for exchange, key in KEYS.items():
        running.register(exchange, key.api_key, key.secret)
    yield running
    running.reset()


@pytest.fixture
def client(simulator: Simulator) -> Callable[..., KeyReport | Trouble]:
    """Asks with a client of its own, so that no pause of another test is left."""

    def ask_once(exchange: str, credentials: Credentials | None = None) -> KeyReport | Trouble:
        async def run() -> KeyReport | Trouble:
            async with Client() as client:
                return await client.ask(exchange, credentials or KEYS[exchange])

        return asyncio.run(run())

    return ask_once


def code_of(answer: KeyReport | Trouble) -> FindingCode:
    assert isinstance(answer, Trouble)
    return answer.code


@BOTH
def test_it_reads_a_good_key_with_one_call(exchange: str, simulator: Simulator) -> None:
    report = ask(exchange, KEYS[exchange])
    assert isinstance(report, KeyReport)
    assert report.rights[Right.SPOT] is True
    assert report.rights[Right.WITHDRAW] is False
    assert simulator.number_of_calls(exchange) == 1


@pytest.mark.parametrize(
    ("exchange", "reply", "right"),
    [
        ("binance", {"enableWithdrawals": True}, Right.WITHDRAW),
        ("bybit", {"permissions": {"Wallet": ["AccountTransfer"]}}, Right.TRANSFER),
    ],
)
def test_it_reads_what_the_exchange_said(
    exchange: str, reply: dict[str, Any], right: Right, simulator: Simulator, client: Any
) -> None:
    simulator.register(exchange, KEYS[exchange].api_key, KEYS[exchange].secret, **reply)
    report = client(exchange)
    assert isinstance(report, KeyReport)
    assert report.rights[right] is True


@BOTH
def test_it_is_told_that_the_secret_is_wrong(exchange: str, client: Any) -> None:
    wrong = Credentials(KEYS[exchange].api_key, KEYS[exchange].secret[::-1])
    assert code_of(client(exchange, wrong)) == FindingCode.BAD_SIGNATURE


@BOTH
def test_it_is_told_that_the_key_is_unknown(exchange: str, client: Any) -> None:
    wrong = Credentials(KEYS[exchange].api_key[::-1], KEYS[exchange].secret)
    assert code_of(client(exchange, wrong)) == FindingCode.NOT_FOUND


@pytest.mark.parametrize(
    ("exchange", "code", "finding"),
    [
        ("binance", -2015, FindingCode.INVALID_CREDENTIALS),
        ("binance", -1021, FindingCode.CLOCK),
        ("bybit", 10010, FindingCode.IP_BLOCKED),
        ("bybit", 33004, FindingCode.EXPIRED),
    ],
)
def test_it_gives_the_exchange_s_own_code(
    exchange: str, code: int, finding: FindingCode, simulator: Simulator, client: Any
) -> None:
    simulator.behave(exchange, "refuse", code=code)
    assert client(exchange) == Trouble(finding, str(code))


@BOTH
@pytest.mark.parametrize(
    ("do", "options", "finding"),
    [
        ("http_status", {"status": 503}, FindingCode.EXCHANGE_UNAVAILABLE),
        ("http_status", {"status": 500}, FindingCode.EXCHANGE_UNAVAILABLE),
        ("http_status", {"status": 451}, FindingCode.EXCHANGE_UNAVAILABLE),
        ("http_status", {"status": 403}, FindingCode.EXCHANGE_UNAVAILABLE),
        ("hang_up", {}, FindingCode.EXCHANGE_UNAVAILABLE),
        ("huge", {}, FindingCode.EXCHANGE_UNAVAILABLE),
        ("html", {}, FindingCode.UNPROVEN_PERMISSION),
        ("empty", {}, FindingCode.UNPROVEN_PERMISSION),
        ("half_json", {}, FindingCode.UNPROVEN_PERMISSION),
        ("wrong_type", {}, FindingCode.UNPROVEN_PERMISSION),
        *(("lie", {"reply": lie}, FindingCode.UNPROVEN_PERMISSION) for lie in NOT_A_REPLY),
    ],
)
def test_it_loses_nothing_by_a_strange_answer(
    exchange: str, do: str, options: dict[str, Any], finding: FindingCode, simulator: Simulator, client: Any
) -> None:
    simulator.behave(exchange, do, **options)
    assert code_of(client(exchange)) == finding
    simulator.behave(exchange, "ok")
    assert isinstance(client(exchange), KeyReport)


@BOTH
def test_it_never_follows_a_redirect(exchange: str, simulator: Simulator, client: Any) -> None:
    simulator.behave(exchange, "redirect")
    assert code_of(client(exchange)) == FindingCode.EXCHANGE_UNAVAILABLE
    assert simulator.calls()["redirected"] == 0
    assert simulator.number_of_calls(exchange) == 1


@BOTH
@pytest.mark.parametrize("do", ["drip", "hold"])
def test_it_gives_up_an_answer_that_never_ends(
    exchange: str, do: str, simulator: Simulator, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "CALL_SECONDS", 0.7)
    simulator.behave(exchange, do)
    started = time.monotonic()
    assert code_of(client(exchange)) == FindingCode.EXCHANGE_UNAVAILABLE
    assert 0.6 < time.monotonic() - started < 3


def test_it_lets_a_caller_wait_no_longer_than_it_says(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "ASK_SECONDS", 0.3)
    simulator.behave("binance", "hold")
    assert code_of(ask("binance", KEYS["binance"])) == FindingCode.EXCHANGE_UNAVAILABLE


def test_it_waits_for_an_answer_that_is_late(simulator: Simulator, client: Any) -> None:
    simulator.behave("binance", "delay", seconds=0.4)
    started = time.monotonic()
    assert isinstance(client("binance"), KeyReport)
    assert time.monotonic() - started >= 0.4


def test_it_finds_nobody_at_home(client: Any, settings: Settings) -> None:
    settings.EXCHANGE_BASE_URLS = {"binance": "http://127.0.0.1:9"}
    assert client("binance") == Trouble(FindingCode.EXCHANGE_UNAVAILABLE)


@pytest.mark.parametrize(("told", "read"), [("7", 7.0), (None, None), ("soon", None), ("9" * 400, 999999.0)])
def test_it_reads_when_to_come_back(
    told: str | None, read: float | None, simulator: Simulator, client: Any
) -> None:
    simulator.behave("binance", "rate_limit", retry_after=told)
    answer = client("binance")
    assert (answer.code, answer.retry_after) == (FindingCode.EXCHANGE_UNAVAILABLE, read)


def test_it_asks_nobody_while_the_exchange_said_stop(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LONGEST_PAUSE", 0.3)

    async def run() -> None:
        async with Client() as client:
            simulator.behave("binance", "rate_limit", retry_after=30)
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
    assert time.monotonic() - started >= 10 * pace.PACES["bybit"]


def test_it_signs_each_of_200_keys_with_its_own_secret(simulator: Simulator) -> None:
    mine = [
        Credentials(f"K{number:03}".ljust(64, "k"), f"S{number:03}".ljust(64, "s")) for number in range(200)
    ]
    for number, key in enumerate(mine):
        # The answer carries the key's number, so that an answer for another key would be seen as well.
        simulator.register("binance", key.api_key, key.secret, createTime=(number + 1) * 86_400_000)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda key: ask("binance", key), mine))
    for number, answer in enumerate(answers):
        assert isinstance(answer, KeyReport), answer
        assert answer.created_at is not None
        assert answer.created_at.timestamp() == (number + 1) * 86_400
    assert simulator.number_of_calls("binance") == 200


def test_it_sends_200_bybit_keys_at_once_and_crosses_none(simulator: Simulator) -> None:
    mine = [
        Credentials(f"K{number:03}".ljust(18, "k"), f"S{number:03}".ljust(36, "s")) for number in range(200)
    ]
    for number, key in enumerate(mine):
        simulator.register("bybit", key.api_key, key.secret, userID=number + 1)

    async def run() -> list[KeyReport | Trouble]:
        async with Client() as client:
            return await asyncio.gather(*(client.ask("bybit", key) for key in mine))

    for number, answer in enumerate(asyncio.run(run())):
        assert isinstance(answer, KeyReport), answer
        assert answer.account_id == str(number + 1)


def test_it_keeps_no_credential_after_signing(simulator: Simulator) -> None:
    async def run() -> None:
        async with Client() as client:
            for exchange, key in KEYS.items():
                await client.ask(exchange, key)
            for signer in client._signers.values():
                held = repr(vars(signer._ccxt))
                assert not any(key.secret in held or key.api_key in held for key in KEYS.values())

    asyncio.run(run())


@BOTH
@pytest.mark.parametrize(
    "odd",
    [
        Credentials("", ""),
        Credentials("k\r\nX-Other: 1", "secret"),
        Credentials("ключ", "секрет"),
        Credentials("key", "\ud800"),
        Credentials("key", "-----BEGIN PRIVATE KEY-----\nnot one\n-----END PRIVATE KEY-----"),
    ],
)
def test_it_sends_nothing_for_credentials_that_cannot_be_signed(
    exchange: str, odd: Credentials, simulator: Simulator, client: Any
) -> None:
    assert client(exchange, odd) == Trouble(FindingCode.MALFORMED)
    assert simulator.number_of_calls(exchange) == 0


def test_it_serves_a_caller_with_a_loop_of_its_own(simulator: Simulator) -> None:
    assert isinstance(asyncio.run(ask_async("bybit", KEYS["bybit"])), KeyReport)


def test_it_uses_one_thread_however_many_ask(simulator: Simulator) -> None:
    for exchange in KEYS:
        ask(exchange, KEYS[exchange])
    assert [thread.name for thread in threading.enumerate()].count("exchange-client") == 1


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


@BOTH
@pytest.mark.parametrize(
    ("do", "options"),
    [
        ("ok", {}),
        ("hang_up", {}),
        ("huge", {}),
        ("html", {}),
        ("redirect", {}),
        ("wrong_type", {}),
        ("http_status", {}),
        ("drip", {}),
        ("wrong_secret", {}),
    ],
)
def test_it_writes_no_secret_into_any_log(
    exchange: str,
    do: str,
    options: dict[str, Any],
    simulator: Simulator,
    client: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_module, "CALL_SECONDS", 0.5)
    monkeypatch.setattr(logging.root, "level", logging.DEBUG)
    for name in ("ccxt", "aiohttp", "asyncio", "urllib3"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    logging.root.addHandler(handler)
    key = KEYS[exchange]
    if do == "wrong_secret":
        key = Credentials(key.api_key, key.secret[::-1])
    else:
        simulator.behave(exchange, do, **options)
    try:
        logging.getLogger("aiohttp").debug("the handler hears this")
        answer = client(exchange, key)
    finally:
        logging.root.removeHandler(handler)
    assert "the handler hears this" in logged.getvalue()
    for kept in (logged.getvalue(), repr(answer)):
        assert key.api_key not in kept
        assert key.secret not in kept
        assert "signature" not in kept


def test_it_hides_credentials_and_requests_from_repr() -> None:
    key = KEYS["binance"]
    signed = client_module._Signer("binance").sign(EXCHANGES["binance"].question, key)
    assert signed is not None
    assert key.api_key in str(signed.headers)
    assert key.api_key not in repr(signed)
    assert repr(key) == "Credentials()"


@pytest.mark.parametrize(
    ("url", "moved"),
    [
        ("https://api.bybit.com/v5/user/query-api?", "http://127.0.0.1:1/v5/user/query-api?"),
        ("https://api.binance.com/a/b?c=%2F&d=e/f", "http://127.0.0.1:1/a/b?c=%2F&d=e/f"),
    ],
)
def test_it_changes_nothing_of_an_address_but_where_it_goes(url: str, moved: str) -> None:
    assert client_module._at("http://127.0.0.1:1", url) == moved


@pytest.mark.parametrize("body", [b"[" * 200_000, b"1" * 5000, b"\xff\xfe", b'{"a": ', b"", b"null"])
@BOTH
def test_it_proves_nothing_by_json_that_cannot_be_trusted(exchange: str, body: bytes) -> None:
    answer = client_module._read(EXCHANGES[exchange], client_module._Reply(200, body, None))
    assert code_of(answer) == FindingCode.UNPROVEN_PERMISSION


def test_it_proves_nothing_by_a_reply_that_says_two_things_of_one_right() -> None:
    key = DEMO_KEYS["binance"]["good"]
    said = json.dumps(REPLYING["binance"].reply(key))
    once = client_module._Reply(200, said.encode(), None)
    twice = client_module._Reply(200, said.replace("{", '{"enableWithdrawals": true, ').encode(), None)
    assert isinstance(client_module._read(EXCHANGES["binance"], once), KeyReport)
    assert code_of(client_module._read(EXCHANGES["binance"], twice)) == FindingCode.UNPROVEN_PERMISSION


def test_it_tells_of_an_error_nothing_but_its_kind(
    client: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def quote(_: Client, signed: Any, base_url: str | None) -> None:
        raise RuntimeError(f"{signed.url} {signed.headers}")

    monkeypatch.setattr(Client, "_send", quote)
    with caplog.at_level(logging.DEBUG):
        assert client("binance") == Trouble(FindingCode.EXCHANGE_UNAVAILABLE)
    assert "RuntimeError" in caplog.text
    assert KEYS["binance"].api_key not in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize(
    ("exchange", "name", "finding"),
    [
        ("binance", "can_withdraw", (Right.WITHDRAW, True)),
        ("binance", "read_only", (Right.SPOT, False)),
        ("bybit", "can_withdraw", (Right.WITHDRAW, True)),
        ("bybit", "read_only", (Right.DERIVATIVES, False)),
        ("bybit", "good", (Right.DERIVATIVES, True)),
        ("bybit", "spare", (Right.TRANSFER, False)),
        ("binance", "good", (Right.TRANSFER, False)),
    ],
)
def test_it_gets_from_the_demo_keys_what_they_are_named_for(
    exchange: str, name: str, finding: tuple[Right, bool], settings: Settings, client: Any
) -> None:
    key = DEMO_KEYS[exchange][name]
    with Simulator(keys=all_demo_keys()) as demo:
        settings.EXCHANGE_BASE_URLS = demo.base_urls()
        report = client(exchange, Credentials(key.api_key, key.secret))
    assert isinstance(report, KeyReport)
    assert report.rights[finding[0]] is finding[1]
    assert report.unknown == ()


def test_it_has_demo_keys_that_the_form_would_take() -> None:
    for key in all_demo_keys():
        assert len(key.api_key) == {"binance": 64, "bybit": 18}[key.exchange]
        assert key.api_key.isalnum()
        assert key.secret.isalnum()
    assert len({key.api_key for key in all_demo_keys()}) == len(all_demo_keys())
