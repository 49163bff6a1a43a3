"""Messages: what the documents show is read exactly, anything else is refused by the name of its field."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.binance import scripted

from cambist.adapters.venues.binance.messages import Answer, BestQuote, ServerShutdown, market_id, parse
from cambist.domain.errors import ParseError
from cambist.domain.order import Side
from cambist.domain.text import speak
from cambist.domain.tick import CandleTick, DepthTick, TradeTick

NAMES = {"BTCUSDT": "BTC/USDT"}
TS = 1_700_000_000_123


def read(message: object) -> Any:
    return parse(json.dumps(message), NAMES, 5)


def read_text(text: str) -> Any:
    return parse(text, {})


def test_a_trade():
    assert read(scripted.trade(7, TS, price="0.00001000")) == TradeTick(
        symbol="BTC/USDT", id=7, ts=TS, price=Decimal("0.00001000"), quantity=Decimal("0.5"), taker=Side.BUY
    )
    sold = read(scripted.trade(7, TS, m=True))
    assert sold.taker is Side.SELL


def test_money_keeps_its_text():
    assert str(read(scripted.trade(7, TS, price="0.10000000")).price) == "0.10000000"
    # a number that is not quoted never passes a float either
    text = json.dumps(scripted.trade(7, TS)).replace('"100.10"', "0.1234567890123456789")
    assert str(read_text(text).price) == "0.1234567890123456789"


def test_an_aggregate_is_a_trade_by_its_own_number():
    data = {"e": "aggTrade", "E": TS, "s": "BTCUSDT", "a": 5, "p": "1", "q": "2", "f": 10, "l": 12, "T": TS, "m": True}
    assert read(data) == TradeTick(
        symbol="BTC/USDT", id=5, ts=TS, price=Decimal(1), quantity=Decimal(2), taker=Side.SELL
    )


def test_microseconds_become_milliseconds():
    assert read(scripted.trade(7, TS * 1000 + 999)).ts == TS
    candle = scripted.kline(60_000)
    candle["data"]["k"]["t"] = 1_700_000_040_000_000
    assert read(candle).ts == 1_700_000_040_000


def test_a_candle():
    candle = read(scripted.kline(1_700_000_040_000, ids=(3, 9)))
    assert isinstance(candle, CandleTick)
    assert (candle.timeframe, candle.ts, candle.closed) == ("1m", 1_700_000_040_000, True)
    assert (candle.first_trade, candle.last_trade, candle.received_ms) == (3, 9, 5)
    assert (candle.open, candle.volume) == (Decimal("100.10"), Decimal("0.5"))


def test_changes_of_a_book():
    tick = read(scripted.depth(5, 9, [["1.10", "0.00000000"]], [["1.20", "3"]]))
    assert isinstance(tick, DepthTick)
    assert (tick.first_update, tick.last_update) == (5, 9)
    assert tick.bids == ((Decimal("1.10"), Decimal(0)),)
    assert tick.asks == ((Decimal("1.20"), Decimal(3)),)


def test_the_best_quote_names_itself_or_not():
    data = {"u": 4, "s": "BTCUSDT", "b": "1", "B": "2", "a": "3", "A": "4"}
    expected = BestQuote(
        symbol="BTC/USDT", update=4, bid=Decimal(1), bid_quantity=Decimal(2), ask=Decimal(3), ask_quantity=Decimal(4)
    )
    assert read(data) == expected
    assert read({"stream": "btcusdt@bookTicker", "data": data | {"e": "bookTicker"}}) == expected


def test_words_of_the_server():
    assert read(scripted.shutdown(TS)) == ServerShutdown(ts=TS)
    assert read({"result": None, "id": 3}) == Answer(id=3)
    assert read({"error": {"code": 2, "msg": "Invalid request"}, "id": 3}) == Answer(id=3, error="2 Invalid request")
    assert read({"error": {"code": 3, "msg": "Invalid JSON"}, "id": None}) == Answer(id=None, error="3 Invalid JSON")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("s", ""),
        ("s", 5),
        ("t", "7"),
        ("t", True),
        ("T", 0),
        ("T", -1),
        ("T", 1.5),
        ("p", "-1"),
        ("p", "0"),
        ("p", "NaN"),
        ("p", "Infinity"),
        ("p", "1,5"),
        ("p", None),
        ("p", True),
        ("q", "-0.1"),
        ("m", "true"),
        ("e", "mystery"),
        ("e", ["trade"]),
    ],
)
def test_a_wrong_field_is_named(field, value):
    with pytest.raises(ParseError) as caught:
        read(scripted.trade(7, TS, **{field: value}))
    assert caught.value.params["field"] == field


@pytest.mark.parametrize("field", ["s", "t", "p", "q", "T", "m"])
def test_an_absent_field_is_named(field):
    message = scripted.trade(7, TS)
    del message["data"][field]
    with pytest.raises(ParseError) as caught:
        read(message)
    assert caught.value.params["field"] == field
    speak("fr")
    assert f"champ '{field}'" in str(caught.value)
    speak("en")


def test_a_wrong_field_of_a_candle_or_book_is_named():
    candle = scripted.kline(60_000)
    candle["data"]["k"]["i"] = "7m"
    with pytest.raises(ParseError, match=r"kline\.k whose field 'i' is 7m"):
        read(candle)
    candle["data"]["k"] = []
    with pytest.raises(ParseError, match="'k'"):
        read(candle)
    with pytest.raises(ParseError, match="'u'"):
        read(scripted.depth(9, 5))
    for bad in ([["1"]], [["-1", "1"]], [["1", "-1"]], [["1", "x"]], "1", [5]):
        message = scripted.depth(5, 9)
        message["data"]["a"] = bad
        with pytest.raises(ParseError, match="'a'"):
            read(message)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '"x"', "null", '{"a": NaN}', "[" * 100_000])
def test_what_is_no_message_is_refused(text):
    with pytest.raises(ParseError):
        parse(text, {})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["e", "s", "data", "stream", "u", "B", "k", "id", "error", "result", "T"]),
                        inner, max_size=6), max_leaves=15))  # fmt: skip
def test_no_message_breaks_the_parser(message):
    with suppress(ParseError):  # and nothing else
        parse(json.dumps(message), {})


def test_names():
    assert market_id("btc/usdt") == "BTCUSDT"
