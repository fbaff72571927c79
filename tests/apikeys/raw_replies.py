"""Raw replies of both exchanges in every state of their rights, and the decision that comes of one.

The groups and flags are written out from the exchanges' documentation, not taken from the adapters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.base import Trouble
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows.decide import Decision, Policy, decide, decide_trouble
from tests.apikeys.conversing import answer

POLICY = Policy(now=datetime(2026, 11, 23, 12, tzinfo=UTC), egress_ips=("203.0.113.10",))
MARKETS = ("spot", "derivatives")

# Binance's flags by what the rule asks of each.
BINANCE_NEEDED = {
    "spot": ("enableReading", "enableSpotAndMarginTrading"),
    "derivatives": ("enableReading", "enableFutures"),
}
BINANCE_MOVING = ("enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer")
BINANCE_FLAGS = (
    *("enableReading", "enableSpotAndMarginTrading", "enableFutures", "enableMargin", "enableVanillaOptions"),
    *BINANCE_MOVING,
)
# Bybit's groups with all of their documented entries.
TRADING = {
    "Spot": ("SpotTrade",),
    "ContractTrade": ("Order", "Position"),
    "Options": ("OptionsTrade",),
    "Derivatives": ("DerivativesTrade",),
}
WALLET = {"Wallet": ("Withdraw", "AccountTransfer", "SubMemberTransfer", "SubMemberTransferList")}
OTHERS = {
    "BlockTrade": ("BlockTrade",),
    "Exchange": ("ExchangeHistory",),
    "Earn": ("Earn",),
    "FiatP2P": ("FiatP2POrder", "Advertising"),
    "FiatBitPay": ("FaitPayOrder",),
    "FiatBybitPay": ("FaitPayOrder",),
    "FiatConvertBroker": ("FiatConvertBrokerOrder",),
    "FiatGlobalPay": ("FiatGlobalPayOrder",),
    "BitCard": ("BitCard",),
    "Affiliate": ("Affiliate",),
    "CopyTrading": ("CopyTrading",),
    "NFT": ("NFTQueryProductList",),
    "ByXPost": ("ByXPost",),
}
GROUPS = TRADING | WALLET | OTHERS
Groups = Mapping[str, tuple[str, ...] | None]  # None: absent


@dataclass(frozen=True)
class Trader:
    market: str
    adapter: Adapter


BOTS = {(name, market): Trader(market, EXCHANGES[name]) for name in EXCHANGES for market in MARKETS}


def judge(exchange: str, market: str, reply: Any, policy: Policy = POLICY) -> Decision:
    """As a worker judges a reply with status 200."""
    bot = BOTS[exchange, market]
    found = answer(bot.adapter, reply)
    if isinstance(found, Trouble):
        return decide_trouble(found, bot)
    return decide(found, bot, policy)


def codes(decision: Decision) -> set[str]:
    return {finding.code.value for finding in decision.findings}


def binance(flags: Mapping[str, bool], **more: Any) -> dict[str, Any]:
    return {"ipRestrict": True, "createTime": 1_763_800_000_000, **flags, **more}


def binance_good(market: str) -> dict[str, bool]:
    return {name: name in BINANCE_NEEDED[market] for name in BINANCE_FLAGS}


def bybit(groups: Groups, read_only: int | None = 0, **more: Any) -> dict[str, Any]:
    key: dict[str, Any] = {
        "permissions": {name: list(entries) for name, entries in groups.items() if entries is not None},
        "ips": ["203.0.113.10"],
        "type": 1,
        "deadlineDay": -2,
        "expiredAt": "1970-01-01T00:00:00Z",
        "userID": 1448939,
        **({} if read_only is None else {"readOnly": read_only}),
    }
    return {"retCode": 0, "retMsg": "", "result": key | more}


def bybit_good(market: str) -> dict[str, tuple[str, ...] | None]:
    trades = "Spot" if market == "spot" else "ContractTrade"
    return {name: entries if name == trades else () for name, entries in GROUPS.items()}
