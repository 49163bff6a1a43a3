"""What the page says in words and figures: the proof stamp, measures, months, and how the result came about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.analytics.performance import monthly_returns
from cambist.domain.metrics import METRICS, Group, Metric, Unit, number, show
from cambist.domain.proof import Difference, Proof, Verdict
from cambist.domain.text import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.backtest.result import Leg, Result

_HEADLINE = ("total_return", "max_drawdown", "sharpe", "win_rate", "profit_factor", "trades", "final_equity")
_SHADES = 6
_LEAST_SCALE = 0.05  # a month that moved by 5 % has full colour, unless others moved more


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed proof, and the first place where it shows."""

    why: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The proof stamp: its state (``pass``, ``fail``, ``skipped``) and what it says."""

    state: Verdict
    title: str
    who: str
    why: str = ""
    short: str = ""
    failures: list[Failure] = field(default_factory=list)


def stamp(proof: Proof, who: str) -> Stamp:
    """Return the stamp of a proof. A failure outweighs what was not checked."""
    verdicts = (proof.look_ahead, proof.warm_up)
    if Verdict.FAIL in verdicts:
        failures = []
        if proof.look_ahead is Verdict.FAIL:
            failures.append(_failure(say("report.proof.fail_look_ahead"), proof.look_ahead_difference))
        if proof.warm_up is Verdict.FAIL:
            why = say("report.proof.fail_warm_up", candles=number(proof.warm_up_candles, 0))
            failures.append(_failure(why, proof.warm_up_difference))
        state, why = Verdict.FAIL, ""
    elif Verdict.SKIPPED in verdicts:
        state, failures = Verdict.SKIPPED, []
        what = "look_ahead" if proof.look_ahead is Verdict.SKIPPED else "warm_up"
        what = "both" if proof.look_ahead is proof.warm_up else what
        why = say(f"report.proof.skipped_{what}")
    else:
        state, failures = Verdict.PASS, []
        checks, candles = number(proof.checks, 0), number(proof.warm_up_candles, 0)
        why = say("report.proof.pass_why", checks=checks, candles=candles)
    return Stamp(
        state=state,
        title=say(f"report.proof.{state}"),
        who=who,
        why=why,
        short=say(f"report.proof.short.{state}"),
        failures=failures,
    )


def _failure(why: str, difference: Difference | None) -> Failure:
    if difference is None:
        return Failure(why=why, facts=[])
    facts = [
        (say("report.proof.candle"), f"{difference.symbol} · {minute(difference.ts)} UTC"),
        (say("report.proof.column"), difference.column),
        (say("report.proof.used"), _apart(difference.used, difference.truncated)),
        (say("report.proof.truncated"), _apart(difference.truncated, difference.used)),
    ]
    return Failure(why=why, facts=facts)


def _apart(value: float, other: float) -> str:
    """Return ``value`` with as many figures as it takes to tell it from ``other``."""
    if not isfinite(value):
        return show(Unit.RATIO, value)
    digits = 2
    if isfinite(other):
        while digits < 15 and f"{value:.{digits}f}" == f"{other:.{digits}f}":
            digits += 1
        digits = min(15, digits + 1)
    return number(value, digits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A named figure. ``tone`` is ``up``, ``down`` or nothing; ``unit`` stands small beside it, ``aside`` under it."""

    name: str
    text: str
    tone: str = ""
    unit: str = ""
    aside: str = ""


def headline(result: Result) -> list[Figure]:
    """Return the few figures that are read first."""
    currency = quote_of(result)
    figures = []
    for key in _HEADLINE:
        if key not in result.metrics:
            continue
        metric, value = METRICS[key], result.metrics[key]
        aside = ""
        if key == "total_return" and "buy_and_hold_return" in result.metrics:
            beyond = value - result.metrics["buy_and_hold_return"]
            difference = ("+" if beyond > 0 else "") + show(Unit.PERCENT, beyond)
            aside = say("report.against_hold", difference=difference)
        unit = currency if metric.unit is Unit.MONEY else ""
        figures.append(
            Figure(name=metric.name, text=metric.show(value), tone=_tone(metric, value), unit=unit, aside=aside)
        )
    return figures


def measures(result: Result) -> list[tuple[str, list[Figure]]]:
    """Return all metrics in their groups; those that no table knows come last, under their own name."""
    currency = quote_of(result)
    groups = []
    for group in Group:
        figures = [
            Figure(name=metric.name, text=metric.show(value, currency), tone=_tone(metric, value))
            for key, metric in METRICS.items()
            if metric.group is group and (value := result.metrics.get(key)) is not None
        ]
        if figures:
            groups.append((say(f"report.group.{group}"), figures))
    others = [
        Figure(name=key.replace("_", " "), text=show(Unit.RATIO, value))
        for key, value in result.metrics.items()
        if key not in METRICS
    ]
    if others:
        groups.append((say("report.group.other"), others))
    return groups


_SIGNED = {"total_return", "annual_return", "buy_and_hold_return", "pnl", "expectancy", "average_win", "average_loss"}
_SIGNED |= {"best_trade", "worst_trade", "max_drawdown", "buy_and_hold_max_drawdown"}


def _tone(metric: Metric, value: float) -> str:
    if metric.key not in _SIGNED or not value or value != value:
        return ""
    return "up" if value > 0 else "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One metric over several results: its texts, and the places of the best (none where nothing is better)."""

    name: str
    texts: list[str]
    best: set[int]


def comparison(results: Sequence[Result]) -> list[Comparison]:
    """Return the metrics of several results side by side."""
    rows = []
    for key, metric in METRICS.items():
        values = [result.metrics.get(key, float("nan")) for result in results]
        known = [value * metric.better for value in values if value == value]
        if not known:
            continue
        apart = metric.better and max(known) > min(known)
        best = {i for i, value in enumerate(values) if apart and value * metric.better == max(known)}
        texts = [metric.show(value, quote_of(result)) for value, result in zip(values, results, strict=True)]
        rows.append(Comparison(name=metric.name, texts=texts, best=best))
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """One row of the month table: a (text, class) pair for each month and one for the year."""

    year: int
    months: list[tuple[str, str]]
    total: tuple[str, str]


def months(result: Result) -> list[Year]:
    """Return the returns by month, a row per year, coloured by size."""
    if result.ts.size < 2:
        return []
    returns = {
        (year, month): value for year, month, value in monthly_returns(result.ts, result.equity, result.settings.cash)
    }
    sizes = [abs(value) for value in returns.values() if isfinite(value)]
    scale = max(_LEAST_SCALE, float(np.quantile(sizes, 0.9))) if sizes else _LEAST_SCALE
    rows = []
    for year in sorted({year for year, _ in returns}):
        row = [returns.get((year, month)) for month in range(1, 13)]
        total = float(np.prod([1 + value for value in row if value is not None])) - 1
        cells = [_cell(value, scale) for value in row]
        rows.append(Year(year=year, months=cells, total=_cell(total, scale * 3)))
    return rows


def _cell(value: float | None, scale: float) -> tuple[str, str]:
    if value is None or not isfinite(value):
        return "", ""
    shade = min(_SHADES, ceil(abs(value) / scale * _SHADES))
    # the sign says more than a percent sign in each of a hundred cells
    text = number(value * 100, 1)
    return text, f"heat {'up' if value > 0 else 'down'}-{shade}" if shade else "heat"


def settings_rows(result: Result) -> list[tuple[str, str]]:
    """Return the settings: name and text."""
    settings = result.settings
    maker = settings.fee_bps if settings.maker_fee_bps is None else settings.maker_fee_bps
    share = say("report.no_limit") if settings.volume_share is None else show(Unit.PERCENT, settings.volume_share)
    texts = {
        "cash": show(Unit.MONEY, settings.cash, quote_of(result)),
        "fee_bps": _bps(settings.fee_bps),
        "maker_fee_bps": _bps(maker),
        "slippage_bps": _bps(settings.slippage_bps),
        "spread_bps": _bps(settings.spread_bps),
        "volume_share": share,
        "limit_touch": say("report.yes" if settings.limit_touch else "report.no"),
        "pyramiding": number(settings.pyramiding, 0),
    }
    return [(say(f"report.setting.{key}"), text) for key, text in texts.items()]


def _bps(value: float) -> str:
    return say("report.bps", value=number(value, 0 if float(value).is_integer() else 2))


def params_rows(params: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the strategy's parameters: name and value as it was given."""
    return [(str(key), str(value)) for key, value in params.items()]


def data_rows(leg: Leg) -> list[tuple[str, str]]:
    """Return where a leg's candles come from and how far they reach."""
    candles, instrument = leg.candles, leg.instrument
    rows = [
        (say("report.run.venue"), candles.venue),
        (say("report.run.timeframe"), str(candles.timeframe)),
        (say("report.run.candles"), number(len(candles), 0)),
    ]
    if len(candles):
        rows.append((say("report.run.first"), minute(int(candles.ts[0]))))
        rows.append((say("report.run.last"), minute(int(candles.ts[-1]))))
    rules = say("report.run.rules_assumed")
    if not instrument.assumed:
        tick, lot, minimum = (
            f"{value.normalize():f}" for value in (instrument.tick_size, instrument.lot_step, instrument.min_notional)
        )
        rules = say("report.run.rules_known", tick=tick, lot=lot, minimum=minimum, quote=instrument.quote)
    rows.append((say("report.run.rules"), rules))
    return rows


def quote_of(result: Result) -> str:
    """Return the currency in which the result is counted."""
    return result.legs[0].instrument.quote if result.legs else ""


def span_of(result: Result) -> str:
    """Return the range of time and its length in words."""
    if not result.ts.size:
        return ""
    opens = [int(leg.candles.ts[0]) for leg in result.legs if len(leg.candles)]
    first, last = min([*opens, int(result.ts[0])]), int(result.ts[-1])
    days = (last - first) / 86_400_000
    length = say("report.days", days=number(days, 0 if days >= 10 else 1))
    return f"{minute(first)[:10]} \u2192 {minute(last)[:10]} ({length})"


def minute(ts: int) -> str:
    """Return a time in UTC, to the minute."""
    return datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d %H:%M")
