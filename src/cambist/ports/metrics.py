"""What is counted and measured while trading, so that machines can watch it."""

from enum import StrEnum
from typing import Protocol

from cambist.domain.record import record


class Kind(StrEnum):
    """What a metric is."""

    COUNTER = "counter"
    """Only grows."""
    GAUGE = "gauge"
    """Is what it was last set to."""
    HISTOGRAM = "histogram"
    """Many values, by their size."""


@record
class Metric:
    """One metric: its name, and the labels with which each value comes."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram."""


QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

METRICS = (
    Metric("orders_total", Kind.COUNTER, "Orders that came into this state", ("account", "state")),
    Metric("fills_total", Kind.COUNTER, "Fills", ("account", "side")),
    Metric("trades_executed_total", Kind.COUNTER, "Trades closed", ("account", "reason")),
    Metric("tpsl_triggered_total", Kind.COUNTER, "Stops and take-profits that acted", ("account", "leg")),
    Metric("refused_total", Kind.COUNTER, "Wishes refused", ("account", "reason")),
    Metric("strategy_failures_total", Kind.COUNTER, "Strategies that raised or took too long", ("account", "bot")),
    Metric("reconciliations_total", Kind.COUNTER, "Comparisons with the venue", ("account", "result")),
    Metric("venue_errors_total", Kind.COUNTER, "Requests that a venue did not fulfil", ("venue", "kind")),
    Metric("feed_gaps_total", Kind.COUNTER, "Gaps in market data that were filled again", ("venue", "symbol")),
    Metric("alerts_total", Kind.COUNTER, "Alerts", ("level",)),
    Metric("events_total", Kind.COUNTER, "Events that the engine decided on", ("event",)),
    Metric("journal_append_seconds", Kind.HISTOGRAM, "Time to write to the journal", (), QUICK),
    Metric("signal_latency_seconds", Kind.HISTOGRAM, "From a candle's close to its orders leaving", ("venue",), SLOW),
    Metric("decision_seconds", Kind.HISTOGRAM, "Time to ask all strategies of one close", (), QUICK),
    Metric("order_ack_seconds", Kind.HISTOGRAM, "From an order leaving to the venue's word", ("venue",), SLOW),
    Metric("unprotected_positions", Kind.GAUGE, "Positions without a resting stop", ("account",)),
    Metric("unknown_orders", Kind.GAUGE, "Orders whose fate only the venue knows", ("account",)),
    Metric("frozen_instruments", Kind.GAUGE, "Instruments on which books differ", ("account",)),
    Metric("open_orders", Kind.GAUGE, "Orders that are not over", ("account",)),
    Metric("open_positions", Kind.GAUGE, "Positions held", ("account",)),
    Metric("running_bots", Kind.GAUGE, "Bots that run", ("account",)),
    Metric("equity", Kind.GAUGE, "Cash and positions, in quote currency", ("account", "quote")),
    Metric("breaker_stage", Kind.GAUGE, "Stage of the drawdown breaker; 0: none", ("account",)),
    Metric("feed_age_seconds", Kind.GAUGE, "Time since the last word on a market", ("venue", "symbol")),
    Metric("clock_offset_seconds", Kind.GAUGE, "The venue's time less ours", ("venue",)),
    Metric("queue_depth", Kind.GAUGE, "Events that wait for the engine", ()),
    Metric("http_requests_total", Kind.COUNTER, "Requests to the API", ("route", "method", "status")),
    Metric("http_request_duration_seconds", Kind.HISTOGRAM, "Time to answer a request to the API", ("route",), SLOW),
    Metric("stream_clients", Kind.GAUGE, "Clients of the stream", ()),
    Metric("stream_dropped_total", Kind.COUNTER, "Events left out for slow clients of the stream", ("topic",)),
    Metric("webhook_calls_total", Kind.COUNTER, "Webhooks called from outside, by what came of it", ("outcome",)),
    Metric("cache_hits_total", Kind.COUNTER, "Answers found in a cache", ("cache",)),
    Metric("cache_misses_total", Kind.COUNTER, "Answers not found in a cache", ("cache",)),
    Metric("request_weight_used", Kind.GAUGE, "Share of the venue's request budget in use, 0 to 1", ("venue",)),
)
"""All there are; names get the prefix ``cambist_`` where they are shown."""


class Metrics(Protocol):
    """Takes note of what happens. Never raises: what watches trading must not stop it."""

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """Add ``value`` (not negative) to the counter ``name``."""
        ...

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set the gauge ``name``."""
        ...

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add ``value`` to the histogram ``name``."""
        ...


class ShownMetrics(Metrics, Protocol):
    """Metrics that can be shown."""

    content_type: str
    """What `text` is, as HTTP says it."""

    def text(self) -> bytes:
        """Return all values."""
        ...


class Unmeasured:
    """Takes note of nothing."""

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """Do nothing."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Do nothing."""

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Do nothing."""
