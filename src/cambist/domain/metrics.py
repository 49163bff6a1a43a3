"""The measures of a backtest: in what order they are read, in what unit, and which way is better.

One table for every place that shows them (report, command line, API): a metric is added here, computed in
`cambist.analytics.performance` and named in `cambist.domain.text.words` as ``metric.<key>``.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, isnan

from cambist.domain.text import language, say

_NARROW_SPACE = "\u202f"  # French parts thousands and the percent sign with a narrow space that does not break
_MINUS = "\u2212"  # as wide as a digit where figures are tabular; a hyphen is not


class Unit(StrEnum):
    """What a metric counts."""

    PERCENT = "percent"
    """A fraction (0.12), shown as 12 %."""
    RATIO = "ratio"
    MONEY = "money"
    """Quote currency."""
    COUNT = "count"
    DAYS = "days"


class Group(StrEnum):
    """Where a metric stands among the others."""

    RETURNS = "returns"
    RISK = "risk"
    TRADES = "trades"
    COSTS = "costs"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``better`` is +1 where more is better, -1 where less is, 0 where neither can be said."""

    key: str
    unit: Unit
    group: Group
    better: int = 0

    @property
    def text(self) -> str:
        """Return the key of its name in the texts."""
        return f"metric.{self.key}"

    @property
    def name(self) -> str:
        """Return its name in the language in use."""
        return say(self.text)

    def show(self, value: float, currency: str = "") -> str:
        """Return ``value`` as people read it, in the language in use, with its unit."""
        return show(self.unit, value, currency)


_ALL = (
    Metric("total_return", Unit.PERCENT, Group.RETURNS, +1),
    Metric("annual_return", Unit.PERCENT, Group.RETURNS, +1),
    Metric("buy_and_hold_return", Unit.PERCENT, Group.RETURNS),
    Metric("pnl", Unit.MONEY, Group.RETURNS, +1),
    Metric("final_equity", Unit.MONEY, Group.RETURNS, +1),
    Metric("sharpe", Unit.RATIO, Group.RISK, +1),
    Metric("sortino", Unit.RATIO, Group.RISK, +1),
    Metric("calmar", Unit.RATIO, Group.RISK, +1),
    Metric("volatility", Unit.PERCENT, Group.RISK, -1),
    Metric("max_drawdown", Unit.PERCENT, Group.RISK, +1),  # a negative fraction: nearer to zero is better
    Metric("max_drawdown_days", Unit.DAYS, Group.RISK, -1),
    Metric("buy_and_hold_max_drawdown", Unit.PERCENT, Group.RISK),
    Metric("exposure", Unit.PERCENT, Group.RISK),
    Metric("trades", Unit.COUNT, Group.TRADES),
    Metric("open_trades", Unit.COUNT, Group.TRADES),
    Metric("win_rate", Unit.PERCENT, Group.TRADES, +1),
    Metric("profit_factor", Unit.RATIO, Group.TRADES, +1),
    Metric("expectancy", Unit.MONEY, Group.TRADES, +1),
    Metric("average_win", Unit.MONEY, Group.TRADES, +1),
    Metric("average_loss", Unit.MONEY, Group.TRADES),
    Metric("best_trade", Unit.MONEY, Group.TRADES, +1),
    Metric("worst_trade", Unit.MONEY, Group.TRADES, +1),
    Metric("longest_winning_streak", Unit.COUNT, Group.TRADES, +1),
    Metric("longest_losing_streak", Unit.COUNT, Group.TRADES, -1),
    Metric("sqn", Unit.RATIO, Group.TRADES, +1),
    Metric("fees", Unit.MONEY, Group.COSTS, -1),
    Metric("slippage", Unit.MONEY, Group.COSTS, -1),
    Metric("turnover", Unit.RATIO, Group.COSTS),
)

METRICS: dict[str, Metric] = {metric.key: metric for metric in _ALL}


def show(unit: Unit, value: float, currency: str = "") -> str:
    """Return ``value`` in ``unit`` as people read it, in the language in use."""
    if isnan(value):
        return "\u2013"
    if not isfinite(value):
        return "\u221e" if value > 0 else f"{_MINUS}\u221e"
    if unit is Unit.PERCENT:
        return number(value * 100, 2) + (f"{_NARROW_SPACE}%" if language() == "fr" else "%")
    if unit is Unit.MONEY:
        return number(value, money_digits(value)) + (f"\u00a0{currency}" if currency else "")
    if unit is Unit.COUNT:
        return number(value, 0)
    if unit is Unit.DAYS:
        return say("metric.days", days=number(value, 0 if value >= 10 else 1))
    return number(value, 2)


def number(value: float, digits: int) -> str:
    """Return ``value`` with ``digits`` decimals, thousands parted, as the language in use writes numbers."""
    text = f"{value:,.{digits}f}"
    if text.startswith("-"):
        # what rounds to nothing has no sign
        text = _MINUS + text[1:] if text.strip("-0.,") else text[1:]
    if language() == "fr":
        text = text.replace(",", _NARROW_SPACE).replace(".", ",")
    return text


def money_digits(value: float) -> int:
    """Return how many decimals an amount deserves: cents as a rule, more below one so that small change is not 0.00."""
    size = abs(value)
    if size == 0 or size >= 1:
        return 2
    return 4 if size >= 0.01 else 8
