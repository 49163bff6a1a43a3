"""What is counted of a trading day, by the loop itself."""

import asyncio
import math
from decimal import Decimal
from typing import Any

from tests.unit.engine.rooms import BTC, ETH, room

from cambist.adapters.telemetry.metrics import PrometheusMetrics
from cambist.domain.event import Decided
from cambist.domain.wish import Exit
from cambist.ports.metrics import METRICS, Kind

D = Decimal
KINDS = {metric.name: metric for metric in METRICS}


class Noted:
    """Keeps every value, and holds each call against the list of metrics."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, ...], float] = {}
        self.observed: dict[str, list[float]] = {}

    def _key(self, kind: Kind, name: str, labels: dict[str, str]) -> tuple[str, ...]:
        assert KINDS[name].kind is kind
        assert set(labels) == set(KINDS[name].labels)
        assert all(isinstance(label, str) for label in labels.values())
        return (name, *(labels[label] for label in KINDS[name].labels))

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        key = self._key(Kind.COUNTER, name, labels)
        self.values[key] = self.values.get(key, 0) + value

    def gauge(self, name: str, value: float, **labels: str) -> None:
        self.values[self._key(Kind.GAUGE, name, labels)] = value

    def observe(self, name: str, value: float, **labels: str) -> None:
        self._key(Kind.HISTOGRAM, name, labels)
        assert math.isfinite(value)
        self.observed.setdefault(name, []).append(value)

    def of(self, name: str) -> dict[Any, float]:
        found = {key[1:]: value for key, value in self.values.items() if key[0] == name}
        return {key[-1] if len(key) < 3 else key: value for key, value in found.items()}


def test_a_day_is_counted(tmp_path):
    async def story() -> None:
        noted = Noted()
        async with room(tmp_path, metrics=noted) as floor:
            lane = await floor.add(symbols=(BTC, ETH))
            await floor.enter(lane, 100.0, 10_000.0, stop_loss=0.05)
            assert noted.of("open_orders") == {"paper": 1}
            assert noted.of("open_positions") == {"paper": 1}
            assert noted.of("unprotected_positions") == {"paper": 0}
            assert noted.of("running_bots") == {"paper": 2}
            await floor.enter(lane, 100.0, 10_000.0)  # it is in
            await floor.enter(lane, 10.0, 5_000.0, ETH)
            assert noted.of("unprotected_positions") == {"paper": 1}
            await floor.trade(94.0)  # the stop acts
            await floor.trade(11.0, ETH)
            floor.engine.tell(lane, Decided("paper-eth", floor.clock.now_ms(), 11.0, (Exit(),)))
            await floor.settled()
            await floor.pass_time(61)
            assert noted.of("fills_total") == {"buy": 2, "sell": 2}
            assert noted.of("trades_executed_total") == {"stop_loss": 1, "signal": 1}
            assert noted.of("tpsl_triggered_total") == {"stop_loss": 1}
            assert noted.of("refused_total") == {"already_in": 1}
            orders = noted.of("orders_total")
            assert orders["submitting"] == 4
            assert orders["filled"] == 4
            assert noted.of("open_orders") == noted.of("open_positions") == {"paper": 0}
            assert noted.of("unknown_orders") == noted.of("frozen_instruments") == noted.of("breaker_stage")
            assert noted.values["equity", "paper", "USDT"] == float(lane.account.equity()) == 40_000 - 600 + 500
            assert noted.of("reconciliations_total")["agrees"] >= 1
            assert sum(noted.of("events_total").values()) == lane.seq
            assert noted.of("events_total")["Decided"] == 4
            assert noted.of("clock_offset_seconds") == {"simulated": 0}
            assert noted.values["queue_depth",] == 0
            assert len(noted.observed["order_ack_seconds"]) == 4
            assert 0 < len(noted.observed["journal_append_seconds"]) <= lane.seq

    asyncio.run(story())


def test_a_difference_and_a_breaker_are_shown(tmp_path):
    async def story() -> None:
        noted = Noted()
        async with room(tmp_path, metrics=noted) as floor:
            lane = await floor.add()
            floor.exchange._account("paper").holdings.pay("USDT", D(1))
            await floor.pass_time(62)
            assert noted.of("frozen_instruments") == {"paper": 1}
            assert noted.of("reconciliations_total")["differs"] >= 2
            await floor.engine.adopt(lane, BTC)
            assert noted.of("frozen_instruments") == {"paper": 0}

    asyncio.run(story())


def test_an_account_with_nothing_at_stake_is_compared_less_often(tmp_path):
    async def story() -> None:
        noted = Noted()
        async with room(tmp_path, metrics=noted) as floor:
            idle, busy = await floor.add("idle"), await floor.add("busy")
            await floor.enter(busy, 100.0)
            before = dict(noted.values)
            await floor.pass_time(500, step_s=5)
            rounds = {name: ("reconciliations_total", name, "agrees") for name in ("idle", "busy")}
            done = {name: noted.values[key] - before.get(key, 0) for name, key in rounds.items()}
            assert done["idle"] <= 11 < 99 <= done["busy"]
            assert idle.ready

    asyncio.run(story())


def test_they_are_what_prometheus_takes(tmp_path, caplog):
    async def story() -> str:
        metrics = PrometheusMetrics()
        async with room(tmp_path, metrics=metrics) as floor:
            lane = await floor.add()
            await floor.enter(lane, 100.0, 10_000.0, stop_loss=0.05)
            await floor.pass_time(2)
        return metrics.text().decode()

    text = asyncio.run(story())
    assert 'cambist_orders_total{account="paper",state="filled"} 1.0' in text
    assert "metric dropped" not in caplog.text
