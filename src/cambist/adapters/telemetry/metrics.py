"""Metrics for Prometheus, in a registry of their own."""

import logging
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from cambist.ports.metrics import METRICS, Kind, Metric

CONTENT_TYPE = CONTENT_TYPE_LATEST
PREFIX = "cambist_"

_log = logging.getLogger(__name__)


class PrometheusMetrics:
    """The metrics of `cambist.ports.metrics`, as Prometheus reads them.

    What does not fit (a name that there is not, labels that are missing, a counter that would fall) is logged once per
    name and dropped. Counters without labels begin at zero; the others appear with their first value.
    """

    content_type: str = CONTENT_TYPE

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._metrics: dict[tuple[Kind, str], Any] = {
            (metric.kind, metric.name): _made(metric, self._registry) for metric in METRICS
        }
        self._complained: set[str] = set()

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """Add ``value`` (not negative) to the counter ``name``."""
        self._note(Kind.COUNTER, "inc", name, value, labels)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set the gauge ``name``."""
        self._note(Kind.GAUGE, "set", name, value, labels)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add ``value`` to the histogram ``name``."""
        self._note(Kind.HISTOGRAM, "observe", name, value, labels)

    def text(self) -> bytes:
        """Return all values in Prometheus' text format."""
        return generate_latest(self._registry)

    def _note(self, kind: Kind, act: str, name: str, value: float, labels: dict[str, str]) -> None:
        try:
            metric = self._metrics[kind, name]
            getattr(metric.labels(**labels) if labels else metric, act)(float(value))
        except (KeyError, ValueError, TypeError) as error:
            if name not in self._complained:
                self._complained.add(name)
                _log.error("metric dropped", extra={"metric": name, "why": f"{type(error).__name__}: {error}"})


def _made(metric: Metric, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    name = PREFIX + metric.name
    if metric.kind is Kind.COUNTER:
        return Counter(name, metric.help, metric.labels, registry=registry)
    if metric.kind is Kind.GAUGE:
        return Gauge(name, metric.help, metric.labels, registry=registry)
    return Histogram(name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)
