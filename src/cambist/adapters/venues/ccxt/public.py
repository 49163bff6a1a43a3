"""The public candles of any exchange that ccxt knows."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from functools import partial
from math import ceil, inf
from typing import Any

import numpy as np

from cambist.adapters.venues.ccxt.backoff import Backoff
from cambist.adapters.venues.ccxt.client import connect, load_only, market_kind
from cambist.adapters.venues.ccxt.errors import translate
from cambist.adapters.venues.ccxt.gather import gathered
from cambist.adapters.venues.ccxt.lazy import error_classes, venues
from cambist.adapters.venues.ccxt.rules import instrument_of
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, NotFound, VenueRefused
from cambist.domain.instrument import Instrument
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe
from cambist.market.series import breaches, build, cells

_log = logging.getLogger(__name__)

_CLOCK_HOLDS_S = 600.0
_UNSTATED_PAGE = 100  # candles per answer that we count on where ccxt does not know the venue's limit
_FAMILIAR = ("binance", "bitget", "bybit", "coinbase", "kraken", "okx")
_PATIENT = Backoff()
# what ccxt's parsers raise when an answer has a shape that they do not expect
_MISREAD = (LookupError, TypeError, ValueError, AttributeError, OSError)


class CcxtPublicMarket:
    """One venue's public candles, through ccxt (`cambist.ports.history.PublicMarket`).

    ``base_url`` sends every request to another host (the project's simulators), ``timeout_s`` is the patience with one
    request, ``backoff`` the patience with the venue. Raises `BadInput` for a venue that ccxt does not know.
    """

    def __init__(
        self, venue: str, base_url: str | None = None, *, timeout_s: float = 10.0, backoff: Backoff = _PATIENT
    ) -> None:
        self.venue = venue.lower()
        self._backoff = backoff
        self._kind: str | None = None
        self._window = _UNSTATED_PAGE
        self._venue_ahead_ms, self._measured_s = 0.0, -inf
        try:
            self._exchange = connect(self.venue, base_url=base_url, timeout_s=timeout_s)
        except KeyError:
            near = _near(self.venue, sorted(venues())) or list(_FAMILIAR)
            raise BadInput("venue", venue, "venue.known", near=", ".join(near), count=len(venues())) from None

    def instrument(self, symbol: str) -> Instrument:
        """Return the venue's rules for ``symbol``; raise `NotFound` with near matches."""
        return instrument_of(self.venue, self._market(symbol), self._exchange.precisionMode)

    def timeframes(self) -> tuple[Timeframe, ...]:
        """Return the timeframes in which the venue itself keeps candles, shortest first."""
        known = self._exchange.timeframes or {}
        return tuple(timeframe for timeframe in Timeframe if timeframe in known)

    def candles(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Iterator[Candles]:
        """Yield closed candles opening in ``[since, until)`` (ms) in order, page by page.

        Closed is judged by the venue's clock. A timeframe that the venue does not keep is gathered from the largest
        of its own that fits. Raises `NotFound` (symbol), `BadInput` (timeframe), `VenueRefused`, and
        `VenueUnavailable` once asking again has not helped.
        """
        market = self._market(symbol)
        source = self._source(timeframe)
        until = min(_next_open(timeframe, until), timeframe.floor(self._now_ms()))
        since = _next_open(timeframe, since)
        self._window = self._page_limit(market)
        pages = self._pages(market["symbol"], source, since, until)
        return pages if source is timeframe else gathered(pages, timeframe)

    def _pages(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Iterator[Candles]:
        cursor = since
        while cursor < until:
            limit = min(self._window, ceil((until - cursor) / timeframe.ms))
            page = self._ask(partial(self._page, symbol, timeframe, cursor, limit))
            fresh = page.between(cursor, until)
            if len(fresh):
                yield fresh
            if len(page) and int(page.ts[-1]) >= cursor:
                cursor = timeframe.close_of(int(page.ts[-1]))
            else:
                beyond = timeframe.floor(cursor + limit * timeframe.ms)
                cursor = self._after_hole(symbol, timeframe, max(beyond, timeframe.close_of(cursor)), until)

    def _after_hole(self, symbol: str, timeframe: Timeframe, cursor: int, until: int) -> int:
        """Return where to go on after an empty page: at ``cursor`` or later.

        Asked in days, years before a listing or after a delisting take a few requests instead of thousands.
        """
        day = Timeframe.D1
        if timeframe.ms >= day.ms or day not in self.timeframes():
            return cursor
        probe = day.floor(cursor)
        while probe < until:
            limit = min(self._window, ceil((until - probe) / day.ms))
            rows = self._ask(partial(self._exchange.fetch_ohlcv, symbol, day.value, probe, limit))
            days = [row[0] for row in rows if row[0] >= probe]
            if days:
                return max(cursor, timeframe.floor(days[0]))
            probe += limit * day.ms
        return until

    def _page(self, symbol: str, timeframe: Timeframe, since: int, limit: int) -> Candles:
        rows = self._exchange.fetch_ohlcv(symbol, timeframe.value, since, limit)
        by_open = {row[0]: row for row in rows if None not in row[:5]}  # None: no trade; sent twice: the later one
        opens = sorted(by_open)
        strange = next((ts for ts in opens if timeframe.floor(ts) != ts), None)
        if strange is not None:
            raise VenueRefused("venue.misaligned", venue=self.venue, timeframe=timeframe, ts=strange)
        table = np.array([[float(cell or 0) for cell in by_open[ts][1:6]] for ts in opens], dtype=np.float64)
        return self._possible(build(self.venue, symbol, timeframe, opens, *table.reshape(-1, 5).T))

    def _possible(self, candles: Candles) -> Candles:
        """Return ``candles`` without those that break the rules of candles."""
        broken = [breach.at for breach in breaches(candles, jumps=False)]
        if not broken:
            return candles
        # One impossible row must not cost the thousands around it: it is left out, as a gap that everyone can see.
        _log.warning("%s", say("venue.left_out", venue=self.venue, count=len(broken), row=cells(candles, broken[0])))
        names = ("ts", "open", "high", "low", "close", "volume")
        columns = (np.delete(getattr(candles, name), broken) for name in names)
        return build(self.venue, candles.symbol, candles.timeframe, *columns)

    def _source(self, timeframe: Timeframe) -> Timeframe:
        """Return the venue's own timeframe from which candles of ``timeframe`` are made."""
        offered = self.timeframes()
        if not self._exchange.has.get("fetchOHLCV"):
            raise VenueRefused("venue.no_candles", venue=self.venue)
        fitting = [smaller for smaller in offered if timeframe.holds(smaller)]
        if not fitting:
            raise BadInput("timeframe", str(timeframe), "venue.timeframes", venue=self.venue, known=" ".join(offered))
        return fitting[-1]

    def _market(self, symbol: str) -> dict[str, Any]:
        kind = market_kind(symbol)
        if kind != self._kind:
            load_only(self._exchange, kind)
            self._ask(partial(self._exchange.load_markets, True))
            self._kind = kind
        market = self._exchange.markets.get(symbol)
        if market is None:
            near = _near(symbol, list(self._exchange.markets))
            key = "venue.symbol_near" if near else "venue.symbol_unknown"
            raise NotFound(key, venue=self.venue, symbol=symbol, near=", ".join(near))
        found: dict[str, Any] = market
        return found

    def _page_limit(self, market: dict[str, Any]) -> int:
        limit = self._exchange.feature_value(market["symbol"], "fetchOHLCV", "limit")
        return int(limit or _UNSTATED_PAGE)

    def _now_ms(self) -> int:
        """Return the time by the venue's clock; ours may be wrong, and would then let an unfinished candle pass."""
        if not 0 <= time.time() - self._measured_s < _CLOCK_HOLDS_S:  # a machine that slept counted none of it
            self._venue_ahead_ms = self._venue_clock_ms() - time.monotonic() * 1000
            self._measured_s = time.time()
        return int(time.monotonic() * 1000 + self._venue_ahead_ms)

    def _venue_clock_ms(self) -> int:
        if self._exchange.has.get("fetchTime") is True:
            return int(self._ask(self._exchange.fetch_time))
        date = (self._exchange.last_response_headers or {}).get("Date")
        return int(parsedate_to_datetime(date).timestamp() * 1000) if date else int(time.time() * 1000)

    def _ask(self, question: Callable[[], Any]) -> Any:
        def once() -> Any:
            try:
                return question()
            except (error_classes().BaseError, *_MISREAD) as error:
                raise translate(error, self.venue) from error

        return self._backoff.ask(once, self.venue)


def _next_open(timeframe: Timeframe, ts: int) -> int:
    """Return the first open time at or after ``ts``."""
    floor = timeframe.floor(ts)
    return ts if floor == ts else timeframe.close_of(floor)


def _near(wish: str, names: Sequence[str]) -> list[str]:
    """Return names that ``wish`` may have meant, the likeliest first: spelled alike, but for case and signs."""
    spelled = {_letters(name): name for name in reversed(names)}
    return [spelled[match] for match in get_close_matches(_letters(wish), spelled, n=5, cutoff=0.6)]


def _letters(name: str) -> str:
    return "".join(sign for sign in name.upper() if sign.isalnum())
