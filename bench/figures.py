"""Every figure with its bound, and the parts that measure them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    bound: float | None  # None: shown beside the others, and bound to nothing
    words: str
    below: bool = False  # the bound itself is a miss
    more_is_better: bool = False

    def verdict(self, number: float) -> str:
        if self.bound is None:
            return ""
        if self.more_is_better:
            is_met = number >= self.bound
        else:
            is_met = number < self.bound if self.below else number <= self.bound
        return "ok" if is_met else "missed"

    @property
    def asked(self) -> str:
        if self.bound is None:
            return "-"
        how = "at least" if self.more_is_better else "below" if self.below else "at most"
        return f"{how} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Part:
    module: str
    figures: Mapping[str, Figure]
    servers: bool = True  # hand DATABASE_URL and REDIS_URL on, where they are set
    needs: tuple[str, ...] = ()  # skipped where one of these variables is not set
    by_name_only: bool = False  # too long for a run of everything


PARTS: Mapping[str, Part] = {
    "submit_embedded": Part(
        "bench.submit",
        {"submit_to_mail_embedded_s": Figure(1.0, "seconds, submit to mail, SQLite and files")},
        servers=False,
    ),
    "submit_redis": Part(
        "bench.submit",
        {"submit_to_mail_redis_s": Figure(0.5, "seconds, submit to mail, PostgreSQL and Redis")},
        needs=("DATABASE_URL", "REDIS_URL"),
    ),
    "client_cpu": Part(
        "bench.client_cpu",
        {
            "client_cpu_vs_raw": Figure(1.4, "CPU of an exchange call, ours over raw aiohttp"),
            "client_cpu_vs_ccxt": Figure(1.0, "CPU of an exchange call, ours over reused ccxt", below=True),
        },
        servers=False,
    ),
    "signin": Part("bench.signin", {"signin_statements": Figure(20, "database statements of a sign-in")}),
    "handovers": Part(
        "bench.handovers",
        {
            "handovers_per_s": Figure(500, "hand-overs a second, one engine client", more_is_better=True),
            "revocation_to_engine_s": Figure(5, "seconds, commit of a mass revocation to the engine"),
        },
    ),
    "enumeration": Part(
        "bench.enumeration",
        {
            "enumeration_sign_in": Figure(0.05, "difference of medians, known and unknown, at sign-in"),
            "enumeration_help": Figure(0.05, "difference of medians, known and unknown, at password help"),
        },
    ),
    "sweep": Part(
        "bench.sweep",
        {
            "sweep_keys_per_s": Figure(None, "keys in use a second, two sweep workers", more_is_better=True),
            "sweep_rate_vs_naive": Figure(30, "the same over a naive sweep", more_is_better=True),
            "sweep_cpu_vs_naive": Figure(0.1, "CPU of a key, ours over a naive sweep"),
            "sweep_cpu_vs_raw": Figure(4, "CPU of a key, ours with all it takes over raw aiohttp"),
            "verdict_during_sweep_p95_s": Figure(1, "seconds, submit to verdict while a sweep runs"),
        },
        needs=("DATABASE_URL", "REDIS_URL"),
    ),
    "lease": Part(
        "bench.lease",
        {
            "lease_100k_s": Figure(5, "seconds, 100,000 due keys leased and put to work"),
            "lease_100k_redis_mb": Figure(5, "MiB that their lists take in Redis"),
        },
        needs=("DATABASE_URL", "REDIS_URL"),
    ),
    "portal_load": Part(
        "bench.portal_load",
        {
            "portal_p95_ms": Figure(250, "ms, 19 of 20 clicks of 50 customers at once"),
            "portal_vs_empty_view": Figure(None, "the same over an empty Django view"),
        },
    ),
    "desk": Part(
        "bench.desk",
        {
            "desk_ms_100k": Figure(100, "ms, slowest page of the desk by median, 100,000 keys"),
            "desk_statements_100k": Figure(15, "statements, most of a page of the desk"),
            "desk_stock_ms_100k": Figure(None, "ms, slowest of stock admin's lists in the same run"),
        },
        needs=("DATABASE_URL",),
    ),
    "desk_1m": Part(
        "bench.desk_1m",
        {
            "desk_ms_1m": Figure(100, "ms, slowest page of the desk by median, a million keys"),
            "desk_statements_1m": Figure(15, "statements, most of a page of the desk"),
            "desk_stock_ms_1m": Figure(None, "ms, slowest of stock admin's lists in the same run"),
        },
        needs=("DATABASE_URL",),
        by_name_only=True,
    ),
    "sizes": Part(
        "bench.sizes",
        {
            "sizes_plan_exponent": Figure(1.1, "CPU of planning over keys, steepest slope; 1 is linear"),
            "sizes_pages_growth": Figure(2, "CPU of a page at 100,000 keys over 1,000, worst page"),
        },
        needs=("DATABASE_URL",),
    ),
    "sizes_1m": Part(
        "bench.sizes_1m",
        {
            "sizes_plan_exponent_1m": Figure(1.1, "the same slope, up to a million keys"),
            "sizes_pages_growth_1m": Figure(2, "CPU of a page at a million keys over 1,000, worst page"),
        },
        needs=("DATABASE_URL",),
        by_name_only=True,
    ),
    "pages": Part(
        "bench.pages", {"page_kb_max": Figure(40, "KB, largest page with all it loads")}, servers=False
    ),
}

FIGURES: Mapping[str, Figure] = {
    name: figure for part in PARTS.values() for name, figure in part.figures.items()
}

Measure = Callable[[], Mapping[str, float]]
