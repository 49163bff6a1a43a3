"""The verdict on the page: its light, and the figures behind it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan

from cambist.domain.judgement import Judgement
from cambist.domain.metrics import Unit, show
from cambist.domain.text import say

_FIGURES = {
    "deflated_sharpe": Unit.PERCENT,
    "luck": Unit.PERCENT,
    "luck_of_both": Unit.PERCENT,
    "trials": Unit.COUNT,
    "pbo": Unit.PERCENT,
    "minimum_track_days": Unit.DAYS,
    "track_days": Unit.DAYS,
    "band_low": Unit.PERCENT,
    "band_high": Unit.PERCENT,
    "drawdown_95": Unit.PERCENT,
    "total_return": Unit.PERCENT,
    "double_costs_return": Unit.PERCENT,
    "buy_and_hold_return": Unit.PERCENT,
    "hedged_sharpe": Unit.RATIO,
    "hedged_luck": Unit.PERCENT,
    "random_share": Unit.PERCENT,
    "out_of_sample_return": Unit.PERCENT,
    "out_of_sample_sharpe": Unit.RATIO,
    "out_of_sample_luck": Unit.PERCENT,
    "out_of_sample_probabilistic_sharpe": Unit.PERCENT,
    "walk_efficiency": Unit.PERCENT,
    "neighbours_kept": Unit.PERCENT,
    "sharpe": Unit.RATIO,
    "expected_max_sharpe": Unit.RATIO,
    "sharpe_low": Unit.RATIO,
    "sharpe_high": Unit.RATIO,
    "buy_and_hold_sharpe": Unit.RATIO,
    "probabilistic_sharpe": Unit.PERCENT,
    "pbo_loss": Unit.PERCENT,
    "pbo_slope": Unit.RATIO,
    "trades": Unit.COUNT,
    "out_of_sample_days": Unit.DAYS,
    "skewness": Unit.RATIO,
    "kurtosis": Unit.RATIO,
}
"""The figures behind the verdict in the order in which they are read: the tests that decide, then their makings."""
_ALWAYS = {
    "deflated_sharpe",
    "luck",
    "trials",
    "pbo",
    "minimum_track_days",
    "band_low",
    "band_high",
    "drawdown_95",
    "double_costs_return",
    "buy_and_hold_return",
    "random_share",
}
_OF_HELD_BACK = {"luck_of_both", "out_of_sample_days"}
"""These have a value even where nothing was held back, but no meaning."""


def light(judgement: Judgement) -> tuple[str, str]:
    """Return the verdict's light: its name for the style sheet, and its word."""
    return judgement.light.value, say(f"search_report.light.{judgement.light}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A figure behind the verdict and what it means."""

    name: str
    text: str
    why: str = ""


def facts(judgement: Judgement) -> list[Fact]:
    """Return the figures behind the verdict; those that no table names come last, under their own name.

    Tests that every search deserves are shown even where they could not be made; others only where they were.
    """
    figures, rows = judgement.figures, []
    held_back = not isnan(figures.get("out_of_sample_luck", nan))
    for key, unit in _FIGURES.items():
        if key in figures and (key in _ALWAYS or not isnan(figures[key])) and (held_back or key not in _OF_HELD_BACK):
            text = f"search_report.figure.{key}"
            rows.append(Fact(name=say(text), text=show(unit, figures[key]), why=say(f"{text}.why")))
    return rows + [
        Fact(name=key.replace("_", " "), text=show(Unit.RATIO, value))
        for key, value in figures.items()
        if key not in _FIGURES
    ]
