"""What every `HeartbeatLog` keeps to: an adapter's test inherits `HeartbeatLogContract` and gives ``log``."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cambist.domain.errors import BadInput
from cambist.domain.timeframe import Timeframe
from cambist.ports.heartbeat_log import HeartbeatLog, SignalRow, SourceStatus

MINUTE = 60_000


def a_signal(number: int, **changes: Any) -> SignalRow:
    close = number * MINUTE
    plain: dict[str, Any] = {
        "received_ms": close + 3,
        "candle_ms": close - MINUTE,
        "close_ms": close,
        "timeframe": Timeframe.M1,
        "symbol": "BTC/USDT",
        "venue": "binance",
        "source": "feed",
        "repaired": False,
        "signal_id": f"1m_{close}",
        "open": Decimal("100.10"),
        "high": Decimal("101"),
        "low": Decimal("99.90"),
        "close": Decimal("100.5"),
        "volume": Decimal("0.00000001"),
    }
    return SignalRow(**(plain | changes))


class HeartbeatLogContract:
    """``log`` is empty at the start of each test but for what other tests have written of other sources."""

    def test_the_newest_signals_come_first_of_one_timeframe(self, log: HeartbeatLog):
        signals = [a_signal(number, source="newest", timeframe=Timeframe.M3) for number in (1, 3, 2)]
        log.record(signals[:2])
        log.record([*signals[2:], a_signal(9, source="newest", timeframe=Timeframe.M5, repaired=True)])
        log.record([])
        assert log.recent("3m") == [signals[1], signals[2], signals[0]]
        assert log.recent(Timeframe.M3, limit=1) == signals[1:2]
        assert log.recent("5m")[0].repaired is True
        assert log.recent("1w") == []
        with pytest.raises(BadInput, match="timeframe"):
            log.recent("7m")

    def test_a_signal_recorded_twice_stays_once_as_it_first_was(self, log: HeartbeatLog):
        signal = a_signal(5, source="twice", timeframe=Timeframe.H1)
        others = [replace(signal, symbol="ETH/USDT"), replace(signal, venue="kraken"), replace(signal, source="second")]
        log.record([signal])
        log.record([replace(signal, received_ms=1), *others, *others])
        assert sorted(log.recent("1h"), key=repr) == sorted([signal, *others], key=repr)

    def test_what_was_seen_of_a_market_comes_back_candle_by_candle(self, log: HeartbeatLog):
        signals = [a_signal(number, source="seen", venue="seen", timeframe=Timeframe.M15) for number in (30, 45, 60)]
        again = replace(signals[1], source="later", received_ms=signals[1].received_ms + 1, close=Decimal(1))
        elsewhere = [replace(signals[0], symbol="ETH/USDT"), replace(signals[0], venue="seen too")]
        log.record([again, *reversed(signals), *elsewhere])
        assert log.seen("seen", "BTC/USDT", Timeframe.M15, 0, 10**15) == signals
        first, last = signals[1].candle_ms, signals[2].candle_ms
        assert log.seen("seen", "BTC/USDT", Timeframe.M15, first, last) == signals[1:2]
        assert log.seen("seen", "BTC/USDT", Timeframe.M30, 0, 10**15) == []

    def test_the_status_tells_starts_stops_and_the_last_error(self, log: HeartbeatLog):
        def status() -> list[SourceStatus]:
            return [one for one in log.status() if one.source in ("a", "b")]

        log.started("b", 10, ["ETH/USDT", "BTC/USDT"])
        log.failed("a", 11, "cannot connect")
        log.started("a", 12, [])
        assert status() == [
            SourceStatus(
                source="a",
                is_connected=True,
                last_start_ms=12,
                last_stop_ms=11,
                last_error="cannot connect",
                symbols=(),
            ),
            SourceStatus(
                source="b",
                is_connected=True,
                last_start_ms=10,
                last_stop_ms=None,
                last_error="",
                symbols=("ETH/USDT", "BTC/USDT"),
            ),
        ]
        log.stopped("b", 20)
        log.failed("a", 21, "reset by peer")
        stopped = status()
        assert [(one.is_connected, one.last_stop_ms, one.last_error) for one in stopped] == [
            (False, 21, "reset by peer"),
            (False, 20, ""),
        ]
        assert stopped[1].symbols == ("ETH/USDT", "BTC/USDT")
        log.started("b", 30, ["SOL/USDT"])
        assert (status()[1].last_start_ms, status()[1].symbols) == (30, ("SOL/USDT",))
