"""What assets are worth: the last prices that anything here has seen, in whatever currency people count in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from cambist.domain.errors import NotFound
from cambist.domain.price import Price
from cambist.domain.record import record
from cambist.domain.timeframe import MINUTE_MS
from cambist.ports.heartbeat_log import HeartbeatLog
from cambist.ports.history import CandleLake, Series
from cambist.usecases.past import History

HUBS = ("USDT", "USDC", "USD", "EUR", "BTC")
"""Through which an asset is priced that has no price in the wanted currency itself; the first that works."""
PEGGED: dict[str, frozenset[str]] = {"USD": frozenset(("USDT", "USDC", "FDUSD", "DAI", "TUSD", "PYUSD", "USDP"))}
"""Coins that stand for a currency: taken at par where no price of theirs is known, and shown as such."""
_MOST_STEPS = 3
_SIGNALS = 200


@record
class Quote:
    """The last price of one symbol."""

    price: Decimal
    source: str
    ts: int


Tickers = Callable[[Sequence[str]], Mapping[str, tuple[Decimal, int]]]
"""Asks a venue for the last prices (price, ms) of symbols that it may not list; leaves out what it does not."""


class Prices:
    """The port ``prices(assets, quote)``: the newest price of each asset that is known, and where it is from.

    Looked for in this order, the newest of the first two winning: the journals of the user's accounts, the heartbeat's
    log, the candle lake, and (given ``tickers``) the venue. Nothing is asked of anybody over the network but by the
    last.
    """

    def __init__(
        self,
        history: History,
        heartbeat: HeartbeatLog | None = None,
        lake: CandleLake | None = None,
        tickers: Tickers | None = None,
    ) -> None:
        self._history = history
        self._heartbeat = heartbeat
        self._lake = lake
        self._tickers = tickers

    def __call__(self, assets: Iterable[str], quote: str) -> dict[str, Price]:
        """Return the prices of ``assets`` in ``quote`` (spot), those that are known."""
        wanted = set(assets)
        quotes = self._seen()
        found = _priced(wanted, quote, quotes)
        for more in (self._in_lake, self._at_venue):
            missing = {asset for asset in wanted if asset not in found or found[asset].source == "par"}
            if missing:
                quotes |= {name: one for name, one in more(missing, quote).items() if name not in quotes}
                found |= _priced(missing, quote, quotes)
        return found

    def _seen(self) -> dict[str, Quote]:
        quotes: dict[str, Quote] = {}
        for known in self._history.known().values():
            for symbol, price, ts in known.prices:
                _newer(quotes, symbol, Quote(price, "journal", ts))
        if self._heartbeat is not None:
            for signal in self._heartbeat.recent("1m", _SIGNALS):
                _newer(quotes, signal.symbol, Quote(signal.close, "heartbeat", signal.close_ms))
        return quotes

    def _in_lake(self, assets: Iterable[str], quote: str) -> dict[str, Quote]:
        """Return the last closes that the lake holds of the symbols that may price ``assets``."""
        if self._lake is None:
            return {}
        newest: dict[str, Series] = {}
        symbols = set(_symbols(assets, quote))
        for series in self._lake.series():
            known = newest.get(series.symbol)
            if series.symbol in symbols and (known is None or _end(series) > _end(known)):
                newest[series.symbol] = series
        quotes = {}
        for symbol, series in newest.items():
            try:
                candles = self._lake.read(series.venue, symbol, series.timeframe, since=series.last_ts)
            except NotFound:  # it was deleted meanwhile: it is a cache
                continue
            if len(candles):
                quotes[symbol] = Quote(Decimal(repr(float(candles.close[-1]))), "candles", _end(series))
        return quotes

    def _at_venue(self, assets: Iterable[str], quote: str) -> dict[str, Quote]:
        if self._tickers is None:
            return {}
        found = self._tickers(sorted(_symbols(assets, quote)))
        return {symbol: Quote(price, "venue", ts) for symbol, (price, ts) in found.items()}


def _newer(quotes: dict[str, Quote], symbol: str, quote: Quote) -> None:
    if quote.price > 0 and (symbol not in quotes or quotes[symbol].ts < quote.ts):
        quotes[symbol] = quote


def _end(series: Series) -> int:
    return series.last_ts + max(series.timeframe.ms, MINUTE_MS)


def _symbols(assets: Iterable[str], quote: str) -> Iterable[str]:
    """Yield the spot symbols that may price ``assets`` in ``quote``, at once or through a hub."""
    for asset in assets:
        for hub in (quote, *HUBS):
            yield f"{asset}/{hub}"
            yield f"{hub}/{asset}"
    for hub in HUBS:
        yield f"{hub}/{quote}"
        yield f"{quote}/{hub}"


def _priced(assets: Iterable[str], quote: str, quotes: Mapping[str, Quote]) -> dict[str, Price]:
    found = {asset: _price(asset, quote, quotes) for asset in assets}
    return {asset: price for asset, price in found.items() if price is not None}


def _price(asset: str, quote: str, quotes: Mapping[str, Quote]) -> Price | None:
    """Return the price by the fewest steps, by what was seen before what stands for something."""
    for pegged in (False, True):
        for steps in range(_MOST_STEPS):
            found = _by_way(asset, quote, quotes, steps, pegged=pegged)
            if found is not None:
                return found
    return None


def _by_way(asset: str, quote: str, quotes: Mapping[str, Quote], hubs: int, *, pegged: bool) -> Price | None:
    """Return the price by way of so many hubs, if there is one."""
    if not hubs:
        return _straight(asset, quote, quotes) or (_par(asset, quote) if pegged else None)
    for hub in HUBS:
        if hub not in (asset, quote):
            first = _by_way(asset, hub, quotes, 0, pegged=pegged)
            second = None if first is None else _by_way(hub, quote, quotes, hubs - 1, pegged=pegged)
            if first is not None and second is not None:
                return _joined(first, second)
    return None


def _straight(asset: str, quote: str, quotes: Mapping[str, Quote]) -> Price | None:
    if asset == quote:
        return Price(asset=asset, quote=quote, price=Decimal(1), source="same", ts=0)
    # a perpetual is an asset of its own, named as its symbol, and quoted in its own currency
    base, _, settled = asset.partition(":")
    known = quotes.get(f"{asset}/{quote}") or (quotes.get(asset) if settled and base.endswith(f"/{quote}") else None)
    if known is not None:
        return Price(asset=asset, quote=quote, price=known.price, source=known.source, ts=known.ts)
    turned = quotes.get(f"{quote}/{asset}")
    return (
        None
        if turned is None
        else Price(asset=asset, quote=quote, price=1 / turned.price, source=turned.source, ts=turned.ts)
    )


def _par(asset: str, quote: str) -> Price | None:
    one, other = asset in PEGGED.get(quote, ()), quote in PEGGED.get(asset, ())
    return Price(asset=asset, quote=quote, price=Decimal(1), source="par", ts=0) if one or other else None


def _joined(first: Price, second: Price) -> Price:
    sources = dict.fromkeys(f"{first.source}+{second.source}".split("+"))
    times = [one.ts for one in (first, second) if one.ts]
    return Price(
        asset=first.asset,
        quote=second.quote,
        price=first.price * second.price,
        source="+".join(sources),
        ts=min(times, default=0),
    )
