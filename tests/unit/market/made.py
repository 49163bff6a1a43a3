"""Trades and candles made for tests."""

from decimal import Decimal

from cambist.domain.order import Side
from cambist.domain.tick import CandleTick, TradeTick
from cambist.domain.timeframe import Timeframe


def trade(number: int, ts: int, price: str = "100", quantity: str = "1", taker: Side = Side.BUY) -> TradeTick:
    return TradeTick(symbol="X/Y", id=number, ts=ts, price=Decimal(price), quantity=Decimal(quantity), taker=taker)


def minute(ts: int, price: str = "100", volume: str = "1", symbol: str = "X/Y", received_ms: int = 0) -> CandleTick:
    value = Decimal(price)
    return CandleTick(
        symbol=symbol,
        timeframe=Timeframe.M1,
        ts=ts,
        open=value,
        high=value + 1,
        low=value - 1,
        close=value,
        volume=Decimal(volume),
        closed=True,
        received_ms=received_ms,
    )
