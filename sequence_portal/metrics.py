"""`/metrics` for Prometheus: figures that operations are woken by, in `ops/alerts.yml`."""

from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sequence_portal import backlogs, figures
from sequence_portal.backlogs import Backlog, Backlogs
from sequence_portal.figures import Labelled
from sequence_portal.insiders import may_read
from telemetry.models import What
from telemetry.tallies import BOUNDS


class PortalCollector(Collector):
    """Everything is read at each scrape, so every process answers the same."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        waiting, totals = backlogs.read(now), figures.totals()
        yield from _queues(now)
        yield from _checks(waiting)
        yield from _counted_checks(totals[What.CHECK], totals[What.VERDICT])
        yield from _mail(waiting, totals[What.MAIL])
        yield from _engine(waiting)
        yield from _seals(totals[What.SEALED], totals[What.UNWIPED])
        yield from _backlog("portal_audit_unlinked", "Audit events that are not linked yet", waiting.events)
        yield from _exchanges(now)


def _queues(now: datetime) -> Iterator[Metric]:
    lengths = figures.queue_lengths()
    yield GaugeMetricFamily("portal_broker_up", "Whether the broker answers.", value=bool(lengths))
    length = GaugeMetricFamily("portal_queue_length", "Messages that lie on a queue.", labels=["queue"])
    seen = GaugeMetricFamily(
        "portal_worker_seen_seconds",
        "Since a worker last took a heartbeat from the queue; +Inf where none ever did.",
        labels=["queue"],
    )
    lay = GaugeMetricFamily(
        "portal_queue_lag_seconds",
        "How long the last heartbeat lay on the queue before a worker took it.",
        labels=["queue"],
    )
    for queue, number in lengths.items():
        length.add_metric([queue], number)
    for queue, heartbeat in figures.heartbeats().items():
        ago = (now - heartbeat.seen_at).total_seconds() if heartbeat else float("inf")
        seen.add_metric([queue], ago)
        if heartbeat:
            lay.add_metric([queue], heartbeat.lay_seconds)
    yield from (length, seen, lay)


def _checks(waiting: Backlogs) -> Iterator[Metric]:
    yield from _backlog(
        "portal_checks_waiting",
        "Submitted keys whose check is due and not begun",
        waiting.checks,
    )
    due = GaugeMetricFamily(
        "portal_rechecks_due", "Active keys whose daily check is due and not made.", labels=["exchange"]
    )
    oldest = GaugeMetricFamily(
        "portal_rechecks_due_oldest_seconds",
        "For how long the oldest of them has been due.",
        labels=["exchange"],
    )
    for exchange, backlog in waiting.rechecks.items():
        due.add_metric([exchange], backlog.number)
        oldest.add_metric([exchange], backlog.oldest_seconds)
    yield from (due, oldest)
    yield from _backlog(
        "portal_revocations_due",
        "Keys with a right to move money that should be revoked by now",
        waiting.revocations,
    )


def _counted_checks(counted: Labelled, verdicts: Labelled) -> Iterator[Metric]:
    checks = CounterMetricFamily(
        "portal_checks", "Checks of keys, by exchange and what came of them.", labels=["exchange", "result"]
    )
    for (exchange, result), number in _with_zeros(counted, ("accepted", "refused", "unopened")).items():
        checks.add_metric([exchange, result], number)
    yield checks
    numbers = [verdicts[bound, ""].number if (bound, "") in verdicts else 0 for bound in BOUNDS]
    yield HistogramMetricFamily(
        "portal_verdict_seconds",
        "From submitting a key to its verdict, without those that waited for support.",
        buckets=list(zip(BOUNDS, accumulate(numbers), strict=True)),
        sum_value=sum(total.seconds for total in verdicts.values()),
    )


def _mail(waiting: Backlogs, counted: Labelled) -> Iterator[Metric]:
    yield from _backlog("portal_mail_waiting", "Mail that no server has taken", waiting.mail)
    yield from _backlog("portal_mail_untried", "Mail that nobody has tried to send", waiting.mail_untried)
    mail = CounterMetricFamily(
        "portal_mail",
        "Tries to hand in mail, by kind and what came of them: accepted, retry where it was put off, unsent"
        " where no server heard of it, failed for good.",
        labels=["kind", "result"],
    )
    for (kind, result), number in _with_zeros(counted, ("accepted", "unsent", "failed")).items():
        mail.add_metric([kind, result], number)
    yield mail


def _engine(waiting: Backlogs) -> Iterator[Metric]:
    pending = waiting.handovers
    yield GaugeMetricFamily(
        "portal_handovers_pending",
        "Hand-overs that the trading engine has not settled yet.",
        value=pending.number,
    )
    yield GaugeMetricFamily(
        "portal_handovers_late",
        "Hand-overs that have waited for the trading engine for longer than 15 minutes.",
        value=waiting.handovers_late.number,
    )
    yield GaugeMetricFamily(
        "portal_handover_oldest_seconds",
        "Age of the oldest hand-over that is not settled; 0 where there is none.",
        value=pending.oldest_seconds,
    )


def _seals(counted: Labelled, unwiped: Labelled) -> Iterator[Metric]:
    keys = GaugeMetricFamily(
        "portal_sealed_keys", "Live keys by the seal key they are sealed under.", labels=["seal_key"]
    )
    for (seal_id, _), (number, _) in counted.items():
        keys.add_metric([seal_id], number)
    yield keys
    yield GaugeMetricFamily(
        "portal_unknown_seals",
        "Seal keys that live keys are sealed under and that are not in SEAL_PUBLIC_KEYS.",
        value=len(figures.unknown_seals(counted)),
    )
    yield CounterMetricFamily(
        "portal_unwiped_secrets",
        "Secrets of ended keys that were found and wiped afterwards.",
        value=sum(total.number for total in unwiped.values()),
    )


def _exchanges(now: datetime) -> Iterator[Metric]:
    away = GaugeMetricFamily(
        "portal_exchange_breaker_open",
        "Whether nobody asks this exchange at the moment, since it answers nobody.",
        labels=["exchange"],
    )
    failing = GaugeMetricFamily(
        "portal_exchange_failing_seconds",
        "Since the exchange answers nobody; 0 where it does.",
        labels=["exchange"],
    )
    clock = GaugeMetricFamily(
        "portal_clock_offset_seconds",
        "How far the exchange's clock was ahead of ours when last measured.",
        labels=["exchange"],
    )
    for state in figures.exchanges():
        name = [state.exchange]
        away.add_metric(name, bool(state.open_until and state.open_until > now))
        since = state.failing_since
        failing.add_metric(name, (now - since).total_seconds() if since else 0)
        if state.clock_ahead_ms is not None:
            clock.add_metric(name, state.clock_ahead_ms / 1000)
    yield from (away, failing, clock)


def _with_zeros(counted: Labelled, results: tuple[str, ...]) -> dict[tuple[str, str], int]:
    """Prometheus sees no increase where a series begins with its first count, so these begin with none."""
    zeros = {(subject, result): 0 for subject, _ in counted for result in results}
    return zeros | {name: total.number for name, total in counted.items()}


def _backlog(name: str, words: str, backlog: Backlog) -> Iterator[Metric]:
    at_most = f"{backlogs.AT_MOST:,}"
    yield GaugeMetricFamily(name, f"{words}; counted up to {at_most}.", value=backlog.number)
    yield GaugeMetricFamily(
        f"{name}_oldest_seconds", f"{words}: for how long the oldest has been.", value=backlog.oldest_seconds
    )


_registry = CollectorRegistry()
_registry.register(PortalCollector())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has the token; without a token set, for private addresses only. Others find nothing."""
    if not may_read(request):
        return HttpResponse(status=404)
    return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)
