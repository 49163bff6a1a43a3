"""What anyone may ask: time, currencies, pairs, candles, trades, prices and books."""

from email.utils import formatdate
from typing import Any

from cambist.domain.timeframe import Timeframe
from cambist.simulators.kraken import shapes
from cambist.simulators.kraken.market import Market
from cambist.simulators.kraken.names import pair_id
from cambist.simulators.kraken.orders import Params
from cambist.simulators.kraken.refusals import invalid
from cambist.simulators.market import Line

_CANDLES, _TRADES, _LEVELS = 720, 1_000, 500
_NANOSECONDS = 10**14  # a time written with more than this is not in seconds


class PublicAnswers:
    """Answers the questions of market data out of a `Market`; each method takes the request's parameters."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def time(self, params: Params) -> Any:
        """Return the time, in seconds."""
        now_s = self.market.told_now // 1000
        return {"unixtime": now_s, "rfc1123": formatdate(now_s, usegmt=True)}

    def status(self, params: Params) -> Any:
        """Return whether the exchange is there."""
        return {"status": "online", "timestamp": shapes.moment(self.market.told_now // 1000 * 1000)[:19] + "Z"}

    def assets(self, params: Params) -> Any:
        """Return the currencies."""
        found = shapes.assets(line.instrument for line in self.market.lines.values())
        wish = params.get("asset")
        if not wish:
            return found
        names = {name: key for key, one in found.items() for name in (key, one["altname"])}
        if not set(wish.split(",")) <= set(names):
            raise invalid("asset")
        return {names[name]: found[names[name]] for name in wish.split(",")}

    def pairs(self, params: Params) -> Any:
        """Return the rules of the pairs."""
        return {_id(line): shapes.pair(line.instrument, self.market.costs) for line in self._lines(params)}

    def ticker(self, params: Params) -> Any:
        """Return the statistics of pairs."""
        now = self.market.now
        found = {}
        for line in self._lines(params):
            book = self.market.told_book(line)
            if book.bids:
                today = line.tape.bar(Timeframe.D1, Timeframe.D1.floor(now), now)
                best = (book.bids[0], book.asks[0])
                found[_id(line)] = shapes.ticker(line.instrument, today, line.tape.day(now), best)
        return found

    def candles(self, params: Params) -> Any:
        """Return the last candles that opened after ``since``, the one under way among them."""
        line = self.market.line(params.get("pair"))
        minutes, since = whole(params, "interval", 1), whole(params, "since", 0)
        if minutes not in shapes.INTERVALS:
            raise invalid("interval")
        now = self.market.now
        bars = line.tape.bars(shapes.INTERVALS[minutes], None, now, _CANDLES, now)
        rows = [shapes.candle(bar, line.instrument) for bar in bars if bar.ts > since * 1000]
        done = [bar.ts // 1000 for bar in bars if bar.close_ms <= now]
        return {_id(line): rows, "last": done[-1] if done else since}

    def trades(self, params: Params) -> Any:
        """Return trades after ``since`` (seconds or nanoseconds), or the last ones."""
        line, now = self.market.line(params.get("pair")), self.market.now
        limit = min(max(whole(params, "count", _TRADES), 1), _TRADES)
        if params.get("since"):
            since = whole(params, "since", 0)
            since_ms = since // 10**6 if since > _NANOSECONDS else since * 1000
            found = line.tape.since(since_ms + 1, now, limit)
        else:
            found = line.tape.latest(limit, now)
        last = found[-1].ts * 10**6 if found else params.get("since", "0")
        return {_id(line): [shapes.trade(one, line.instrument) for one in found], "last": str(last)}

    def depth(self, params: Params) -> Any:
        """Return the order book."""
        line = self.market.line(params.get("pair"))
        count = min(max(whole(params, "count", 100), 1), _LEVELS)
        book, one, now = self.market.told_book(line), line.instrument, self.market.now
        return {
            _id(line): {
                "asks": shapes.levels(book.asks[:count], one, now),
                "bids": shapes.levels(book.bids[:count], one, now),
            }
        }

    def _lines(self, params: Params) -> list[Line]:
        if params.get("pair"):
            return [self.market.line(name) for name in params["pair"].split(",")]
        return list(self.market.lines.values())


def whole(params: Params, name: str, default: int) -> int:
    """Return the parameter ``name`` as a whole number, what is behind its point cut off; raise `Refused`."""
    text = params.get(name) or str(default)
    number = text.partition(".")[0]
    if not number.isdecimal():
        raise invalid(name)
    return int(number)


def _id(line: Line) -> str:
    return pair_id(line.instrument.symbol)
