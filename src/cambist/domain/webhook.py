"""What an alert from elsewhere asks for: its fields become wishes, or a sentence that says what to mend.

Numbers are read from their text. What would be guessed is refused: an alert that says two things, a part of a position
to be sold, a protection whose unit nobody named.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal

from cambist.domain.errors import BadInput
from cambist.domain.record import record
from cambist.domain.webhook_action import ACTION_WORDS, ORDER_TYPES, action_of, position
from cambist.domain.webhook_body import (
    BEFORE,
    IDS,
    LIMITS,
    MEANT,
    NOTIONALS,
    PERCENTS,
    POSITION_SIZES,
    POSITIONS,
    PRICES,
    QUANTITIES,
    STOP_PERCENTS,
    STOPS,
    SYMBOLS,
    TARGET_PERCENTS,
    TARGETS,
    TIMES,
    TRAILS,
    TYPES,
    WORDS,
    Pieces,
    canonical,
    shown,
)

WishRow = dict[str, str | None]
"""A wish as the engine is asked for it."""
SIZES = ("fraction", "notional", "quantity")
"""The units of a size: of the bot's equity, of the quote currency, of the base currency."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,24}(?:\.[0-9]{0,24})?|\.[0-9]{1,24})(?:[eE][+-]?[0-9]{1,2})?")
_SYMBOL = re.compile(r"[A-Za-z0-9:./_-]{3,40}")
_GUARD_LIKE = re.compile(r"^(long|short|buy|sell)?(sl|tp)(\d|offset|price|pct|percent|tick|pip|point|dist|level|$)")
_GUARD_WORDS = ("stop", "takeprofit", "trail", "target")
_TEN = Context(prec=10)
_FARTHEST = Decimal("0.9")
"""A protection farther from the price than this is no price."""
_SECONDS_BELOW, _MILLISECONDS_BELOW = Decimal(10) ** 11, Decimal(10) ** 14


@record(kw_only=True)
class Defaults:
    """What an alert that does not say it means."""

    unit: str
    """One of `SIZES`."""
    size: Decimal
    stop_loss: Decimal | None = None
    """A fraction of the entry price."""
    take_profit: Decimal | None = None


@record(kw_only=True)
class Asked:
    """What an alert asks for."""

    symbol: str
    wishes: tuple[WishRow, ...]
    aside: tuple[str, ...]
    """Fields that mean nothing to us."""


def asked(found: Pieces, symbols: Iterable[str], defaults: Defaults) -> Asked:
    """Return what the fields of an alert ask for. Raises `BadInput` and `ParseError`."""
    found = _with_words(found)
    symbol = _symbol(found, tuple(symbols))
    action = action_of(found, spot=":" not in symbol)
    if action == "exit":
        _whole(found)
        wish: WishRow = {"kind": "exit"}
    elif action == "cancel":
        wish = {"kind": "cancel"}
    else:
        wish = _entry(found, action, symbol, defaults)
    return Asked(symbol=symbol, wishes=(wish,), aside=tuple(sorted(found.keys() - MEANT)))


def sent_ms(found: Pieces) -> int | None:
    """Return when an alert says that it was sent (ms), None if it does not. Raises `BadInput`."""
    for name in TIMES:
        if name in found:
            return _moment(name, found[name])
    return None


def one_time_id(found: Pieces) -> str | None:
    """Return what tells an alert from all others, None if it says nothing of the kind."""
    return next((found[name] for name in IDS if name in found), None)


def same_market(text: str, symbol: str) -> bool:
    """Tell whether ``text`` (``BINANCE:BTCUSDT.P``, ``BTC-USDT``) means ``symbol``, spot or perpetual."""
    return _market(text) == _market(symbol)


def positive(field: str, text: str) -> Decimal:
    """Return a number above 0 from its text; raise `BadInput`."""
    if _NUMBER.fullmatch(text):
        number = Decimal(text)
        if number > 0:
            return number
    raise BadInput(field, shown(text), "webhook.number")


def percent(field: str, text: str, most: int = 100) -> Decimal:
    """Return ``2%`` or ``2`` as the fraction 0.02; raise `BadInput` above ``most`` percent."""
    number = positive(field, text.removesuffix("%").strip())
    if number > most:
        raise BadInput(field, shown(text), "webhook.percent", most=most)
    return number / 100


# -- what is asked, of which market -----------------------------------------------------------------------------------


def _with_words(found: Pieces) -> Pieces:
    """Return the fields with plain words put where they belong: ``BUY BTCUSDT 10%``."""
    if WORDS not in found:
        return found
    told = {name: value for name, value in found.items() if name != WORDS}
    for word in found[WORDS].split():
        name = next((name for name in _places(word) if name not in told), None)
        if name is None:
            raise BadInput("body", shown(word), "webhook.word")
        told[name] = word
    return told


def _places(word: str) -> tuple[str, ...]:
    if canonical(word) in ACTION_WORDS:
        return ("action", "side")
    if _NUMBER.fullmatch(word):
        return ("qty",)
    if word.endswith("%"):
        return ("percent",)
    return ("symbol",) if _SYMBOL.fullmatch(word) else ()


def _symbol(found: Pieces, symbols: tuple[str, ...]) -> str:
    known = " ".join(symbols)
    named = [(name, found[name]) for name in SYMBOLS if name in found]
    if not named:
        if len(symbols) == 1:
            return symbols[0]
        raise BadInput("symbol", "", "webhook.no_symbol", known=known)
    meant = set()
    for name, text in named:
        fits = [symbol for symbol in symbols if same_market(text, symbol)]
        exact = [symbol for symbol in fits if (":" in symbol) == _perpetual(text)] or fits
        if len(exact) != 1:
            raise BadInput(name, shown(text), "webhook.symbol", known=known)
        meant.add(exact[0])
    if len(meant) > 1:
        raise BadInput(named[1][0], shown(named[1][1]), "webhook.differs", other=named[0][0], said=shown(named[0][1]))
    return meant.pop()


def _market(text: str) -> str:
    """Return the pair that ``text`` names, in letters and digits alone."""
    before, slash, after = text.upper().partition("/")
    upper = before.rpartition(":")[2] + slash + after.partition(":")[0]  # as ccxt writes a perpetual: BTC/USDT:USDT
    return re.sub(r"[^A-Z0-9]", "", re.sub(r"(\.PS?|[-_]?PERP|[-_]SWAP)$", "", upper))


def _perpetual(text: str) -> bool:
    upper = text.upper()
    return upper.endswith((".P", ".PS", "PERP")) or ":" in upper.partition("/")[2]


def _whole(found: Pieces) -> None:
    """Raise `BadInput` if an exit asks for a part."""
    for name in (*PERCENTS, *QUANTITIES):
        text = found.get(name, "100%")
        if (name in PERCENTS or text.endswith("%")) and percent(name, text) < 1:
            raise BadInput(name, shown(text), "webhook.part_exit")


# -- entries ----------------------------------------------------------------------------------------------------------


def _entry(found: Pieces, side: str, symbol: str, defaults: Defaults) -> WishRow:
    for name in sorted(found.keys() - MEANT):
        if _GUARD_LIKE.match(name) or any(word in name for word in _GUARD_WORDS):
            raise BadInput(name, shown(found[name]), "webhook.guard")
    limit = _limit(found)
    price = limit or _maybe(found, PRICES)
    guard = _Guard(side, price)
    unit, size = _size(found, side, symbol, defaults)
    trailing = _only(found, TRAILS)
    return {
        "kind": "enter",
        "side": side,
        unit: format(size, "f"),
        "limit": None if limit is None else format(limit, "f"),
        "stop_loss": _told(guard.fraction(found, STOPS, STOP_PERCENTS, above=-1) or defaults.stop_loss),
        "take_profit": _told(guard.fraction(found, TARGETS, TARGET_PERCENTS, above=1) or defaults.take_profit),
        "trailing_stop": None if trailing is None else _told(_trail(*trailing)),
    }


def _limit(found: Pieces) -> Decimal | None:
    """Return the limit price: ``price`` alone is where the market stood."""
    kind = next((found[name].lower() for name in (*TYPES, "order") if found.get(name, "").lower() in ORDER_TYPES), "")
    for name in TYPES:
        if name in found and found[name].lower() not in ORDER_TYPES and canonical(found[name]) not in ACTION_WORDS:
            raise BadInput(name, shown(found[name]), "webhook.order_type", known=" ".join(ORDER_TYPES))
    told = _only(found, LIMITS)
    if kind == "market" and told is not None:
        raise BadInput(told[0], shown(told[1]), "webhook.market_limit")
    limit = None if told is None else positive(*told)
    if kind == "limit" and limit is None:
        limit = _maybe(found, PRICES)
        if limit is None:
            raise BadInput("limit", "", "webhook.no_limit")
    return limit


def _size(found: Pieces, side: str, symbol: str, defaults: Defaults) -> tuple[str, Decimal]:
    """Return the unit and the size of an entry."""
    base, quote = symbol.partition(":")[0].split("/")
    given = [(name, found[name]) for name in (*PERCENTS, *NOTIONALS, *QUANTITIES) if name in found]
    if not given:
        return defaults.unit, defaults.size
    name, text = given[0]
    if len(given) > 1:
        raise BadInput(given[1][0], shown(given[1][1]), "webhook.differs", other=name, said=shown(text))
    if name in PERCENTS or text.endswith("%"):
        return "fraction", percent(name, text)
    if name in NOTIONALS:
        return "notional", positive(name, text)
    number, _, unit = text.partition(" ")
    if unit.strip().upper() == quote:
        return "notional", positive(name, number)
    if unit and unit.strip().upper() != base:
        raise BadInput(name, shown(text), "webhook.unit", base=base, quote=quote)
    quantity = positive(name, number)
    against = {"buy": "short", "sell": "long"}[side]
    if position(found, POSITIONS) is not None and position(found, BEFORE) == against:
        return "quantity", _after_reversal(found, name, text)
    return "quantity", quantity


def _after_reversal(found: Pieces, name: str, text: str) -> Decimal:
    """Return what is held once a position has been turned: the order's own size closes the old one too."""
    for size in POSITION_SIZES:
        if size in found:
            return positive(size, found[size].lstrip("-"))
    raise BadInput(name, shown(text), "webhook.reversal")


@record
class _Guard:
    """The distances of protections from the price of an entry."""

    side: str
    price: Decimal | None

    def fraction(
        self, found: Mapping[str, str], prices: Iterable[str], percents: Iterable[str], *, above: int
    ) -> Decimal | None:
        """Return a distance as a fraction; ``above`` is 1 for what lies above the entry of a buyer, -1 below."""
        told = _only(found, (*prices, *percents))
        if told is None:
            return None
        name, text = told
        if name in percents or text.endswith("%"):
            return percent(name, text, 99)
        level = positive(name, text)
        if self.price is None:
            raise BadInput(name, shown(text), "webhook.no_price")
        distance = (level / self.price - 1) * (above if self.side == "buy" else -above)
        if not 0 < distance < _FARTHEST:
            raise BadInput(name, shown(text), "webhook.guard_side", price=format(self.price, "f"), side=self.side)
        return distance


def _trail(name: str, text: str) -> Decimal:
    if not text.endswith("%") and "percent" not in name:
        raise BadInput(name, shown(text), "webhook.trail")
    return percent(name, text, 99)


def _told(fraction: Decimal | None) -> str | None:
    """Return a distance to ten digits: it is an estimate, not money."""
    return None if fraction is None else format(_TEN.plus(fraction), "f")


# -- fields -----------------------------------------------------------------------------------------------------------


def _only(found: Mapping[str, str], names: Iterable[str]) -> tuple[str, str] | None:
    """Return the one of these fields that is there; raise `BadInput` if several are."""
    there = [(name, found[name]) for name in names if name in found]
    if len(there) > 1:
        (other, said), (name, text) = there[0], there[1]
        raise BadInput(name, shown(text), "webhook.differs", other=other, said=shown(said))
    return there[0] if there else None


def _maybe(found: Mapping[str, str], names: Iterable[str]) -> Decimal | None:
    return next((positive(name, found[name]) for name in names if name in found), None)


def _moment(name: str, text: str) -> int:
    if _NUMBER.fullmatch(text):
        number = positive(name, text)
        if number < _SECONDS_BELOW:
            return int(number * 1_000)
        if number < _MILLISECONDS_BELOW:
            return int(number)
        raise BadInput(name, shown(text), "webhook.time")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(name, shown(text), "webhook.time") from None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000
