"""`/metrics` for Prometheus: figures that operations are woken by. Counted when asked, from the database."""

import hmac
import ipaddress
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts.addresses import client_address
from apikeys.models import Handover


class EngineCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        oldest = Handover.objects.pending().aggregate(at=Min("created_at"))["at"]
        yield GaugeMetricFamily(
            "portal_handovers_pending",
            "Hand-overs that the trading engine has not settled yet.",
            value=Handover.objects.pending().count(),
        )
        yield GaugeMetricFamily(
            "portal_handovers_late",
            "Hand-overs that have waited for the trading engine for longer than 15 minutes.",
            value=Handover.objects.late(now).count(),
        )
        yield GaugeMetricFamily(
            "portal_handover_oldest_seconds",
            "Age of the oldest hand-over that is not settled; 0 where there is none.",
            value=(now - oldest).total_seconds() if oldest else 0,
        )


_registry = CollectorRegistry()
_registry.register(EngineCollector())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has the token; without a token set, for private addresses only. Others find nothing."""
    if not _may_read(request):
        return HttpResponse(status=404)
    return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        presented = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(presented.encode(), settings.METRICS_TOKEN.encode())
    return ipaddress.ip_address(client_address(request)).is_private
