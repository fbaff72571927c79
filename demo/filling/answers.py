"""What exchanges say of invented keys: a few answers each, judged once by `decide` and then used again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from apikeys import reports
from apikeys.exchanges.base import NEEDED_RIGHTS, AllowList, KeyKind, KeyReport, Market, Right, Trouble
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import Finding, FindingCode
from apikeys.flows.decide import Outcome, Policy, decide, decide_trouble
from apikeys.models import Bot
from demo.filling.bulk import as_json

OURS = ("203.0.113.10",)
ACCOUNT = "0000000000"  # stands for the account of a key in the text of a report
# How many in a hundred of the bots trade where.
MIX = {
    "binance": 36,
    "bybit": 22,
    "okx": 11,
    "kucoin": 6,
    "bitget": 6,
    "kraken": 5,
    "gate": 4,
    "mexc": 3,
    "htx": 2,
    "bingx": 2,
    "bitfinex": 1.2,
    "coinbase": 1.2,
    "binanceus": 0.5,
    "bybiteu": 0.1,
}
BOUND, OPEN, EXTRA = "bound", "open", "extra"
GOOD = {BOUND: 66, OPEN: 18, EXTRA: 16}
WITHDRAW, TRANSFER, NO_TRADE, NOT_OURS, UNKNOWN, GONE, SIGNATURE, UNCLEAR, BLOCKED = (
    "withdraw",
    "transfer",
    "no trade",
    "not ours",
    "unknown",
    "gone",
    "signature",
    "unclear",
    "blocked",
)
# Why new keys are refused, how many in a hundred of those that are.
BAD = {
    WITHDRAW: 24,
    NO_TRADE: 22,
    UNCLEAR: 14,
    BLOCKED: 12,
    NOT_OURS: 9,
    TRANSFER: 7,
    SIGNATURE: 6,
    GONE: 4,
    UNKNOWN: 2,
}
OTHER_ACCOUNT, AWAY, ENDED = "other account", "away", "ended"
_TROUBLES = {
    GONE: Trouble(FindingCode.NOT_FOUND, "-2008"),
    SIGNATURE: Trouble(FindingCode.BAD_SIGNATURE, "-1022"),
    UNCLEAR: Trouble(FindingCode.INVALID_CREDENTIALS, "-2015"),
    BLOCKED: Trouble(FindingCode.IP_BLOCKED, "10010"),
    AWAY: Trouble(FindingCode.EXCHANGE_UNAVAILABLE, "HTTP 503"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """In the report `ACCOUNT` stands for the account of the key; a trouble has none."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    findings_json: str
    report_json: str | None
    exchange_code: str
    ends: bool  # the exchange ends such a key by itself


@cache
def answer(kind: str, exchange: str, market: str, day: datetime) -> Answer:
    """kind: one of the above. day: of the answer, by which it was judged."""
    bot = Bot(exchange=exchange, market=market)
    report = said(kind, exchange, market, day)
    if isinstance(report, Trouble):
        decision = decide_trouble(report, bot)
        return Answer(
            decision.outcome, decision.findings, _json(decision.findings), None, report.exchange_code, False
        )
    before = "1" if kind == OTHER_ACCOUNT else ""
    decision = decide(report, bot, Policy(now=day, egress_ips=OURS, previous_account_id=before))
    stored = as_json(reports.as_json(report))
    return Answer(
        decision.outcome,
        decision.findings,
        _json(decision.findings),
        stored,
        "",
        report.expires_at is not None,
    )


def said(kind: str, exchange: str, market: str, day: datetime) -> KeyReport | Trouble:
    """What the exchange said, before anybody judged it."""
    if kind in _TROUBLES:
        return _TROUBLES[kind]
    needed = NEEDED_RIGHTS[Market(market)]
    rights: dict[Right, bool | None] = {right: right in needed for right in Right}
    if kind in (WITHDRAW, TRANSFER):
        rights[Right.WITHDRAW if kind == WITHDRAW else Right.TRANSFER] = True
    if kind == NO_TRADE:
        rights[needed[-1]] = False
    addresses = {EXTRA: (*OURS, "198.51.100.77"), NOT_OURS: ("198.51.100.77",), OPEN: None}.get(kind, OURS)
    is_open = kind == OPEN and not EXCHANGES[exchange].must_be_bound
    return KeyReport(
        rights=rights,
        unknown=("enableSomethingNew",) if kind == UNKNOWN else (),
        inherent_transfer=EXCHANGES[exchange].must_be_bound or market == Market.DERIVATIVES,
        allow_list=AllowList(bound=False) if is_open else AllowList(bound=True, addresses=addresses or OURS),
        created_at=day - timedelta(minutes=10),
        expires_at=day + timedelta(days=90) if is_open else None,
        permanent=not is_open,
        account_id=ACCOUNT,
        account_kind="Unified",
        key_kind=KeyKind.HMAC,
    )


def _json(findings: tuple[Finding, ...]) -> str:
    return as_json([finding.as_json() for finding in findings])
