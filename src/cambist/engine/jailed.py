"""Stored strategies, live: decided in a jailed process of their own, asked from here.

`Stored` and `JailedRunner` are the engine's side. `Inside` is the other side: it runs in the jailed process, with the
same `LiveRunner` as everybody's, and answers with wishes. What comes back is checked field by field before it is a
`Wish`: whoever wrote the code may have taken over the process that speaks.
"""

from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from cambist.domain.candles import Candle, Candles
from cambist.domain.errors import StrategyFailed
from cambist.domain.instrument import Instrument
from cambist.domain.order import Side, TimeInForce
from cambist.domain.timeframe import Timeframe
from cambist.domain.wire import from_text, to_text
from cambist.domain.wish import CancelEntries, Enter, Exit, Fraction, Notional, Quantity, Risk, Size, Wish
from cambist.engine.asking import LiveRunner, warm_up_needed
from cambist.engine.runners import Given, Runner, given
from cambist.ports.sandbox import Answer, Jailed, Limits, Sandbox
from cambist.strategies._base import Account
from cambist.strategies._failed import failed
from cambist.strategies._load import from_source

if TYPE_CHECKING:
    from cambist.ports.sandbox import Arrays

LIMITS = Limits(memory_mb=512, cpu_s=60.0, cpu_share=0.1, answer_mb=0.1)
"""Of one bot: a tenth of a core over the days, and a minute to warm up on."""
_BEGIN_S = 30.0
_A_CANDLE_S = 0.005
"""What is granted for each candle that it has to catch up with."""
_MOST_WISHES = 32
_LARGEST = 1e15
_COLUMNS = ("open", "high", "low", "close", "volume")
_SIZES: dict[str, type[Fraction] | type[Notional] | type[Risk]] = {
    "fraction": Fraction,
    "notional": Notional,
    "risk": Risk,
}
_PRICES = ("limit", "stop")
_SHARES = ("stop_loss", "take_profit", "trailing_stop")


class Stored:
    """A stored strategy, in a jailed process that waits for its history. `close` ends it."""

    def __init__(self, sandbox: Sandbox, code: str, name: str, params: Mapping[str, Any]) -> None:
        """Start the process; raise `NotAllowed` if the jail does not hold."""
        self._name = name
        self._about = {"code": code, "name": name, "params": dict(params)}
        self._process = sandbox.start(LIMITS)

    def warm_up(self, timeframe: Timeframe) -> int:
        """Return how many candles of history it needs; raise `BadStrategy`, `StrategyFailed`."""
        about = self._about | {"timeframe": str(timeframe)}
        needed = self._process.ask("needs", about, timeout_s=_BEGIN_S).values.get("needs")
        if type(needed) is not int or not 0 < needed < 10_000_000:
            raise self._nonsense()
        return needed

    def begin(self, history: Candles, instrument: Instrument, account: Account) -> "JailedRunner":
        """Let it begin after ``history``; raise `BadStrategy`, `StrategyFailed`."""
        price = float(history.close[-1])
        about = self._about | {
            "series": series_of(history),
            "instrument": to_text(Instrument, instrument),
            "purse": _purse(account, price),
        }
        self._process.ask("begin", about, columns_of(history), timeout_s=_BEGIN_S)
        return JailedRunner(self._process, self._name, int(history.ts[-1]), account)

    def over(self, candles: Candles, instrument: Instrument, account: Account) -> Runner:
        """Return it as a backtest asks it: over candles that are all there, of which it sees one at a time.

        What comes before the first candle that it is asked on is its history. Deciding raises as `begin` does.
        """
        rows = list(candles)
        begun: list[JailedRunner] = []
        held = (0.0, 0.0)

        def decide(i: int) -> tuple[Wish, ...]:
            if i == 0:
                return ()  # there is no history to begin with
            if not begun:
                begun.append(self.begin(candles[:i], instrument, account))
                begun[0].tell(*held)
            runner = begun[0]
            for row in rows[bisect_right(rows, runner.last_ts, key=_opened) : i]:
                runner.see(row)
            return runner.decide(rows[i], _BEGIN_S)

        def tell(quantity: float, entry_price: float) -> None:
            nonlocal held
            held = (quantity, entry_price)
            for runner in begun:
                runner.tell(quantity, entry_price)

        return Runner(0, decide, tell, {}, {}, self.warm_up(candles.timeframe))

    def close(self) -> None:
        """End its process."""
        self._process.close()

    def _nonsense(self) -> StrategyFailed:
        self.close()
        return StrategyFailed("sandbox.malformed")


class JailedRunner:
    """One bot's strategy in its jailed process: what `LiveRunner` is for code that is trusted."""

    def __init__(self, process: Jailed, name: str, last_ts: int, account: Account) -> None:
        self._process = process
        self.name = name
        self.last_ts = last_ts
        """Open time of the last candle seen (ms)."""
        self._account = account
        self._held = (0.0, 0.0)
        self._unseen: list[Candle] = []

    def see(self, candle: Candle) -> bool:
        """Take in a closed candle without deciding on it; tell whether it was new (later than all seen)."""
        if candle.ts <= self.last_ts:
            return False
        self.last_ts = candle.ts
        self._unseen.append(candle)  # it is told of with the next that is decided on
        return True

    def tell(self, quantity: float, entry_price: float) -> None:
        """Take note of the position: base currency, negative for a short, and its average entry price."""
        self._held = (quantity, entry_price)

    async def decide_soon(self, candle: Candle, limit_s: float) -> tuple[Wish, ...]:
        """Return what is wished at the close of ``candle``, nothing for one seen already.

        Raise `StrategyFailed` if the code raises, dies, takes longer than ``limit_s`` or answers nonsense; its process
        has then ended.
        """
        if not self.see(candle):
            return ()
        said, granted_s = self._question(candle, limit_s)
        return self._wishes(await self._process.ask_soon("decide", said, timeout_s=granted_s))

    def decide(self, candle: Candle, limit_s: float) -> tuple[Wish, ...]:
        """Return what `decide_soon` gives; blocks until then."""
        if not self.see(candle):
            return ()
        said, granted_s = self._question(candle, limit_s)
        return self._wishes(self._process.ask("decide", said, timeout_s=granted_s))

    def _question(self, candle: Candle, limit_s: float) -> tuple[dict[str, Any], float]:
        """Return what is asked at the close of ``candle``, and the seconds that are granted."""
        said = {
            "candles": [[one.ts, *(getattr(one, name) for name in _COLUMNS)] for one in self._unseen],
            "held": self._held,
            "purse": _purse(self._account, candle.close),
        }
        return said, limit_s + _A_CANDLE_S * (len(self._unseen) - 1)

    def _wishes(self, answer: Answer) -> tuple[Wish, ...]:
        self._unseen.clear()
        try:
            return _read(answer.values["wishes"])
        except (KeyError, ValueError, TypeError, InvalidOperation):
            self.close()
            raise StrategyFailed("sandbox.malformed") from None

    def close(self) -> None:
        """End its process."""
        self._process.close()


def series_of(candles: Candles) -> dict[str, str]:
    """Return what names a series."""
    return {"venue": candles.venue, "symbol": candles.symbol, "timeframe": str(candles.timeframe)}


def columns_of(candles: Candles, prefix: str = "") -> "Arrays":
    """Return the columns of a series by name."""
    return {prefix + name: getattr(candles, name) for name in ("ts", *_COLUMNS)}


def candles_of(series: Mapping[str, str], arrays: "Arrays", prefix: str = "") -> Candles:
    """Return the series that `series_of` and `columns_of` took apart."""
    columns: dict[str, Any] = {name: arrays[prefix + name] for name in ("ts", *_COLUMNS)}
    timeframe = Timeframe.parse(series["timeframe"])
    return Candles(venue=series["venue"], symbol=series["symbol"], timeframe=timeframe, **columns)


def _opened(candle: Candle) -> int:
    return candle.ts


def _purse(account: Account, price: float) -> tuple[float, float, float, float]:
    return account.cash(), account.equity(0.0), price, account.equity(price)


# -- wishes as plain values -------------------------------------------------------------------------------------------


def _written(wish: Wish) -> list[Any]:
    if not isinstance(wish, Enter):
        return ["exit" if isinstance(wish, Exit) else "cancel"]
    size = wish.size
    amount: str | float = (
        size.amount
        if isinstance(size, Notional)
        else str(size.amount)
        if isinstance(size, Quantity)
        else size.of_equity
    )
    how = {name: getattr(wish, name) for name in (*_PRICES, *_SHARES)}
    return ["enter", str(wish.side), type(size).__name__.lower(), amount, how, str(wish.time_in_force)]


def _read(said: Any) -> tuple[Wish, ...]:
    """Return the wishes that a jailed process says it has; raise ValueError, KeyError or TypeError for nonsense."""
    if not isinstance(said, list) or len(said) > _MOST_WISHES:
        raise TypeError("no list of wishes")
    return tuple(map(_wish, said))


def _wish(said: Any) -> Wish:
    match said:
        case ["exit"]:
            return Exit()
        case ["cancel"]:
            return CancelEntries()
        case ["enter", str(side), str(kind), amount, {**how}, str(time_in_force)]:
            prices = {name: _number(how[name]) for name in _PRICES}
            if any(price is not None and price <= 0.0 for price in prices.values()) or None not in prices.values():
                raise ValueError("prices")
            return Enter(
                side=Side(side),
                size=_size(kind, amount),
                **prices,
                **{name: _number(how[name]) for name in _SHARES},
                time_in_force=TimeInForce(time_in_force),
            )
        case _:
            raise ValueError("no wish")


def _size(kind: str, amount: Any) -> Size:
    if kind != "quantity":
        number = _number(amount)
        return _SIZES[kind](float("nan") if number is None else number)  # a size that is none is refused by risk
    if not isinstance(amount, str) or len(amount) > 40:
        raise TypeError("quantity")
    quantity = Decimal(amount)
    if not quantity.is_finite() or abs(quantity.adjusted()) > 20:
        raise ValueError("quantity")
    return Quantity(quantity)


def _number(said: Any) -> float | None:
    """Return a number as a strategy gives it; NaN, which indicators give where they have no value, is none."""
    if said is None or (type(said) is float and isnan(said)):
        return None
    if type(said) not in (int, float) or not isfinite(said) or abs(said) > _LARGEST:
        raise ValueError("number")
    return float(said)


# -- in the jailed process --------------------------------------------------------------------------------------------


class _Sent:
    """The account as it was sent with the last question. Equity is a straight line in the price."""

    def __init__(self, values: tuple[float, float, float, float]) -> None:
        self.values = values

    def equity(self, price: float) -> float:
        _, at_zero, known, at_known = self.values
        return at_known if price == known else at_zero + (at_known - at_zero) / known * price

    def cash(self) -> float:
        return self.values[0]


class Inside:
    """What a jailed process does for one bot."""

    def __init__(self) -> None:
        self._strategy: Given | None = None
        self._runner: LiveRunner | None = None
        self._account = _Sent((0.0, 0.0, 1.0, 0.0))

    def needs(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Answer how many candles of history the strategy needs."""
        return {"needs": warm_up_needed(self._loaded(values), values["timeframe"])}

    def begin(self, values: Mapping[str, Any], arrays: "Arrays") -> dict[str, Any]:
        """Begin with the history."""
        self._account.values = tuple(values["purse"])
        instrument = from_text(Instrument, values["instrument"])
        history = candles_of(values["series"], arrays)
        self._runner = LiveRunner(self._loaded(values), history, instrument, account=self._account)
        return {}

    def decide(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Decide on the last of the candles sent."""
        runner = self._runner
        if runner is None:
            raise StrategyFailed("sandbox.closed")
        *missed, last = (Candle(*row) for row in values["candles"])
        for candle in missed:
            runner.see(candle)
        self._account.values = tuple(values["purse"])
        runner.tell(*values["held"])
        try:
            return {"wishes": [_written(wish) for wish in runner.on_candle(last)]}
        except BaseException as error:
            raise failed(runner.strategy, error, last.ts) from error

    def _loaded(self, values: Mapping[str, Any]) -> Given:
        if self._strategy is None:
            self._strategy = given(from_source(values["code"], values["name"]), values["params"])
        return self._strategy
