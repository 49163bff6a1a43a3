"""The public trades of one symbol: each candle becomes a seeded series of trades that add up to exactly that candle.

The first trade is the candle's open and the last its close; the path touches one extreme, then the other, and never
leaves them; the quantities add up to the volume, digit by digit. Ids run on without a hole. The same candles and seed
give the same trades, whoever asks for them and in whatever order. A candle in which nobody traded has none.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from itertools import compress, islice

from cambist.domain.candles import Candles
from cambist.domain.exact import EXACT
from cambist.domain.order import Side
from cambist.domain.tick import TradeTick
from cambist.domain.timeframe import DAY_MS, Timeframe

PER_CANDLE = 12
"""Trades in a candle that has traded."""
_ZERO = Decimal(0)


@dataclass(slots=True)
class Bar:
    """A candle as the exchange tells it: built from trades, with what it knows beside prices and volume."""

    ts: int
    close_ms: int
    """When it ends: the next candle's open."""
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = _ZERO
    quote: Decimal = _ZERO
    """Volume in quote currency."""
    count: int = 0
    taker_volume: Decimal = _ZERO
    """What takers bought, in base currency."""
    taker_quote: Decimal = _ZERO
    first_id: int = -1
    last_id: int = -1
    last_quantity: Decimal = _ZERO

    def add(self, trade: TradeTick) -> None:
        """Take one more trade in."""
        if not self.count:
            self.open, self.first_id = trade.price, trade.id
            self.high = self.low = trade.price
        self.high, self.low = max(self.high, trade.price), min(self.low, trade.price)
        self.close, self.last_id, self.last_quantity = trade.price, trade.id, trade.quantity
        worth = EXACT.multiply(trade.price, trade.quantity)
        self.volume = EXACT.add(self.volume, trade.quantity)
        self.quote = EXACT.add(self.quote, worth)
        self.count += 1
        if trade.taker is Side.BUY:
            self.taker_volume = EXACT.add(self.taker_volume, trade.quantity)
            self.taker_quote = EXACT.add(self.taker_quote, worth)

    def join(self, later: "Bar") -> None:
        """Take in the bar that follows within the same larger candle."""
        self.high, self.low, self.close = max(self.high, later.high), min(self.low, later.low), later.close
        self.volume = EXACT.add(self.volume, later.volume)
        self.quote = EXACT.add(self.quote, later.quote)
        self.taker_volume = EXACT.add(self.taker_volume, later.taker_volume)
        self.taker_quote = EXACT.add(self.taker_quote, later.taker_quote)
        self.count += later.count
        if later.count:
            self.first_id = later.first_id if self.first_id < 0 else self.first_id
            self.last_id, self.last_quantity = later.last_id, later.last_quantity


class Tape:
    """The trades that ``candles`` stand for, with prices between the candle's own on multiples of ``tick``."""

    def __init__(self, candles: Candles, tick: Decimal, seed: int) -> None:
        self.symbol = candles.symbol
        self.timeframe = candles.timeframe
        self._candles = candles
        self._tick = tick
        self._key = f"{seed}:{candles.symbol}".encode()
        self._opens: list[int] = candles.ts.tolist()
        self._first_ids = [1]
        for volume in candles.volume.tolist():
            self._first_ids.append(self._first_ids[-1] + (PER_CANDLE if volume > 0 else 0))
        self._bars: dict[int, Bar] = {}
        self._recent: tuple[int, list[TradeTick]] = (-1, [])

    def trades(self, after: int, until: int) -> Iterator[TradeTick]:
        """Yield the trades with ``after < ts <= until`` (ms)."""
        for index in range(max(0, self._index(after)), self._index(until) + 1):
            yield from (trade for trade in self._trades(index) if after < trade.ts <= until)

    def numbered(self, first: int, count: int, until: int) -> list[TradeTick]:
        """Return up to ``count`` trades from id ``first`` on that happened by ``until`` (ms)."""
        found: list[TradeTick] = []
        index = max(0, bisect_right(self._first_ids, max(first, 1)) - 1)
        while len(found) < count and index < len(self._opens) and self._opens[index] <= until:
            found.extend(trade for trade in self._trades(index) if trade.id >= first and trade.ts <= until)
            index += 1
        return found[:count]

    def since(self, since: int, until: int, count: int) -> list[TradeTick]:
        """Return up to ``count`` trades from ``since`` on, by ``until`` (both ms, included)."""
        return list(islice(self.trades(since - 1, until), count))

    def latest(self, count: int, until: int) -> list[TradeTick]:
        """Return the last ``count`` trades that happened by ``until`` (ms), oldest first."""
        last = self.last(until)
        return [] if last is None else self.numbered(max(1, last.id - count + 1), count, until)

    def last(self, until: int) -> TradeTick | None:
        """Return the last trade that happened by ``until`` (ms)."""
        for index in range(self._index(until), -1, -1):
            done = [trade for trade in self._trades(index) if trade.ts <= until]
            if done:
                return done[-1]
        return None

    def bars(self, timeframe: Timeframe, since: int | None, until: int, limit: int, now: int) -> list[Bar]:
        """Return up to ``limit`` bars opening in ``[since, until]`` as they stand at ``now`` (ms).

        The earliest from ``since`` on, or the latest where it is None. Larger timeframes are joined from the candles.
        """
        until = min(until, now)
        opens = self._opens_of(timeframe, since, until, limit)
        return [self.bar(timeframe, ts, now) for ts in opens]

    def bar(self, timeframe: Timeframe, ts: int, now: int) -> Bar:
        """Return the bar of ``timeframe`` that opens at ``ts``, as it stands at ``now`` (ms)."""
        close_ms = timeframe.close_of(ts)
        first, last = bisect_left(self._opens, ts), bisect_left(self._opens, min(close_ms, now + 1))
        whole = None
        for index in range(first, last):
            part = self._base_bar(index, now)
            if whole is None:
                whole = Bar(ts, close_ms, part.open, part.high, part.low, part.close)
            whole.join(part)
        if whole is None:
            last_trade = self.last(ts)
            price = last_trade.price if last_trade else self._price(0, "open")
            return Bar(ts, close_ms, price, price, price, price)
        return whole

    def day(self, now: int) -> Bar:
        """Return the bar of the last 24 hours before ``now`` (ms)."""
        since = now - DAY_MS
        first = bisect_left(self._opens, since)
        parts = [self._base_bar(index, now) for index in range(first, self._index(now) + 1)]
        if not parts:
            last = self.last(now)
            price = last.price if last else self._price(0, "open")
            return Bar(since, now, price, price, price, price)
        whole = Bar(since, now, parts[0].open, parts[0].high, parts[0].low, parts[0].close)
        for part in parts:
            whole.join(part)
        return whole

    def _opens_of(self, timeframe: Timeframe, since: int | None, until: int, limit: int) -> Sequence[int]:
        first = 0 if since is None else bisect_left(self._opens, since)
        last = bisect_right(self._opens, until)
        if timeframe is self.timeframe:
            return self._opens[first:last][:limit] if since is not None else self._opens[first:last][-limit:]
        if not timeframe.holds(self.timeframe):
            return []
        found: list[int] = []
        if since is None:
            while last > 0 and len(found) < limit:
                found.append(timeframe.floor(self._opens[last - 1]))
                last = bisect_left(self._opens, found[-1])
            return found[::-1]
        while first < last and len(found) < limit:
            opened = timeframe.floor(self._opens[first])
            if opened >= since:
                found.append(opened)
            first = bisect_left(self._opens, timeframe.close_of(opened))
        return found

    def _index(self, ts: int) -> int:
        """Return the position of the last candle that opens at or before ``ts``; -1 if there is none."""
        return bisect_right(self._opens, ts) - 1

    def _base_bar(self, index: int, now: int) -> Bar:
        ts = self._opens[index]
        close_ms = self.timeframe.close_of(ts)
        if close_ms <= now:
            if index not in self._bars:
                self._bars[index] = self._whole_bar(index, ts, close_ms)
            return self._bars[index]
        price = self._price(index, "open")
        bar = Bar(ts, close_ms, price, price, price, price)
        for trade in self._trades(index):
            if trade.ts <= now:
                bar.add(trade)
        return bar

    def _whole_bar(self, index: int, ts: int, close_ms: int) -> Bar:
        """Return the bar that all trades of a candle add up to."""
        open_, high, low, close = (self._price(index, name) for name in ("open", "high", "low", "close"))
        bar = Bar(ts, close_ms, open_, high, low, close)
        first_id = self._first_ids[index]
        if self._first_ids[index + 1] > first_id:
            sketch = self._sketch(index, ts)
            worths = [price * units for price, units in zip(sketch.prices, sketch.units, strict=True)]
            digits = sketch.price_digits + sketch.unit_digits
            bar.volume = Decimal(sum(sketch.units)).scaleb(-sketch.unit_digits, EXACT)
            bar.quote = Decimal(sum(worths)).scaleb(-digits, EXACT)
            bar.taker_volume = Decimal(sum(compress(sketch.units, sketch.buys))).scaleb(-sketch.unit_digits, EXACT)
            bar.taker_quote = Decimal(sum(compress(worths, sketch.buys))).scaleb(-digits, EXACT)
            bar.count, bar.first_id, bar.last_id = PER_CANDLE, first_id, first_id + PER_CANDLE - 1
            bar.last_quantity = Decimal(sketch.units[-1]).scaleb(-sketch.unit_digits, EXACT)
        return bar

    def _price(self, index: int, name: str) -> Decimal:
        return Decimal(repr(float(getattr(self._candles, name)[index])))

    def _trades(self, index: int) -> list[TradeTick]:
        if self._recent[0] != index:
            self._recent = index, self._make(index)
        return self._recent[1]

    def _make(self, index: int) -> list[TradeTick]:
        first_id = self._first_ids[index]
        if self._first_ids[index + 1] == first_id:
            return []
        sketch = self._sketch(index, self._opens[index])
        return [
            TradeTick(
                symbol=self.symbol,
                id=first_id + number,
                ts=ts,
                price=Decimal(price).scaleb(-sketch.price_digits, EXACT),
                quantity=Decimal(units).scaleb(-sketch.unit_digits, EXACT),
                taker=Side.BUY if buys else Side.SELL,
            )
            for number, (ts, price, units, buys) in enumerate(
                zip(sketch.times, sketch.prices, sketch.units, sketch.buys, strict=True)
            )
        ]

    def _sketch(self, index: int, ts: int) -> "_Sketch":
        dice = blake2b(b"%s:%d" % (self._key, ts), digest_size=4 * PER_CANDLE).digest()
        prices = [self._price(index, name) for name in ("open", "high", "low", "close")]
        digits = max(_digits(price) for price in (*prices, self._tick))
        path = _path([int(price.scaleb(digits)) for price in prices], max(1, int(self._tick.scaleb(digits))), dice)
        units, unit_digits = _shares(Decimal(repr(float(self._candles.volume[index]))), dice[2 * PER_CANDLE :])
        step = (self.timeframe.close_of(ts) - ts) // PER_CANDLE
        times = [ts + step * n + (step * dice[PER_CANDLE + n] // 256 if n else 0) for n in range(PER_CANDLE)]
        # who lifts a price buys, who lowers it sells; where it stays the dice say
        buys = [dice[0] % 2 == 1]
        for n in range(1, PER_CANDLE):
            move = path[n] - path[n - 1]
            buys.append(move > 0 if move else dice[n] % 2 == 1)
        return _Sketch(times, path, digits, units, unit_digits, buys)


@dataclass(slots=True)
class _Sketch:
    """The trades of one candle as whole numbers: prices and quantities in units of their last digit."""

    times: list[int]
    prices: list[int]
    price_digits: int
    units: list[int]
    unit_digits: int
    buys: list[bool]


def _path(prices: list[int], tick: int, dice: bytes) -> list[int]:
    """Return prices in the order in which they are traded, from (open, high, low, close)."""
    opened, high, low, close = prices
    turns = (0, 2 + dice[0] % 3, 6 + dice[1] % 4, PER_CANDLE - 1)
    levels = (opened, low, high, close) if dice[2] % 2 else (opened, high, low, close)
    path = [opened]
    for leg in range(3):
        start, end, length = levels[leg], levels[leg + 1], turns[leg + 1] - turns[leg]
        for step in range(1, length):
            wobble = (high - low) * (dice[3 + turns[leg] + step] - 128) // 1024
            between = start + (end - start) * step // length + wobble
            path.append(min(max(between // tick * tick, low), high))
        path.append(end)
    return path


def _shares(volume: Decimal, dice: bytes) -> tuple[list[int], int]:
    """Return ``volume`` cut into one quantity above zero for each trade, adding up to it, and the digits they have."""
    digits = max(8, _digits(volume))
    while volume.scaleb(digits) < 256 * PER_CANDLE:
        digits += 2
    units = int(volume.scaleb(digits))
    weights = [1 + dice[number] for number in range(PER_CANDLE)]
    whole = sum(weights)
    shares = [units * weight // whole for weight in weights[:-1]]
    shares.append(units - sum(shares))
    return shares, digits


def _digits(value: Decimal) -> int:
    """Return how many decimals ``value`` has."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
