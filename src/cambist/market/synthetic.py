"""A market that never was, for demonstrations and tests: seeded, quick, and shaped like crypto markets are.

What it has of the real thing (the "stylised facts", R. Cont, *Quantitative Finance* 1, 2001, 223-236; each is tested):

- returns without memory, whose sizes remember: calm and storm come in clusters (log-volatility is a sum of a slow and
  a quick autoregression, times the volatility of the regime in force);
- fat tails (Student-t shocks, and jumps now and then);
- regimes: ranges that hold around a level, bull and bear trends, storms, changing as a Markov chain;
- symbols that move together (one market factor in returns, volatility and regime) and apart;
- busier afternoons (UTC) and calmer week-ends; volume that swells with volatility;
- highs and lows that a path through the candle really touched, opens at or next to the close before, prices on a tick.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import floor, log, log10, sqrt
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.market.grid import opens, ordinals
from cambist.market.series import build

if TYPE_CHECKING:
    from cambist.domain.candles import Floats, Ints

VENUE = "synthetic"

_YEAR_MS = 365 * DAY_MS
_STEPS = 16  # of the path inside a candle
_TAIL = 5.0  # degrees of freedom of the shocks
_JUMPS = 0.0015  # per candle
_ANCHOR_MS = 2 * 365 * DAY_MS  # how soon a price forgets how far it strayed: decades stay in sight of the beginning
_CALM = 0.85  # what storms, jumps and the swings of volatility add, taken off beforehand


@dataclass(frozen=True, slots=True)
class _Asset:
    price: float
    yearly_volatility: float
    loading: float
    """Correlation with the market; two symbols correlate by the product of theirs."""
    daily_turnover: float
    """In quote currency."""


_ASSETS = {
    "BTC": _Asset(40_000.0, 0.55, 0.88, 1.5e9),
    "ETH": _Asset(2_300.0, 0.70, 0.86, 8e8),
    "SOL": _Asset(95.0, 0.95, 0.76, 3e8),
    "BNB": _Asset(310.0, 0.65, 0.78, 2e8),
    "XRP": _Asset(0.6, 0.85, 0.74, 3e8),
}
_UNKNOWN = _Asset(10.0, 1.0, 0.74, 5e7)


@dataclass(frozen=True, slots=True)
class _Regime:
    trend: float
    """What the drift adds up to over the regime's mean length, in standard deviations of the noise over that time."""
    volatility: float
    hold: float
    """Share of the distance to the level of the range that is taken back per candle."""
    days: float
    """Mean length."""

    def candles(self, timeframe: Timeframe) -> float:
        """Return the mean length in candles, bounded so that records of any timeframe see several regimes."""
        return min(max(self.days * DAY_MS / timeframe.ms, 40.0), 1_500.0)


_REGIMES = (
    _Regime(trend=0.0, volatility=0.75, hold=0.012, days=25.0),
    _Regime(trend=0.9, volatility=0.95, hold=0.0, days=30.0),
    _Regime(trend=-0.7, volatility=1.20, hold=0.0, days=20.0),
    _Regime(trend=-0.3, volatility=2.10, hold=0.0, days=5.0),
)
# row: from, column: to
_TURNS = (
    (0.00, 0.50, 0.35, 0.15),
    (0.55, 0.00, 0.30, 0.15),
    (0.50, 0.25, 0.00, 0.25),
    (0.40, 0.35, 0.25, 0.00),
)


def synthetic_market(
    symbols: tuple[str, ...] = ("BTC/USDT", "ETH/USDT", "SOL/USDT"),
    *,
    start_ms: int,
    count: int,
    timeframe: Timeframe | str,
    seed: int,
) -> dict[str, Candles]:
    """Return ``count`` candles of each of ``symbols`` from the first open at or after ``start_ms`` (ms).

    The same arguments give the same candles everywhere, and a symbol's candles do not depend on which others are
    asked for. Another timeframe gives another market: resample to look at one market in several.
    """
    timeframe = Timeframe.parse(timeframe)
    first = timeframe.floor(start_ms)
    first = first if first == start_ms else timeframe.close_of(first)
    number = int(ordinals(np.array([first], dtype=np.int64), timeframe)[0])
    ts = opens(np.arange(number, number + count, dtype=np.int64), timeframe)
    market = _Market(_generator(seed, "market"), ts, timeframe)
    return {symbol: market.candles(symbol, _generator(seed, symbol)) for symbol in symbols}


def synthetic_rules(candles: Candles, venue: str = VENUE) -> Instrument:
    """Return rules such as exchanges have for a symbol at the price of ``candles``."""
    digits = Decimal(str(float(candles.high.max()))).adjusted()
    step = Decimal(1).scaleb(max(-8, -1 - max(0, digits)))
    return Instrument(
        venue=venue,
        symbol=candles.symbol,
        tick_size=Decimal(1).scaleb(max(-8, digits - 6)),
        lot_step=step,
        min_notional=Decimal(5),
        min_quantity=step,
    )


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, crc32(name.encode())])))


class _Market:
    """What all symbols share: time, regimes, the market's shocks, volatility and jumps."""

    def __init__(self, generator: np.random.Generator, ts: Ints, timeframe: Timeframe) -> None:
        self._ts, self._timeframe = ts, timeframe
        self._regime = _regimes(generator, ts.size, timeframe)
        self._shock = _shocks(generator, ts.size)
        self._jump = _jumps(generator, ts.size)
        self._log_volatility = _log_volatility(generator, ts.size, timeframe, 0.45)
        self._season = _season(ts, timeframe)

    def candles(self, symbol: str, generator: np.random.Generator) -> Candles:
        """Return the candles of ``symbol``, whose own noise ``generator`` makes."""
        asset = _ASSETS.get(symbol.split("/")[0], _UNKNOWN)
        size = self._ts.size
        usual = _CALM * asset.yearly_volatility * sqrt(self._timeframe.ms / _YEAR_MS)
        own_log_volatility = _log_volatility(generator, size, self._timeframe, 0.22)
        regime_volatility = np.array([regime.volatility for regime in _REGIMES])[self._regime]
        relative = regime_volatility * np.exp(self._log_volatility + own_log_volatility) * self._season
        volatility = usual * relative
        apart = sqrt(1 - asset.loading**2)
        shock = asset.loading * self._shock + apart * _shocks(generator, size)
        jump = asset.loading * self._jump + apart * _jumps(generator, size)
        log_close = _walk((shock + jump) * volatility, volatility, self._regime, self._timeframe)
        log_open = np.concatenate(([0.0], log_close[:-1])) + 0.01 * volatility * generator.standard_normal(size)
        high, low = _extremes(generator, log_open, log_close, volatility)
        decimals = 5 - floor(log10(asset.price))

        def price(logarithm: Floats) -> Floats:
            tick = 10.0**-decimals
            return np.maximum(np.round(asset.price * np.exp(logarithm), decimals), tick)

        volume = _volume(generator, asset, self._timeframe, relative, (log_close - log_open) / volatility)
        columns = (price(log_open), price(high), price(low), price(log_close), volume)
        return build(VENUE, symbol, self._timeframe, self._ts, *columns)


def _regimes(generator: np.random.Generator, size: int, timeframe: Timeframe) -> Ints:
    states = np.empty(size, dtype=np.int64)
    at, state = 0, int(generator.integers(len(_REGIMES) - 1))
    while at < size:
        length = int(generator.geometric(1 / _REGIMES[state].candles(timeframe)))
        states[at : at + length] = state
        at += length
        state = int(generator.choice(len(_REGIMES), p=_TURNS[state]))
    return states


def _shocks(generator: np.random.Generator, size: int) -> Floats:
    return np.asarray(generator.standard_t(_TAIL, size) / sqrt(_TAIL / (_TAIL - 2)), dtype=np.float64)


def _jumps(generator: np.random.Generator, size: int) -> Floats:
    strikes = generator.random(size) < _JUMPS
    sizes = generator.choice((-1.0, 1.0), size) * generator.uniform(3.0, 7.0, size)
    return np.where(strikes, sizes, 0.0)


def _log_volatility(generator: np.random.Generator, size: int, timeframe: Timeframe, spread: float) -> Floats:
    """Return log-volatility around zero with standard deviation ``spread``, half of its variance slow, half quick."""
    slow = max(7 * DAY_MS / timeframe.ms, 150.0)
    quick = max(DAY_MS / 3 / timeframe.ms, 12.0)
    return spread * sqrt(0.5) * (_autoregression(generator, size, slow) + _autoregression(generator, size, quick))


def _autoregression(generator: np.random.Generator, size: int, half_life: float) -> Floats:
    keep = 0.5 ** (1 / half_life)
    level = float(generator.standard_normal())
    noise = sqrt(1 - keep**2) * generator.standard_normal(size)
    levels = []
    for step in noise.tolist():
        level = keep * level + step
        levels.append(level)
    return np.array(levels, dtype=np.float64)


def _season(ts: Ints, timeframe: Timeframe) -> Floats:
    """Return the volatility of each candle relative to the week's mean: Europe's afternoon is America's morning."""
    day = (ts // DAY_MS + 3) % 7  # Monday is 0
    week = np.where(day >= 5, 0.82, 1.06) if timeframe.ms <= DAY_MS else np.ones(ts.size)
    if timeframe.ms >= DAY_MS:
        return week
    hour = ((ts + timeframe.ms // 2) % DAY_MS) / (DAY_MS / 24)
    daily = 1 + 0.28 * np.cos((hour - 15) * (2 * np.pi / 24)) + 0.08 * np.cos((hour - 2) * (4 * np.pi / 24))
    return np.asarray(week * daily, dtype=np.float64)


def _walk(noise: Floats, volatility: Floats, regimes: Ints, timeframe: Timeframe) -> Floats:
    """Return log prices, from zero on: trends drift, ranges pull back to the level at which they began."""
    anchor = timeframe.ms / _ANCHOR_MS
    # per candle, in volatilities: small beside the noise, large once added up
    drifts = [regime.trend / sqrt(regime.candles(timeframe)) for regime in _REGIMES]
    holds = [regime.hold for regime in _REGIMES]
    price = level = 0.0
    before = -1
    prices = []
    for step, width, state in zip(noise.tolist(), volatility.tolist(), regimes.tolist(), strict=True):
        if state != before:
            level, before = price, state
        price += step + drifts[state] * width - holds[state] * (price - level) - anchor * price
        prices.append(price)
    return np.array(prices, dtype=np.float64)


def _extremes(
    generator: np.random.Generator, log_open: Floats, log_close: Floats, volatility: Floats
) -> tuple[Floats, Floats]:
    """Return log highs and lows of a random path through each candle, from its open to its close."""
    steps = generator.standard_normal((log_open.size, _STEPS)) * (volatility / sqrt(_STEPS))[:, None]
    steps += ((log_close - log_open - steps.sum(axis=1)) / _STEPS)[:, None]
    path = log_open[:, None] + np.cumsum(steps, axis=1)
    high = np.maximum(np.maximum(log_open, log_close), path.max(axis=1))
    low = np.minimum(np.minimum(log_open, log_close), path.min(axis=1))
    return high, low


def _volume(
    generator: np.random.Generator, asset: _Asset, timeframe: Timeframe, relative: Floats, move: Floats
) -> Floats:
    """Return volumes in base currency: more when volatile, more on a large move, never two alike."""
    usual = asset.daily_turnover / asset.price * timeframe.ms / DAY_MS
    noise = 0.3 * _autoregression(generator, relative.size, 6.0) + 0.2 * generator.standard_normal(relative.size)
    volume = usual * relative**1.3 * (0.6 + 0.5 * np.abs(move)) * np.exp(noise - log(1.07))
    return np.maximum(np.round(volume, 5), 1e-5)
