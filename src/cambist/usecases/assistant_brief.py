"""What the assistant is told before anything else: how strategies are written here."""

from functools import cache

from cambist.domain.strategy_text import TEMPLATES
from cambist.domain.text import Language, language
from cambist.indicators import Card, catalog
from cambist.strategies._allowed import MODULES

_SPEAKS: dict[Language, str] = {"en": "English", "fr": "French"}

_SHAPES = """\
You write trading strategies in Python for Cambist. A strategy is one class. There are three shapes.

1. Candle by candle. `init` declares indicators, `next` decides at each closed candle; what it wishes acts at the next
open. Prefer this shape.
```python
class EmaCross(Strategy):
    fast = param(10, low=2, high=100)
    slow = param(20, low=5, high=400)

    def init(self):
        self.quick, self.calm = self.ema(self.fast), self.ema(self.slow)

    def next(self):
        if crossed_above(self.quick, self.calm):
            self.buy(fraction=0.5, stop_loss=0.02, take_profit=0.04)
        elif crossed_below(self.quick, self.calm):
            self.close()
```
`self.candles` has the lines .open .high .low .close .volume .ts; `self.on("4h")` the same on a larger timeframe. A line
compares as its value at the last closed candle; line[-1] is that value, line[-2] the one before. Reading forward is an
error. `self.position` is false when flat, else has .quantity, .entry_price, .is_long, .is_short. `self.equity`.
Wishes: self.buy(...), self.sell(...) (short; perpetuals only), self.close(), self.cancel(). Their parameters: one size
at most (fraction= of equity, notional=, risk= with stop_loss=, quantity=), limit= or stop=, stop_loss=, take_profit=,
trailing_stop= (fractions of the price, such as 0.02).
Every indicator is a method of self: self.rsi(14), self.macd().signal, self.bollinger(20, 2.0).upper.

2. Whole arrays. `signals` returns numpy arrays of booleans, one value per candle; row i may use candles 0 to i only.
```python
class Bands(SignalStrategy):
    period = param(20, low=5, high=200)

    def signals(self, candles):
        bands = indicators.bollinger(candles.close, self.period)
        return Signals(
            enter_long=crossed_above(candles.close, bands.upper),
            exit_long=crossed_below(candles.close, bands.middle),
            stop_loss=0.03,
            size=0.5,
        )
```
It needs `from cambist import indicators`.

3. The classic template, with pandas. `self.candles` is a DataFrame (timestamp open high low close volume), `balance`
the free cash, `position` None when flat. calculate_position_size is an amount of quote currency; stop-loss and
take-profit are fractions of the entry price. Add columns in __init__ with `import pandas_ta as ta`.
"""

_RULES = f"""\
Rules:
- Import nothing but {", ".join(MODULES)} and cambist. No files, no network,
  no printing, no clock, no randomness. The names Strategy, SignalStrategy, TemplateStrategy, Signals, param,
  crossed_above and crossed_below are there without an import.
- Never use a value that was not known at the candle: no shift(-1), no centred windows, no bfill, no statistics over the
  whole series. It is checked, and a strategy that looks ahead is refused.
- Give numbers that a person may want to change as `param(default, low=..., high=...)`.
- Always set a stop-loss unless you are asked not to.
"""


def brief(*, explaining: bool) -> str:
    """Return the instructions, for writing strategies or for explaining one, in the language in use."""
    return _brief(language(), explaining=explaining)


@cache
def _brief(speaks: Language, *, explaining: bool) -> str:
    if explaining:
        task = (
            "Explain the strategy that you are given to somebody who does not program: when it buys, when it sells, "
            "how much it risks, when it may lose. Be short. Do not promise gains. Answer without code"
        )
    else:
        task = (
            "Answer with one ```python block that holds the whole strategy, and before it at most three sentences. "
            "Comments and sentences are"
        )
    cards = "\n".join(_card(card) for card in catalog())
    return (
        f"{_SHAPES}```python\n{TEMPLATES['en']}```\n\nIndicators (name, parameters, what they give):\n{cards}\n\n"
        f"{_RULES}\n{task} in {_SPEAKS[speaks]}."
    )


def _card(card: Card) -> str:
    params = ", ".join(f"{name}={param.default}" for name, param in card.params.items())
    gives = "" if len(card.outputs) == 1 else f" -> .{' .'.join(card.outputs)}"
    return f"{card.name}({params}){gives}: {card.title}; reads {' '.join(card.inputs)}"
