"""What a backtest gives: trades, equity, metrics, proof, and all that is needed to run it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.domain.proof import Proof
from cambist.domain.trade import Trades
from cambist.strategies._load import files_beside, source_of

if TYPE_CHECKING:
    from cambist.domain.candles import Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a backtest was run: money, costs and rules. Basis points (bps) are hundredths of a percent."""

    cash: float = 10_000.0
    fee_bps: float = 10.0
    """Taker fee; also the maker fee unless ``maker_fee_bps`` is given."""
    maker_fee_bps: float | None = None
    slippage_bps: float = 5.0
    """By how much market and stop fills are worse than the price they act at, half the usual spread included."""
    spread_bps: float = 0.0
    """A further spread between bid and ask, for markets wider than the slippage allows for; half of it is paid."""
    volume_share: float | None = 0.1
    """The largest share of a candle's volume that one order may take; None for no limit."""
    limit_touch: bool = False
    """Whether a limit order fills when price only touches it."""
    pyramiding: int = 1
    """How many entries in one direction may be held at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One indicator as the strategy saw it, for the chart."""

    name: str
    values: Floats
    """One value per candle of its leg; NaN until warmed up."""
    overlay: bool
    """Whether it is drawn on the price (unit ``price``) or in a pane of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leg:
    """One symbol of a backtest: its candles, its rules, and the indicators that were computed on it."""

    strategy: str
    candles: Candles
    instrument: Instrument
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """One finished backtest.

    ``ts`` (close times, ms), ``equity`` and ``buy_and_hold`` (quote currency) are arrays of one length: one value per
    candle close. Open positions are valued at that close.
    """

    strategy: str
    params: dict[str, Any]
    settings: Settings
    engine: str
    """``compiled`` or ``event loop``."""
    legs: tuple[Leg, ...]
    ts: Ints
    equity: Floats
    buy_and_hold: Floats
    trades: Trades
    metrics: dict[str, float]
    proof: Proof
    sources: tuple[type, ...] = ()
    """The strategies' classes."""
    notes: tuple[str, ...] = ()

    @property
    def data_hash(self) -> str:
        """Return a digest of all candles: the same data gives the same digest."""
        return digest_of_candles(leg.candles for leg in self.legs)

    @property
    def code_hash(self) -> str:
        """Return a digest of the files that define the strategies."""
        return digest_of_code(self.sources)


def markets_of(series: Iterable[Candles]) -> tuple[str, ...]:
    """Return what the market of each of ``series`` is called: its symbol, with the venue where several have it."""
    told = [(one.symbol, one.venue) for one in series]
    venues = Counter(symbol for symbol, _ in set(told))
    return tuple(symbol if venues[symbol] == 1 else f"{symbol} ({venue})" for symbol, venue in told)


def digest_of_candles(series: Iterable[Candles]) -> str:
    """Return a digest of all of ``series``, in their order."""
    digest = blake2b(digest_size=16)
    for candles in series:
        digest.update(f"{candles.venue} {candles.symbol} {candles.timeframe} {len(candles)}".encode())
        for column in ("ts", "open", "high", "low", "close", "volume"):
            digest.update(getattr(candles, column).tobytes())
    return digest.hexdigest()


def digest_of_code(strategies: Iterable[type]) -> str:
    """Return a digest of the files that define ``strategies``, and of those of one's own that they use."""
    digest = blake2b(digest_size=16)
    for strategy in strategies:
        digest.update(source_of(strategy).encode())
        for name, text in files_beside(strategy).items():
            digest.update(f"\n{name} {len(text)}\n".encode() + text)
    return digest.hexdigest()
