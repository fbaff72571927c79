"""What holds for each exchange that is offered, over real HTTP to its simulated counterpart."""

import asyncio
import io
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from apikeys import reports
from apikeys.exchanges.base import FORBIDDEN_RIGHTS, NEEDED_RIGHTS, Credentials, KeyReport, Right, Trouble
from apikeys.exchanges.client import Client, sending
from apikeys.exchanges.client.signing import Signer
from apikeys.exchanges.guide import StepId
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import FindingCode
from apikeys.forms import KeyForm
from apikeys.models import Bot
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.exchange_simulator.exchanges import EXCHANGES as SIMULATED
from tests.exchange_simulator.exchanges import all_demo_keys
from tests.exchange_simulator.model import SimulatedKey
from tests.exchange_simulator.simulator import Simulator

EACH = pytest.mark.parametrize("exchange", EXCHANGES)
NOT_A_REPLY: list[Any] = [None, [], "ok", 1, True, {}, [[]], {"data": None}, {"result": []}]
UNAVAILABLE, UNPROVEN = FindingCode.EXCHANGE_UNAVAILABLE, FindingCode.UNPROVEN_PERMISSION


def code_of(answer: KeyReport | Trouble) -> FindingCode:
    assert isinstance(answer, Trouble), answer
    return answer.code


def test_each_offered_exchange_is_simulated() -> None:
    assert EXCHANGES.keys() == SIMULATED.keys()


@EACH
def test_it_reads_a_good_key(exchange: str, client: AskOnce, simulator: Simulator) -> None:
    report = client(exchange)
    assert isinstance(report, KeyReport), report
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert not any(report.rights[right] for right in FORBIDDEN_RIGHTS)
    assert report.unknown == ()
    assert any(
        all(report.rights[right] for right in NEEDED_RIGHTS[market]) for market in EXCHANGES[exchange].markets
    )
    seen = simulator.calls()
    assert seen[exchange]["number"] <= len(EXCHANGES[exchange].calls)
    assert seen["unknown"] == 0


@EACH
def test_it_asks_what_only_reads_and_nothing_else(
    exchange: str, client: AskOnce, simulator: Simulator
) -> None:
    client(exchange)
    simulated = SIMULATED[exchange]
    for call in simulator.calls()[exchange]["calls"]:
        assert (call["method"], call["path"]) in simulated.private
        assert call["host"] == simulated.hosts[0]


@EACH
def test_it_is_told_that_the_key_is_unknown(exchange: str, client: AskOnce) -> None:
    stranger = credentials(SIMULATED[exchange].fresh(99_999))
    assert code_of(client(exchange, stranger)) == SIMULATED[exchange].unknown_key


@EACH
def test_it_is_told_that_the_secret_is_wrong(exchange: str, client: AskOnce) -> None:
    mine, other = credentials(SIMULATED[exchange].fresh(0)), credentials(SIMULATED[exchange].fresh(99_999))
    wrong = replace(mine, secret=other.secret)
    assert code_of(client(exchange, wrong)) == SIMULATED[exchange].wrong_secret


@EACH
@pytest.mark.parametrize(
    ("do", "options", "finding"),
    [
        *(("http_status", {"status": status}, UNAVAILABLE) for status in (500, 503, 429, 404)),
        ("hang_up", {}, UNAVAILABLE),
        ("huge", {}, UNAVAILABLE),
        ("html", {}, UNPROVEN),
        ("empty", {}, UNPROVEN),
        ("half_json", {}, UNPROVEN),
        ("wrong_type", {}, UNPROVEN),
        *(("lie", {"reply": lie}, UNPROVEN) for lie in NOT_A_REPLY),
    ],
)
def test_it_loses_nothing_by_a_strange_answer(
    exchange: str,
    do: str,
    options: Mapping[str, Any],
    finding: FindingCode,
    simulator: Simulator,
    client: AskOnce,
) -> None:
    if (exchange, options.get("status")) == ("binanceus", 404):
        finding = UNPROVEN  # whether it has such a call at all is not known
    simulator.behave(exchange, do, **options)
    assert code_of(client(exchange)) == finding
    simulator.behave(exchange, "ok")
    assert isinstance(client(exchange), KeyReport)


@EACH
def test_it_waits_and_blames_nobody_where_there_were_too_many_requests(
    exchange: str, simulator: Simulator, client: AskOnce
) -> None:
    simulator.behave(exchange, "rate_limit", retry_after=7)
    answer = client(exchange)
    assert code_of(answer) == UNAVAILABLE
    assert isinstance(answer, Trouble)
    assert answer.retry_after == 7


@EACH
def test_it_never_follows_a_redirect(exchange: str, simulator: Simulator, client: AskOnce) -> None:
    simulator.behave(exchange, "redirect")
    assert code_of(client(exchange)) == UNAVAILABLE
    assert simulator.calls()["redirected"] == 0
    assert simulator.number_of_calls(exchange) == 1


@EACH
def test_it_gives_up_an_answer_that_never_ends(
    exchange: str, simulator: Simulator, client: AskOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "CALL_SECONDS", 0.5)
    simulator.behave(exchange, "drip")
    assert code_of(client(exchange)) == UNAVAILABLE


@EACH
def test_it_asks_about_200_keys_at_once_and_crosses_none(
    exchange: str, simulator: Simulator, unpaced: None
) -> None:
    """The simulated exchange checks every signature; each key's own answer tells it from all others."""
    keys = [SIMULATED[exchange].fresh(number) for number in range(200)]
    for key in keys:
        simulator.know(key)

    async def run() -> tuple[list[KeyReport | Trouble], list[KeyReport | Trouble]]:
        async with Client() as client:
            alone = [await client.ask(exchange, credentials(key)) for key in keys[:10]]
            return alone, await asyncio.gather(*(client.ask(exchange, credentials(key)) for key in keys))

    alone, together = asyncio.run(run())
    assert all(isinstance(answer, KeyReport) for answer in together), together
    assert alone == together[:10]
    told = {json.dumps(reports.as_json(report)) for report in together if isinstance(report, KeyReport)}
    assert len(told) == 200


@EACH
def test_it_keeps_no_credential_after_signing(exchange: str) -> None:
    signer, key = Signer(exchange), credentials(SIMULATED[exchange].fresh(0))
    assert signer.sign(EXCHANGES[exchange].calls[0], key) is not None
    held = repr(vars(signer._ccxt))
    assert not any(value and value in held for value in (key.api_key, key.secret, key.passphrase))


@EACH
@pytest.mark.parametrize(
    "odd",
    [
        Credentials("k\r\nX-Other: 1", "secret", "passphrase"),
        Credentials("ключ", "секрет", "пароль"),
        Credentials("key", "\ud800", "passphrase"),
        Credentials("key", "-----BEGIN PRIVATE KEY-----\nnot one\n-----END PRIVATE KEY-----", "passphrase"),
    ],
)
def test_it_sends_nothing_for_credentials_that_cannot_be_signed(
    exchange: str, odd: Credentials, simulator: Simulator, client: AskOnce
) -> None:
    answer = client(exchange, odd)
    # Where the exchange's secrets are any text at all, a strange one is signed with, and does not fit.
    assert isinstance(answer, Trouble)
    assert answer.code in (FindingCode.MALFORMED, SIMULATED[exchange].unknown_key)
    if answer.code is FindingCode.MALFORMED:
        assert simulator.number_of_calls(exchange) == 0


@EACH
@pytest.mark.parametrize(
    "do", ["ok", "hang_up", "html", "redirect", "wrong_type", "http_status", "wrong_secret"]
)
def test_it_writes_no_secret_into_any_log(
    exchange: str, do: str, simulator: Simulator, client: AskOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "level", logging.DEBUG)
    for name in ("ccxt", "aiohttp", "asyncio", "urllib3"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    logging.root.addHandler(handler)
    key = credentials(SIMULATED[exchange].fresh(0))
    if do == "wrong_secret":
        key = replace(key, secret=SIMULATED[exchange].fresh(99_999).secret)
    else:
        simulator.behave(exchange, do)
    try:
        logging.getLogger("aiohttp").debug("the handler hears this")
        answer = client(exchange, key)
    finally:
        logging.root.removeHandler(handler)
    assert "the handler hears this" in logged.getvalue()
    for kept in (logged.getvalue(), repr(answer)):
        assert key.api_key not in kept
        assert key.secret not in kept
        assert not key.passphrase or key.passphrase not in kept
        assert "signature=" not in kept.lower()


@EACH
def test_it_goes_by_the_exchange_s_clock_where_ours_is_wrong(
    exchange: str, simulator: Simulator, client: AskOnce, caplog: pytest.LogCaptureFixture
) -> None:
    if EXCHANGES[exchange].clock is None:
        pytest.skip("This exchange takes any nonce that rises, and tells no time.")
    simulator.set_clock(5_000_000)
    try:
        assert isinstance(client(exchange), KeyReport)
    finally:
        simulator.set_clock(0)
    assert "ms away from that of" in caplog.text


@EACH
def test_its_form_takes_the_demo_s_keys(exchange: str) -> None:
    for key in SIMULATED[exchange].demo_keys.values():
        bot = Bot(bot_id="0x1A2 / JaneDoe / BTC-1", exchange=exchange, market="spot")
        form = KeyForm(bot, {"api_key": key.api_key, "secret": key.secret, "passphrase": key.passphrase})
        assert form.is_valid(), form.errors
        assert form.credentials == credentials(key)


@EACH
def test_it_has_demo_keys_of_every_kind(exchange: str, simulator: Simulator, client: AskOnce) -> None:
    keys = SIMULATED[exchange].demo_keys
    assert {"old", "good", "can_withdraw", "read_only"} <= keys.keys()
    for key in keys.values():
        simulator.know(key)
    assert reading(client, keys["can_withdraw"]).rights[Right.WITHDRAW] is True
    trades = (Right.SPOT, Right.DERIVATIVES)
    assert not any(reading(client, keys["read_only"]).rights[right] for right in trades)
    for name in ("good", "old"):
        report = reading(client, keys[name])
        assert any(report.rights[right] for right in trades)
        assert not any(report.rights[right] for right in FORBIDDEN_RIGHTS)
    same_account = {reading(client, keys[name]).account_id for name in ("good", "old")}
    assert len(same_account) == 1


def reading(client: AskOnce, key: SimulatedKey) -> KeyReport:
    report = client(key.exchange, credentials(key))
    assert isinstance(report, KeyReport), report
    return report


def test_no_two_demo_keys_are_the_same() -> None:
    assert len({key.api_key for key in all_demo_keys()}) == len(all_demo_keys())


@EACH
def test_it_guides_through_every_step_that_a_refusal_may_point_to(exchange: str) -> None:
    adapter = EXCHANGES[exchange]
    for market in adapter.markets:
        ids = [step.id for step in adapter.guide.for_market(market)]
        assert len(ids) == len(set(ids))
        wanted = {StepId.SIGN_IN, StepId.WAY, StepId.NAME, StepId.ADDRESSES, StepId.RIGHTS, StepId.CONFIRM}
        assert wanted | {StepId.PASTE} <= set(ids)
        assert (StepId.PASSPHRASE in ids) is adapter.shape.passphrase
        assert ids[-1] is StepId.PASTE


@EACH
def test_it_names_the_boxes_of_what_is_needed_and_of_what_never(exchange: str) -> None:
    adapter = EXCHANGES[exchange]
    trades = {"spot": Right.SPOT, "derivatives": Right.DERIVATIVES}
    assert all(trades[market.value] in adapter.labels for market in adapter.markets)
    assert Right.WITHDRAW in adapter.labels


# Every path that any adapter can call, beside its clock: questions about the key or its account, all of them.
EVERY_CALL = {
    ("binance", "GET", "account/apiRestrictions"),
    ("binance", "GET", "account"),
    ("binanceus", "GET", "account/apiRestrictions"),
    ("binanceus", "GET", "account"),
    ("bingx", "GET", "account/apiPermissions"),
    ("bingx", "GET", "uid"),
    ("bingx", "GET", "apiKey/query"),
    ("bitfinex", "POST", "auth/r/permissions"),
    ("bitfinex", "POST", "auth/r/info/user"),
    ("bitget", "GET", "v2/spot/account/info"),
    ("bitget", "GET", "v3/account/info"),
    ("bybit", "GET", "v5/user/query-api"),
    ("bybiteu", "GET", "v5/user/query-api"),
    ("coinbase", "GET", "brokerage/key_permissions"),
    ("gate", "GET", "main_keys"),
    ("gate", "GET", "detail"),
    ("kucoin", "GET", "user/api-key"),
    ("htx", "GET", "v2/user/uid"),
    ("htx", "GET", "v2/user/api-key"),
    ("kraken", "POST", "GetApiKeyInfo"),
    ("mexc", "GET", "apiKeyInfo"),
    ("mexc", "GET", "uid"),
    ("okx", "GET", "account/config"),
}


def test_it_can_call_nothing_that_is_not_listed_here() -> None:
    found = set()
    for name, adapter in EXCHANGES.items():
        questions = [*adapter.calls, *(place.question for place in adapter.elsewhere)]
        found |= {(name, call.method, call.path) for call in questions}
    assert found == EVERY_CALL
    # POST is how these two ask; nothing is placed, moved or changed by it.
    assert {name for name, method, _ in found if method != "GET"} <= {"kraken", "bitfinex"}


@EACH
def test_it_asks_each_question_at_the_exchange_s_own_host(exchange: str) -> None:
    signer, key = Signer(exchange), credentials(SIMULATED[exchange].fresh(0))
    for call in EXCHANGES[exchange].calls:
        signed = signer.sign(call, key)
        assert signed is not None
        assert signed.url.startswith(f"https://{SIMULATED[exchange].hosts[0]}/")
    for host in EXCHANGES[exchange].hosts:
        assert host.name in SIMULATED[exchange].hosts
