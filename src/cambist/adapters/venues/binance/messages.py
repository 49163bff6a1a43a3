"""What Binance's market streams send, from its text to our words. Pure: no clock, no connection.

Money is read from its text. Times come in milliseconds or, where a connection asked for ``timeUnit=MICROSECOND``, in
microseconds; both become milliseconds. A field that is absent or is not what the documents say raises `ParseError`
with its name. The messages: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn

from cambist.domain.errors import ParseError
from cambist.domain.order import Side
from cambist.domain.record import record
from cambist.domain.tick import CandleTick, DepthTick, TradeTick
from cambist.domain.timeframe import Timeframe

VENUE = "binance"

_BEGINNING = 200  # characters of a message that an error quotes
_MICROSECONDS_FROM = 10**14  # in milliseconds this is the year 5138; in microseconds, 1973
_HANDED_IN = "subscription answer"


@record(kw_only=True)
class BestQuote:
    """The best bid and ask of a symbol (``bookTicker``) after the book's update ``update``."""

    symbol: str
    update: int
    bid: Decimal
    bid_quantity: Decimal
    ask: Decimal
    ask_quantity: Decimal


@record(kw_only=True)
class ServerShutdown:
    """The server says that it will close this connection soon."""

    ts: int


@record(kw_only=True)
class Answer:
    """The answer to our request ``id`` on the stream; ``error`` is empty if it was obeyed."""

    id: int | None
    error: str = ""


Message = TradeTick | CandleTick | DepthTick | BestQuote | ServerShutdown | Answer


def market_id(symbol: str) -> str:
    """Return Binance's name of a spot pair: ``BTCUSDT`` for ``BTC/USDT``."""
    return symbol.replace("/", "").upper()


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_decode = JSONDecoder(parse_float=Decimal, parse_constant=_no_number).decode


def read_json(text: str) -> Any:
    """Return what the JSON ``text`` holds, numbers with a point as `Decimal`; raise `ParseError`."""
    try:
        return _decode(text)
    except (JSONDecodeError, ValueError, RecursionError):
        raise ParseError("feed.not_json", venue=VENUE, start=text[:_BEGINNING]) from None


def parse(text: str, symbols: Mapping[str, str], received_ms: int = 0) -> Message:
    """Return the one message in ``text``, in or out of the wrapper of combined streams.

    ``symbols`` gives our names by the venue's (``BTCUSDT``: ``BTC/USDT``); one that it does not name keeps the
    venue's. Raises `ParseError` naming the field.
    """
    data = read_json(text)
    if isinstance(data, dict) and "data" in data and "stream" in data:
        data = data["data"]
    fields = Fields(data, text)
    if "result" in data or "error" in data:
        return _answer(fields)
    event = data.get("e")
    if event is None and "u" in data and "B" in data:
        event = "bookTicker"  # the spot stream of best quotes does not name itself
    reader = _READERS.get(event) if isinstance(event, str) else None
    if reader is None:
        fields.bad("e", ", ".join(_READERS))
    fields.kind = event
    return reader(fields, symbols, received_ms)


class Fields:
    """The fields of one message, read one by one: the right type, or `ParseError` naming the field."""

    __slots__ = ("_data", "_text", "kind")

    def __init__(self, data: Any, text: str, kind: str = "message") -> None:
        if not isinstance(data, dict):
            raise ParseError("feed.not_object", venue=VENUE, start=text[:_BEGINNING])
        self._data: dict[str, Any] = data
        self._text = text
        self.kind = kind

    def bad(self, field: str, wanted: str) -> NoReturn:
        """Raise `ParseError` for ``field``."""
        value = self._data.get(field, "(absent)")
        raise ParseError(
            "feed.field",
            venue=VENUE,
            field=field,
            kind=self.kind,
            value=str(value)[:_BEGINNING],
            wanted=wanted,
            start=self._text[:_BEGINNING],
        )

    def inner(self, field: str) -> "Fields":
        """Return the fields of the object in ``field``."""
        value = self._data.get(field)
        if not isinstance(value, dict):
            self.bad(field, "{...}")
        return Fields(value, self._text, f"{self.kind}.{field}")

    def number(self, field: str) -> int:
        """Return a whole number."""
        value = self._data.get(field)
        if type(value) is not int:
            self.bad(field, "123")
        return value

    def time(self, field: str) -> int:
        """Return a time in ms, given in ms or in microseconds."""
        value = self._data.get(field)
        if type(value) is not int or value <= 0:
            self.bad(field, "1700000000000")
        return value // 1000 if value >= _MICROSECONDS_FROM else value

    def flag(self, field: str) -> bool:
        """Return a truth value."""
        value = self._data.get(field)
        if type(value) is not bool:
            self.bad(field, "true, false")
        return value

    def word(self, field: str) -> str:
        """Return a text that is not empty."""
        value = self._data.get(field)
        if type(value) is not str or not value:
            self.bad(field, '"..."')
        return value

    def price(self, field: str) -> Decimal:
        """Return money above zero, from its text."""
        value = _money(self._data.get(field))
        if value is None or value <= 0:
            self.bad(field, "> 0")
        return value

    def quantity(self, field: str) -> Decimal:
        """Return an amount, zero included, from its text."""
        value = _money(self._data.get(field))
        if value is None or value < 0:
            self.bad(field, ">= 0")
        return value

    def levels(self, field: str) -> tuple[tuple[Decimal, Decimal], ...]:
        """Return (price, quantity) pairs."""
        rows = self._data.get(field)
        if not isinstance(rows, list):
            self.bad(field, "[[...], ...]")
        pairs = []
        for row in rows:
            if not isinstance(row, list) or len(row) < 2:
                self.bad(field, '["price", "quantity"]')
            price, quantity = _money(row[0]), _money(row[1])
            if price is None or price <= 0 or quantity is None or quantity < 0:
                self.bad(field, '["> 0", ">= 0"]')
            pairs.append((price, quantity))
        return tuple(pairs)


def _money(value: object) -> Decimal | None:
    """Return the number in ``value`` (a text, or a JSON number that never was a float), None if it is none."""
    if type(value) is str:
        try:
            value = Decimal(value)
        except InvalidOperation:
            return None
    elif type(value) is int:
        value = Decimal(value)
    return value if isinstance(value, Decimal) and value.is_finite() else None


def _symbol(fields: Fields, symbols: Mapping[str, str]) -> str:
    name = fields.word("s")
    return symbols.get(name, name)


def _trade(fields: Fields, symbols: Mapping[str, str], received_ms: int) -> TradeTick:
    return _traded(fields, symbols, "t")


def _aggregate(fields: Fields, symbols: Mapping[str, str], received_ms: int) -> TradeTick:
    """Trades of one order at one price as one; ``id`` is the aggregate's, which rises by one as well."""
    return _traded(fields, symbols, "a")


def _traded(fields: Fields, symbols: Mapping[str, str], id_field: str) -> TradeTick:
    return TradeTick(
        symbol=_symbol(fields, symbols),
        id=fields.number(id_field),
        ts=fields.time("T"),
        price=fields.price("p"),
        quantity=fields.quantity("q"),
        taker=Side.SELL if fields.flag("m") else Side.BUY,
    )


def _kline(fields: Fields, symbols: Mapping[str, str], received_ms: int) -> CandleTick:
    symbol, row = _symbol(fields, symbols), fields.inner("k")
    try:
        timeframe = Timeframe(row.word("i"))
    except ValueError:
        row.bad("i", " ".join(Timeframe))
    return CandleTick(
        symbol=symbol,
        timeframe=timeframe,
        ts=row.time("t"),
        open=row.price("o"),
        high=row.price("h"),
        low=row.price("l"),
        close=row.price("c"),
        volume=row.quantity("v"),
        closed=row.flag("x"),
        first_trade=row.number("f"),
        last_trade=row.number("L"),
        received_ms=received_ms,
    )


def _depth(fields: Fields, symbols: Mapping[str, str], received_ms: int) -> DepthTick:
    first, last = fields.number("U"), fields.number("u")
    if last < first:
        fields.bad("u", f">= U ({first})")
    return DepthTick(
        symbol=_symbol(fields, symbols),
        first_update=first,
        last_update=last,
        bids=fields.levels("b"),
        asks=fields.levels("a"),
        ts=fields.time("E"),
    )


def _best(fields: Fields, symbols: Mapping[str, str], received_ms: int) -> BestQuote:
    return BestQuote(
        symbol=_symbol(fields, symbols),
        update=fields.number("u"),
        bid=fields.price("b"),
        bid_quantity=fields.quantity("B"),
        ask=fields.price("a"),
        ask_quantity=fields.quantity("A"),
    )


def _shutdown(fields: Fields, symbols: Mapping[str, str], received_ms: int) -> ServerShutdown:
    return ServerShutdown(ts=fields.time("E"))


def _answer(fields: Fields) -> Answer:
    fields.kind = _HANDED_IN
    number = None if fields._data.get("id") is None else fields.number("id")
    if fields._data.get("error") is None:
        return Answer(id=number)
    error = fields.inner("error")
    return Answer(id=number, error=f"{error.number('code')} {error.word('msg')}")


_READERS: dict[str, Callable[[Fields, Mapping[str, str], int], Message]] = {
    "trade": _trade,
    "aggTrade": _aggregate,
    "kline": _kline,
    "depthUpdate": _depth,
    "bookTicker": _best,
    "serverShutdown": _shutdown,
}
