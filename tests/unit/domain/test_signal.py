"""The heartbeat's signal and its message."""

import json

import pytest
from tests.unit.market.made import minute

from cambist.domain.errors import ParseError
from cambist.domain.signal import Signal
from cambist.domain.timeframe import Timeframe
from cambist.market.candle_builder import Cascade

OPEN = 1_723_474_200_000


def a_signal() -> Signal:
    cascade = Cascade("BTC/USDT", (Timeframe.M5,), since=OPEN)
    found = []
    for number in range(5):
        found = cascade.add(minute(OPEN + number * 60_000, "0.00000100", "2.50", "BTC/USDT", OPEN + 300_033))
    return Signal(venue="binance", candle=found[0], received_ms=OPEN + 300_033)


def test_the_message_is_what_was_agreed():
    assert json.loads(json.dumps(a_signal().message())) == {
        "id": "binance:BTC/USDT:5m_1723474500000",
        "timeframe": "5m",
        "signal_id": "5m_1723474500000",
        "close_ms": 1723474500000,
        "venue": "binance",
        "symbol": "BTC/USDT",
        "candle": {
            "ts": 1723474200000,
            "open": "0.00000100",
            "high": "1.00000100",
            "low": "-0.99999900",
            "close": "0.00000100",
            "volume": "12.50",
        },
        "received_ms": 1723474500033,
        "timestamp": "2024-08-12T14:55:00.033Z",
        "source": "primary",
        "repaired": False,
    }


def test_the_message_reads_back():
    signal = a_signal()
    assert Signal.from_message(json.loads(json.dumps(signal.message()))).message() == signal.message()


@pytest.mark.parametrize(
    ("field", "value"), [("timeframe", "7m"), ("candle", None), ("received_ms", "x"), ("symbol", ...)]
)
def test_a_message_that_cannot_be_read_is_refused(field, value):
    message = a_signal().message()
    if value is ...:
        del message[field]
    else:
        message[field] = value
    with pytest.raises(ParseError, match="cannot be read"):
        Signal.from_message(message)


def test_money_that_is_none_is_refused():
    message = a_signal().message()
    message["candle"]["open"] = "much"
    with pytest.raises(ParseError):
        Signal.from_message(message)
