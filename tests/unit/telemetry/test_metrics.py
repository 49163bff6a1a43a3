"""Metrics over a real socket, read as Prometheus reads them."""

import asyncio
import json
import logging
import re
import socket
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cambist.adapters.telemetry.http import TelemetryServer
from cambist.adapters.telemetry.metrics import PREFIX, PrometheusMetrics
from cambist.ports.metrics import METRICS, Kind, Metrics, Unmeasured

ROOT = Path(__file__).parents[3]


async def got(server: TelemetryServer, path: str) -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}{path}") as answer,
    ):
        return answer.status, answer.headers["Content-Type"], await answer.text()


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_was_noted_is_served():
    metrics = PrometheusMetrics()
    metrics.count("orders_total", account="a", state="filled")
    metrics.count("orders_total", 2, account="a", state="filled")
    metrics.count("orders_total", account="a", state="refused")
    metrics.gauge("equity", 10_000.5, account="a", quote="USDT")
    metrics.gauge("equity", 9_999.25, account="a", quote="USDT")
    metrics.gauge("queue_depth", 3)
    metrics.observe("journal_append_seconds", 0.003)
    metrics.observe("journal_append_seconds", 0.7)

    async def ask():
        async with TelemetryServer(metrics, list, port=0) as server:
            return await got(server, "/metrics")

    status, kind, text = asyncio.run(ask())
    assert status == 200
    assert kind.startswith("text/plain; version=")
    found = samples(text)
    assert found["cambist_orders_total", (("account", "a"), ("state", "filled"))] == 3.0
    assert found["cambist_orders_total", (("account", "a"), ("state", "refused"))] == 1.0
    assert found["cambist_equity", (("account", "a"), ("quote", "USDT"))] == 9_999.25
    assert found["cambist_queue_depth", ()] == 3.0
    assert found["cambist_journal_append_seconds_count", ()] == 2.0
    assert found["cambist_journal_append_seconds_bucket", (("le", "0.005"),)] == 1.0
    assert found["cambist_journal_append_seconds_sum", ()] == pytest.approx(0.703)


def test_every_metric_takes_its_labels_and_is_served():
    metrics: Metrics = PrometheusMetrics()
    note = {Kind.COUNTER: metrics.count, Kind.GAUGE: metrics.gauge, Kind.HISTOGRAM: metrics.observe}
    silent = Unmeasured()
    for metric in METRICS:
        labels = dict.fromkeys(metric.labels, "x")
        note[metric.kind](metric.name, 1.0, **labels)
        for act in (silent.count, silent.gauge, silent.observe):
            act(metric.name, 1.0, **labels)
    assert isinstance(metrics, PrometheusMetrics)
    names = {name for name, _ in samples(metrics.text().decode())}
    for metric in METRICS:
        suffix = "_count" if metric.kind is Kind.HISTOGRAM else ""
        assert PREFIX + metric.name + suffix in names
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
        assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)


def test_what_does_not_fit_is_dropped_said_once_and_never_raised(caplog):
    metrics = PrometheusMetrics()
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            metrics.count("no_such_total")
            metrics.count("orders_total", account="a")
            metrics.gauge("equity", float("inf"), account="a", quote="USDT", more="x")
            metrics.count("fills_total", -1, account="a", side="buy")
            metrics.gauge("orders_total", 1, account="a", state="filled")
    assert sorted(record.metric for record in caplog.records) == [
        "equity",
        "fills_total",
        "no_such_total",
        "orders_total",
    ]
    assert not any(name.startswith("cambist_equity") for name, _ in samples(metrics.text().decode()))


def test_names_used_in_the_engine_are_names_that_there_are():
    """A name misspelt in the source would be dropped: find it here."""
    kinds = {"count": Kind.COUNTER, "gauge": Kind.GAUGE, "observe": Kind.HISTOGRAM}
    known = {(metric.kind, metric.name) for metric in METRICS}
    call = re.compile(r"metrics\.(count|gauge|observe)\(\s*\"(\w+)\"")
    for file in (ROOT / "src").rglob("*.py"):
        for act, name in call.findall(file.read_text(encoding="utf-8")):
            assert (kinds[act], name) in known, f"{file.name}: {name}"


def test_health_is_ok_until_something_is_not_well():
    reasons: list[str] = []

    async def ask():
        async with TelemetryServer(PrometheusMetrics(), lambda: reasons, port=0) as server:
            well = await got(server, "/healthz")
            reasons.append("the feed of BTC/USDT is silent since 90 s")
            ill = await got(server, "/healthz")
            reasons.clear()
            return well, ill, await got(server, "/healthz"), await got(server, "/else")

    well, ill, again, other = asyncio.run(ask())
    assert (well[0], json.loads(well[2])) == (200, {"status": "ok", "reasons": []})
    assert ill[0] == 503
    assert json.loads(ill[2]) == {"status": "degraded", "reasons": ["the feed of BTC/USDT is silent since 90 s"]}
    assert again[0] == 200
    assert other[0] == 404


def test_a_port_that_is_taken_says_so_and_leaves_nothing_open():
    async def ask():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            server = TelemetryServer(PrometheusMetrics(), list, port=taken.getsockname()[1])
            with pytest.raises(OSError, match="address already in use"):
                await server.start()
            await server.close()

    asyncio.run(ask())


def test_it_stops_listening():
    async def ask():
        server = TelemetryServer(PrometheusMetrics(), list, port=0)
        await server.start()
        assert server.port > 0
        assert (await got(server, "/healthz"))[0] == 200
        await server.close()
        with pytest.raises(aiohttp.ClientConnectorError):
            await got(server, "/healthz")

    asyncio.run(ask())
