"""What anyone may ask: time, rules, candles, trades, prices and books."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cambist.domain.timeframe import Timeframe
from cambist.simulators.binance import shapes
from cambist.simulators.binance.market import Line, Market
from cambist.simulators.binance.orders import needed, whole
from cambist.simulators.binance.refusals import Refused
from cambist.simulators.binance.weights import Limits

Params = Mapping[str, str]

_PAGE, _LONGEST_PAGE, _DEEPEST = 500, 1000, 5000


class PublicAnswers:
    """Answers the questions of market data out of a `Market`; each method takes the request's parameters."""

    def __init__(self, market: Market, limits: Limits) -> None:
        self.market = market
        self._limits = limits

    def ping(self, params: Params) -> Any:
        """Return nothing, as an answer."""
        return {}

    def time(self, params: Params) -> Any:
        """Return the time."""
        return {"serverTime": self.market.told_now}

    def exchange_info(self, params: Params) -> Any:
        """Return the rules of the markets."""
        lines = self._lines(params) if "symbol" in params or "symbols" in params else self.market.lines.values()
        return shapes.exchange_info([line.instrument for line in lines], self._limits, self.market.told_now)

    def no_markets(self, params: Params) -> Any:
        """Return the rules of a family of markets that has none here."""
        return shapes.exchange_info([], self._limits, self.market.told_now)

    def klines(self, params: Params) -> Any:
        """Return candles, the one under way as the last."""
        line, interval = self.market.line(needed(params, "symbol")), needed(params, "interval")
        if interval not in shapes.INTERVALS:
            raise Refused(-1120, "Invalid interval.")
        until = whole(params, "endTime")
        now = self.market.now
        bars = line.tape.bars(
            Timeframe(interval),
            whole(params, "startTime"),
            now if until is None else until,
            _limit(params),
            now,
        )
        return [shapes.kline(bar) for bar in bars]

    def trades(self, params: Params) -> Any:
        """Return the last trades."""
        line = self.market.line(needed(params, "symbol"))
        return [shapes.trade(one) for one in line.tape.latest(_limit(params), self.market.now)]

    def historical_trades(self, params: Params) -> Any:
        """Return trades from an id on."""
        first = whole(params, "fromId")
        if first is None:
            return self.trades(params)
        line = self.market.line(needed(params, "symbol"))
        return [shapes.trade(one) for one in line.tape.numbered(first, _limit(params), self.market.now)]

    def agg_trades(self, params: Params) -> Any:
        """Return trades from an id on, of a span of time, or the last ones."""
        line, now, limit = self.market.line(needed(params, "symbol")), self.market.now, _limit(params)
        first, since, until = (whole(params, name) for name in ("fromId", "startTime", "endTime"))
        if first is not None:
            if since is not None or until is not None:
                raise Refused(-1128, "Combination of optional parameters invalid.")
            found = line.tape.numbered(first, limit, now)
        elif since is not None:
            found = line.tape.since(since, min(now, now if until is None else until), limit)
        else:
            found = line.tape.latest(limit, now if until is None else min(now, until))
        return [shapes.agg_trade(one) for one in found]

    def depth(self, params: Params) -> Any:
        """Return the order book."""
        line = self.market.line(needed(params, "symbol"))
        limit = whole(params, "limit") or 100
        return shapes.depth(self.market.told_book(line), min(limit, _DEEPEST))

    def average(self, params: Params) -> Any:
        """Return the mean price of five minutes."""
        line, now = self.market.line(needed(params, "symbol")), self.market.now
        bars = line.tape.bars(line.tape.timeframe, None, now, 5, now)
        volume, quote = sum(bar.volume for bar in bars), sum(bar.quote for bar in bars)
        price = quote / volume if volume else line.tape.day(now).close
        return {"mins": 5, "price": f"{price:.8f}", "closeTime": now}

    def day(self, params: Params) -> Any:
        """Return the statistics of the last 24 hours."""
        now = self.market.now
        book = self.market.told_book
        return self._each(params, lambda line: shapes.day(line.instrument.symbol, line.tape.day(now), book(line)))

    def price(self, params: Params) -> Any:
        """Return last prices."""

        def told(line: Line) -> dict[str, Any]:
            last = self.market.last(line)
            price = last.price if last else line.tape.day(self.market.now).close
            return {"symbol": shapes.market_id(line.instrument.symbol), "price": shapes.number(price)}

        return self._each(params, told)

    def book_ticker(self, params: Params) -> Any:
        """Return best bids and asks."""
        book = self.market.told_book
        return self._each(params, lambda line: shapes.book_ticker(line.instrument.symbol, book(line)))

    def _each(self, params: Params, told: Any) -> Any:
        if "symbol" in params:
            return told(self.market.line(params["symbol"]))
        traded = [line for line in self._lines(params) if self.market.last(line) is not None]
        return [told(line) for line in traded]

    def _lines(self, params: Params) -> Sequence[Line]:
        if "symbol" in params:
            return [self.market.line(params["symbol"])]
        if "symbols" not in params:
            return list(self.market.lines.values())
        try:
            names = json.loads(params["symbols"])
        except ValueError:
            names = None
        if not isinstance(names, list):
            raise Refused(-1100, "Illegal characters found in parameter 'symbols'.")
        return [self.market.line(str(name)) for name in names]


def _limit(params: Params) -> int:
    limit = whole(params, "limit")
    return max(1, min(_PAGE if limit is None else limit, _LONGEST_PAGE))
