"""What is Coinbase's own: three flags, key files of one kind, and one answer for four faults."""

import asyncio
import json
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from django.core.files.uploadedfile import SimpleUploadedFile

from apikeys.exchanges.adapter import Reply
from apikeys.exchanges.base import AllowList, Credentials, KeyReport, Right, Trouble, UnreadableReplyError
from apikeys.exchanges.client import Client
from apikeys.exchanges.coinbase import ADAPTER, TROUBLE_OF_CODE, read_report, read_trouble
from apikeys.findings import FindingCode
from apikeys.flows.decide import Outcome
from apikeys.forms import KeyForm
from apikeys.models import Bot
from tests.apikeys.conversing import OWN, converse
from tests.apikeys.exchanges.conftest import AskOnce, credentials
from tests.apikeys.raw_replies import codes, judge
from tests.exchange_simulator.exchanges.coinbase import SIMULATED
from tests.exchange_simulator.simulator import Simulator

FLAGS = ("can_view", "can_trade", "can_transfer")
PORTFOLIO = "1f3a2b60-6f4c-4b5a-9a77-0d9f6e7c1a11"
GOOD = credentials(SIMULATED.fresh(0))
DENIED = Reply(401, None)


def reply(**flags: Any) -> dict[str, Any]:
    good = {"can_view": True, "can_trade": True, "can_transfer": False}
    return good | {"portfolio_uuid": PORTFOLIO, "portfolio_type": "DEFAULT"} | flags


def read(body: Any) -> KeyReport:
    return read_report(body, OWN)


def trouble(status: int, body: Any) -> Trouble | None:
    return read_trouble(Reply(status, body))


def test_it_reads_a_good_key() -> None:
    report = read(reply())
    assert {right for right, granted in report.rights.items() if granted} == {
        *(Right.READ, Right.SPOT, Right.DERIVATIVES)
    }
    assert set(report.rights) == set(Right)
    assert None not in report.rights.values()
    assert report.unknown == ()
    assert report.allow_list == AllowList(None, None)
    assert (report.created_at, report.expires_at, report.permanent) == (None, None, False)
    assert (report.account_id, report.account_kind) == (PORTFOLIO, "portfolio of the type DEFAULT")


def test_it_reads_the_right_to_transfer_as_every_way_out() -> None:
    out = {
        right for right, granted in read(reply(can_transfer=True, can_trade=False)).rights.items() if granted
    }
    assert out == {Right.READ, Right.WITHDRAW, Right.TRANSFER, Right.FIAT}


@pytest.mark.parametrize("market", ["spot", "derivatives"])
def test_it_judges_every_answer_to_the_three_questions(market: str) -> None:
    for values in product([True, False, "left out"], repeat=3):
        told = {name: value for name, value in zip(FLAGS, values, strict=True) if value != "left out"}
        decision = judge("coinbase", market, {"portfolio_uuid": PORTFOLIO, **told})
        accepted = told == {"can_view": True, "can_trade": True, "can_transfer": False}
        assert (decision.outcome is Outcome.ACCEPTED) is accepted, told
        if accepted:
            assert codes(decision) == {"ip_open"}


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("value", [None, "false", "true", 0, 1, [], {}, 1.0])
def test_it_accepts_no_flag_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read(reply(**{name: value}))
    for market in ("spot", "derivatives"):
        assert judge("coinbase", market, reply(**{name: value})).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("name", "value", "unknown"),
    [
        ("can_stake", True, True),
        ("can_move", "yes", True),
        ("sends_funds", True, True),
        ("can_stake", False, False),
        ("can_stake", None, False),
        ("created_at", "2026-01-01", False),
    ],
)
def test_it_proves_nothing_of_a_granted_right_that_it_does_not_know(
    name: str, value: Any, unknown: bool
) -> None:
    assert read(reply(**{name: value})).unknown == ((name,) if unknown else ())
    assert (judge("coinbase", "spot", reply(**{name: value})).outcome is Outcome.REFUSED) is unknown


@pytest.mark.parametrize("whole", [None, [], "ok", 1, True, {}, {"portfolio_uuid": PORTFOLIO}])
def test_it_reads_no_reply_of_another_shape(whole: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read(whole)


@pytest.mark.parametrize(("name", "value"), [("portfolio_uuid", 1.5), ("portfolio_type", 7)])
def test_it_reads_no_portfolio_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        read(reply(**{name: value}))


TABLE = {
    "PERMISSION_DENIED": FindingCode.MISSING_PERMISSION,
    "UNAUTHENTICATED": FindingCode.INVALID_CREDENTIALS,
    "RESOURCE_EXHAUSTED": FindingCode.EXCHANGE_UNAVAILABLE,
    "rate_limit_exceeded": FindingCode.EXCHANGE_UNAVAILABLE,
    "INTERNAL": FindingCode.EXCHANGE_UNAVAILABLE,
    "UNAVAILABLE": FindingCode.EXCHANGE_UNAVAILABLE,
}


@pytest.mark.parametrize(("code", "finding"), TABLE.items())
@pytest.mark.parametrize("status", [400, 403])
def test_it_reads_each_error(code: str, finding: FindingCode, status: int) -> None:
    for body in ({"error": code, "code": 7, "message": "SECRET"}, {"errors": [{"id": code}]}):
        found = trouble(status, body)
        assert found is not None
        assert (found.code, found.exchange_code) == (finding, code)


def test_it_tests_the_whole_table_of_errors() -> None:
    assert TABLE == TROUBLE_OF_CODE


@pytest.mark.parametrize("body", [None, "Unauthorized", {}, {"error": "PERMISSION_DENIED"}, []])
def test_it_blames_no_part_of_a_key_for_a_401(body: Any) -> None:
    assert trouble(401, body) == Trouble(FindingCode.INVALID_CREDENTIALS, "HTTP 401")


@pytest.mark.parametrize("status", [302, 400, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("body", [None, {}, {"error": ["x"]}, {"errors": []}, {"errors": [None]}, []])
def test_it_blames_nobody_for_a_status_without_a_code(status: int, body: Any) -> None:
    found = trouble(status, body)
    assert found is not None
    assert (found.code, found.exchange_code) == (FindingCode.EXCHANGE_UNAVAILABLE, f"HTTP {status}")


@pytest.mark.parametrize("body", [reply(), None, {}, []])
def test_it_finds_no_error_in_a_good_status(body: Any) -> None:
    assert trouble(200, body) is None


def test_it_asks_once_more_where_a_good_key_was_turned_away() -> None:
    found, calls = converse(ADAPTER, DENIED, reply())
    assert isinstance(found, KeyReport)
    assert len(calls) == 2
    assert len(converse(ADAPTER, DENIED, DENIED)[1]) == 2
    assert len(converse(ADAPTER, reply())[1]) == 1


def paths(simulator: Simulator) -> list[str]:
    return [call["path"].rsplit("/", 1)[-1] for call in simulator.calls()["coinbase"]["calls"]]


def test_it_looks_at_the_clock_before_it_blames_a_key(client: AskOnce, simulator: Simulator) -> None:
    stranger = credentials(SIMULATED.fresh(1))
    answer = client("coinbase", stranger)
    assert isinstance(answer, Trouble)
    assert answer.code is FindingCode.INVALID_CREDENTIALS
    assert paths(simulator) == ["key_permissions", "key_permissions", "time"]


def test_it_blames_a_key_that_no_clock_makes_good(client: AskOnce, simulator: Simulator) -> None:
    simulator.set_clock(5_000_000)
    try:
        answer = client("coinbase", credentials(SIMULATED.fresh(1)))
    finally:
        simulator.set_clock(0)
    assert isinstance(answer, Trouble)
    assert answer.code is FindingCode.INVALID_CREDENTIALS
    assert paths(simulator) == ["key_permissions"] * 2 + ["time"] + ["key_permissions"] * 2


def test_it_does_not_ask_again_by_a_clock_that_was_right_before(simulator: Simulator) -> None:
    async def run() -> Any:
        async with Client() as client:
            await client.measure_clock("coinbase")
            return await client.ask("coinbase", credentials(SIMULATED.fresh(1)))

    simulator.set_clock(5_000_000)
    try:
        asyncio.run(run())
    finally:
        simulator.set_clock(0)
    assert paths(simulator) == ["time", "key_permissions", "key_permissions", "time"]


def sec1(pem: str) -> str:
    """As Coinbase hands it out: BEGIN EC PRIVATE KEY."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


HANDED_OUT = sec1(GOOD.secret)
FILE = json.dumps({"name": GOOD.api_key, "privateKey": HANDED_OUT})


def form(data: Mapping[str, str], file: bytes | None = None) -> KeyForm:
    bot = Bot(bot_id="0x1A2 / JaneDoe / BTC-1", exchange="coinbase", market="spot")
    files = None if file is None else {"key_file": SimpleUploadedFile("cdp_api_key.json", file)}
    return KeyForm(bot, data, files=files)


@pytest.mark.parametrize(
    "data",
    [
        {"api_key": GOOD.api_key, "secret": HANDED_OUT},
        {"api_key": GOOD.api_key, "secret": HANDED_OUT.replace("\n", "\r\n")},
        {"api_key": GOOD.api_key, "secret": HANDED_OUT.replace("\n", "\\n")},
        {"api_key": GOOD.api_key, "secret": f'"{HANDED_OUT}"'.replace("\n", "\\n")},
        {"api_key": GOOD.api_key, "secret": HANDED_OUT.replace("\n", " ")},
        {"api_key": GOOD.api_key, "secret": HANDED_OUT.replace("\n", "")},
        {"api_key": f" {GOOD.api_key}\n", "secret": f"\n{GOOD.secret}\n\n"},
        {"api_key": "", "secret": FILE},
        {"api_key": FILE, "secret": ""},
        {"api_key": GOOD.api_key, "secret": FILE},
    ],
)
def test_its_form_takes_the_key_however_it_was_pasted(data: Mapping[str, str]) -> None:
    filled = form(data)
    assert filled.is_valid(), filled.errors
    assert filled.credentials == GOOD


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_its_form_takes_the_downloaded_file(start: bytes) -> None:
    filled = form({"api_key": "", "secret": ""}, start + FILE.encode())
    assert filled.is_valid(), filled.errors
    assert filled.credentials == GOOD


def test_no_box_keeps_a_browser_from_sending_the_file_alone() -> None:
    empty = form({"api_key": "", "secret": ""})
    assert not any("required" in str(empty[name]) for name in ("key_file", "api_key", "secret"))
    assert "Paste the API key here." in str(empty.errors["api_key"])


def pem(key: Any) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    )


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("A" * 86 + "==", "choose ECDSA"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "This is an Ed25519 key"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "of a kind that Coinbase Advanced does not take"),
        (HANDED_OUT[:90], "not complete"),
        ("somethingElse", "A Coinbase Advanced secret has several lines"),
    ],
)
def test_its_form_says_which_kind_of_key_is_wanted(secret: str, words: str) -> None:
    filled = form({"api_key": GOOD.api_key, "secret": secret})
    assert not filled.is_valid()
    assert words in str(filled.errors["secret"])
    assert secret not in str(filled.errors)


def test_its_form_says_what_the_key_s_name_looks_like() -> None:
    filled = form({"api_key": "1f3a2b60-6f4c-4b5a-9a77-0d9f6e7c1a11", "secret": HANDED_OUT})
    assert "has the form organizations/…/apiKeys/…" in str(filled.errors["api_key"])


def test_it_signs_for_the_exchange_s_own_host_wherever_the_request_is_sent(client: AskOnce) -> None:
    """The simulated exchange checks the host in the token; here the request goes to 127.0.0.1."""
    assert isinstance(client("coinbase", Credentials(GOOD.api_key, GOOD.secret)), KeyReport)
