"""The evidence on a search's best, the figures that come of it, and the word; the rules are in `reasons`."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, log, nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.analytics import overfitting, resampling
from cambist.analytics.performance import sharpe
from cambist.backtest.optimise.reasons import DOUBT, LUCKY, reasons_of, word
from cambist.domain.judgement import Judgement

if TYPE_CHECKING:
    from cambist.analytics.resampling import RandomEntries
    from cambist.domain.candles import Floats

TRIALS = 20_000
"""Of more than these, evenly spread ones are cross-validated: enough for the chance, and some seconds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """All that the word rests on: arrays and numbers. What is not known is None, or NaN for a number."""

    returns: Floats
    """Of the chosen one, over what it was chosen on; per period, after costs."""
    periods: float
    """Returns in a year."""
    market: Floats
    """Of buy-and-hold, over the same time: as many."""
    pnl: Floats
    """Profit of each of its trades that have ended, in that order (quote currency)."""
    cash: float
    trials: int
    """How many were tried over the study's whole life."""
    sharpes: Floats
    """Of the trials, per period; those that are NaN are passed over."""
    moments: Floats | None = None
    """Of the trials' returns: shape (trials, BLOCKS, MOMENTS)."""
    double_costs_return: float = nan
    """Its total return had fees and slippage been twice as high."""
    random: RandomEntries | None = None
    out_of_sample: Floats | None = None
    """Its returns on what was held back, per period."""
    out_of_sample_trades: float | None = None
    """How many trades it made there, one that has not ended included; None: none if nothing was gained or lost."""
    looks: int = 1
    """How often that part was looked at, this time included: each look spoils it a little."""
    walk_efficiency: float | None = None
    """None: there was no walk. NaN: there was one whose trainings had nothing to keep."""
    neighbours_kept: float | None = None
    proof_failed: bool = False
    seed: int = 0
    """Of everything drawn here."""


def judge(evidence: Evidence, *, draws: int = resampling.DRAWS) -> Judgement:
    """Return the word on ``evidence``, its three weightiest reasons, and all figures.

    The same evidence gives the same word: what is drawn (``draws`` times) is drawn from its seed.
    """
    figures = _figures(evidence, draws)
    reasons = reasons_of(
        figures,
        proof_failed=evidence.proof_failed,
        idle=_idle(evidence),
        walked=evidence.walk_efficiency is not None,
    )
    light, key = word(reasons)
    params = {name: round(figures[name]) for name in ("trials", "trades")}
    params["days"] = round(figures["track_days"] + figures["out_of_sample_days"])
    return Judgement(light=light, key=key, params=params, reasons=reasons[:3], figures=figures)


# -- figures ----------------------------------------------------------------------------------------------------------


def _figures(evidence: Evidence, draws: int) -> dict[str, float]:
    returns, count = evidence.returns, evidence.returns.size
    rng = np.random.default_rng(evidence.seed)
    skewness, kurtosis = overfitting.skewness_kurtosis(returns)
    ratio = sharpe(returns, 1.0)
    hedged = _hedged(returns, evidence.market)
    apart = sharpe(hedged, 1.0)
    trials = max(evidence.trials, 1)
    variance = _variance(evidence, count)
    highest = overfitting.expected_max_sharpe(variance, trials)
    luck = overfitting.luck_of_the_best(ratio, count, skewness, kurtosis, trials)
    year = evidence.periods**0.5
    days = 365.0 / evidence.periods
    # with so many tries, each must be ruled out with so much more confidence that all of them are
    needed = overfitting.minimum_track_record(ratio, 0.0, skewness, kurtosis, (1.0 - LUCKY) ** (1.0 / trials))
    bands = resampling.bands(returns, evidence.periods, rng, draws=draws)
    drawdowns = resampling.shuffled_drawdowns(resampling.trade_returns(evidence.pnl, evidence.cash), rng, draws)
    return {
        "total_return": float(np.prod(1.0 + returns)) - 1.0,
        "trades": float(evidence.pnl.size),
        "trials": float(evidence.trials),
        "sharpe": ratio * year,
        "skewness": skewness,
        "kurtosis": kurtosis,
        "probabilistic_sharpe": overfitting.probabilistic_sharpe(ratio, 0.0, count, skewness, kurtosis),
        "expected_max_sharpe": highest * year,
        "deflated_sharpe": overfitting.probabilistic_sharpe(ratio, highest, count, skewness, kurtosis),
        "luck": luck,
        "track_days": count * days,
        "out_of_sample_days": (0 if evidence.out_of_sample is None else evidence.out_of_sample.size) * days,
        "minimum_track_days": needed * days,
        "band_low": bands.annual_return[0],
        "band_high": bands.annual_return[2],
        "sharpe_low": bands.sharpe[0],
        "sharpe_high": bands.sharpe[2],
        "drawdown_95": float(np.quantile(drawdowns, DOUBT)) if drawdowns.size else nan,
        "double_costs_return": evidence.double_costs_return,
        "buy_and_hold_return": float(np.prod(1.0 + evidence.market)) - 1.0,
        "buy_and_hold_sharpe": sharpe(evidence.market, evidence.periods),
        "hedged_sharpe": apart * year,
        "hedged_luck": overfitting.luck_of_the_best(apart, count, *overfitting.skewness_kurtosis(hedged), trials),
        "random_share": nan if evidence.random is None else evidence.random.share,
        "walk_efficiency": _or_nan(evidence.walk_efficiency),
        "neighbours_kept": _or_nan(evidence.neighbours_kept),
        **_of_held_back(evidence, luck),
        **_of_cross_validation(evidence.moments),
    }


def _variance(evidence: Evidence, count: int) -> float:
    """Return the variance of the trials' Sharpe ratios; where less than two are known, that of skill-less ones."""
    known = evidence.sharpes[np.isfinite(evidence.sharpes)]
    return float(known.var(ddof=1)) if known.size > 1 else 1.0 / (count - 1.0) if count > 1 else nan


def _hedged(returns: Floats, market: Floats) -> Floats:
    """Return what is left of ``returns`` less the market's, as much of it as they move with it on the whole.

    What a steady share of the market would have given is no skill (M. Jensen, The Performance of Mutual Funds in the
    Period 1945-1964, Journal of Finance, 1968: alpha is the mean of what is left).
    """
    away = market - market.mean() if market.size else market
    spread = float((away * away).sum())
    return returns - float((away * returns).sum()) / spread * market if spread > 0.0 else returns


def _or_nan(value: float | None) -> float:
    return nan if value is None else value


def _idle(evidence: Evidence) -> bool:
    """Tell whether it did not trade at all on what was held back."""
    returns, trades = evidence.out_of_sample, evidence.out_of_sample_trades
    if returns is None or not returns.size:
        return False
    return not returns.any() if trades is None else trades == 0


def _of_held_back(evidence: Evidence, luck: float) -> dict[str, float]:
    returns = evidence.out_of_sample
    if returns is None or not returns.size:
        return {
            "out_of_sample_return": nan,
            "out_of_sample_sharpe": nan,
            "out_of_sample_probabilistic_sharpe": nan,
            "out_of_sample_luck": nan,
            "luck_of_both": luck,
        }
    ratio = sharpe(returns, 1.0)
    shape = overfitting.skewness_kurtosis(returns)
    alone = overfitting.luck_of_the_best(ratio, returns.size, *shape, trials=max(evidence.looks, 1))
    both = luck * alone
    return {
        "out_of_sample_return": float(np.prod(1.0 + returns)) - 1.0,
        "out_of_sample_sharpe": ratio * evidence.periods**0.5,
        "out_of_sample_probabilistic_sharpe": overfitting.probabilistic_sharpe(ratio, 0.0, returns.size, *shape),
        "out_of_sample_luck": alone,
        # Fisher: -2 ln of the product has a chi-squared distribution with four degrees of freedom
        "luck_of_both": luck if isnan(alone) else both * (1.0 - log(both)) if both > 0.0 else 0.0,
    }


def _of_cross_validation(moments: Floats | None) -> dict[str, float]:
    if moments is None:
        return {"pbo": nan, "pbo_loss": nan, "pbo_slope": nan}
    taken = moments
    if len(moments) > TRIALS:
        taken = moments[np.linspace(0, len(moments) - 1, TRIALS).astype(np.int64)]
    found = overfitting.overfitting(taken)
    return {"pbo": found.pbo, "pbo_loss": found.loss, "pbo_slope": found.slope}
