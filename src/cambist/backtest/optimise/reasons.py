"""The word on a search's best: green, amber or red, out of every test there is.

Red, "no edge": what was found is to be had without any. One of these is enough:

- the proof failed, nothing was traded, or nothing was earned after costs;
- luck: that the best of so many tries is this good without skill has a chance of `LUCKY` or more (where some of the
  history was held back, that chance and the one of its result are taken together: R. A. Fisher, Statistical Methods
  for Research Workers, 1932, section 21.1);
- the market: the same chance of luck for what is left after a steady share of the market is taken off;
- timing: more than half of as many trades entered at random do as well;
- it lost on what was held back, and it is improbable that this was bad luck.

Green: not red, and nothing speaks against it: enough trades and days, deflated Sharpe ratio, overfitting, bands,
random entries, twice the costs, the market, what was held back, the walk forward, the neighbours, the drawdown. Amber
is everything between. Nothing that shows well can make up for a test that fails; only what was held back can weigh
against luck, and that far: to amber.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import floor, isfinite

from cambist.domain.judgement import Light, Reason

Figures = Mapping[str, float]

LUCKY = 0.025
"""Chance of luck at which it is no longer ruled out: one in forty. One in twenty, the level of most published tests,
is how many of many searches in noise may pass; for no more than five of any hundred to do so, in 19 hundreds of 20,
each must pass with half that chance (binomial distribution)."""
DOUBT = 0.05
"""Chance at which any other thing is no longer ruled out: one in twenty."""
SURE = 0.95
"""Deflated Sharpe ratio that is asked for: that of Bailey and Lopez de Prado, 2014."""
COIN = 0.5
"""Chance at which choosing the best is no better than choosing blindly, or entering no better than at random."""
FEW_TRADES = 30
"""Below it the mean of trades is not yet near a normal one, and one lucky trade makes the result."""
FEW_DAYS = 360
"""A year, give or take leap days and cut ends: over less, the standard error of a yearly Sharpe ratio is above 1,
more than most good strategies have (A. Lo, The Statistics of Sharpe Ratios, 2002); nor has a market changed its mood.
"""
EFFICIENCY = 0.5
"""Share of the training's Sharpe ratio that a walk forward must keep (R. Pardo, The Evaluation and Optimization of
Trading Strategies, 2008, chapter 11)."""
PLATEAU = 0.5
"""Share of the result that the neighbours must keep: whoever loses half by one step has found a needle."""
RUINOUS = -0.5
"""Drawdown from which few come back: it takes a doubling."""

_FATAL, _AGAINST, _FOR = 3.0, 2.0, 1.0
"""What a reason weighs at least that makes red, that forbids green, that speaks for the strategy. Within each, up to
one more: by how clear the figure is, or how much hangs on it."""
_FEW = ("judgement.why.few_trades", "judgement.why.few_days")


def reasons_of(figures: Figures, *, proof_failed: bool, idle: bool = False, walked: bool = False) -> tuple[Reason, ...]:
    """Return all reasons that the figures give, the weightiest first; one of too little data is among the first three.

    ``figures`` are those of `cambist.backtest.optimise.judge.judge`: what is unknown is NaN and gives no reason, but
    where its absence forbids a green word. ``idle``: nothing was traded on what was held back. ``walked``: a walk
    forward was made, so that an efficiency that is NaN is one that could not be had.
    """
    found = [Reason(key="judgement.why.proof", weight=_FATAL + 0.99)] if proof_failed else []
    found += [reason for rule in _RULES if (reason := rule(figures)) is not None and not (idle and rule is _unseen)]
    if idle:
        found.append(Reason(key="judgement.why.unseen_idle", weight=_AGAINST + 0.9))
    if walked and not isfinite(figures["walk_efficiency"]):
        found.append(Reason(key="judgement.why.walk_unknown", weight=_AGAINST + 0.75))
    found.sort(key=lambda reason: -reason.weight)
    few = next((i for i, reason in enumerate(found) if reason.key in _FEW), 0)
    if few > 2:
        found.insert(2, found.pop(few))
    return tuple(found)


def word(reasons: tuple[Reason, ...]) -> tuple[Light, str]:
    """Return the light, and the key of the sentence that goes with it."""
    worst = reasons[0]
    few = any(reason.key in _FEW for reason in reasons)
    if worst.weight >= _FATAL:
        name = worst.key.rpartition(".")[2]
        if name.startswith("luck") and few:
            name = "few"
        return Light.RED, f"judgement.red.{_SENTENCES.get(name, name)}"
    if worst.weight >= _AGAINST:
        return Light.AMBER, "judgement.amber.few" if few else "judgement.amber.some"
    return Light.GREEN, "judgement.green.all"


_SENTENCES = {"luck_one": "luck", "luck_of_both": "luck", "market_one": "market", "unseen_lost": "unseen"}


# -- what makes red ---------------------------------------------------------------------------------------------------


def _earned(figures: Figures) -> Reason | None:
    made = figures["total_return"]
    if figures["trades"] == 0:
        return Reason(key="judgement.why.no_trades", weight=_FATAL + 0.9)
    if made > 0.0:
        return None
    return Reason(key="judgement.why.lost", params={"percent": _percent(-made)}, weight=_FATAL + 0.8)


def _luck(figures: Figures) -> Reason:
    chance, both = figures["luck"], figures["luck_of_both"]
    if chance < LUCKY <= both:
        return Reason(key="judgement.why.luck_of_both", params={"cases": _percent(both)}, weight=_FATAL + 0.7)
    weight = _FATAL if not both < LUCKY else _AGAINST if not chance < LUCKY else _FOR
    chance = chance if isfinite(chance) else 1.0
    return _of_cases("luck", chance, figures, weight, good=weight == _FOR, clear=chance if weight > _FOR else 0.99)


def _market(figures: Figures) -> Reason:
    chance = figures["hedged_luck"]
    if chance < LUCKY:
        return _of_cases("market", chance, figures, _FOR, good=True, clear=0.45)
    chance = chance if isfinite(chance) else 1.0
    return _of_cases("market", chance, figures, _FATAL, good=False, clear=0.9 * chance)


def _timing(figures: Figures) -> Reason | None:
    share = figures["random_share"]
    if not isfinite(share):
        return Reason(key="judgement.why.timing_unknown", weight=_AGAINST + 0.1) if figures["trades"] else None
    key = "judgement.why.timing" if share >= 0.005 else "judgement.why.timing_none"
    weight = _FOR + 0.8 if share < DOUBT else _AGAINST + 0.88 if share < COIN else _FATAL + 0.5 * share
    return Reason(key=key, params={"cases": _percent(share)}, good=share < DOUBT, weight=weight)


def _unseen(figures: Figures) -> Reason | None:
    made, chance = figures["out_of_sample_return"], figures["out_of_sample_probabilistic_sharpe"]
    if not isfinite(made):
        return None
    if made > 0.0:
        return Reason(
            key="judgement.why.unseen_earned", params={"percent": _percent(made)}, good=True, weight=_FOR + 0.9
        )
    weight = _FATAL + 0.7 if chance < DOUBT else _AGAINST + 0.9
    return Reason(key="judgement.why.unseen_lost", params={"percent": _percent(-made)}, weight=weight)


# -- what forbids green -----------------------------------------------------------------------------------------------


def _few_trades(figures: Figures) -> Reason | None:
    if figures["trades"] >= FEW_TRADES or figures["trades"] == 0:
        return None
    params = {"trades": round(figures["trades"]), "needed": FEW_TRADES}
    return Reason(key=_FEW[0], params=params, weight=_AGAINST + 0.98)


def _few_days(figures: Figures) -> Reason | None:
    days = figures["track_days"] + figures["out_of_sample_days"]
    return Reason(key=_FEW[1], params={"days": round(days)}, weight=_AGAINST + 0.97) if days < FEW_DAYS else None


def _deflated(figures: Figures) -> Reason | None:
    chance = figures["deflated_sharpe"]
    if figures["trials"] <= 1:
        return None  # then it is luck's own figure
    if not isfinite(chance):
        return Reason(key="judgement.why.deflated_unknown", weight=_AGAINST + 0.2)
    params = {"trials": round(figures["trials"]), "cases": floor(100.0 * chance)}
    good = chance >= SURE
    weight = _FOR + 0.7 if good else _AGAINST + 0.85 * (1.0 - chance)
    return Reason(key="judgement.why.deflated", params=params, good=good, weight=weight)


def _track(figures: Figures) -> Reason | None:
    needed, days = figures["minimum_track_days"], figures["track_days"]
    if not isfinite(needed) or needed <= days:
        return None
    params = {"needed": round(needed), "days": round(days), "trials": round(figures["trials"])}
    return Reason(key="judgement.why.track", params=params, weight=_AGAINST + 0.5 * (1.0 - days / needed))


def _overfit(figures: Figures) -> Reason | None:
    chance = figures["pbo"]
    if not isfinite(chance):
        return None
    good = chance < COIN
    weight = _FOR + 0.5 * (1.0 - chance) if good else _AGAINST + 0.9 * chance
    return Reason(key="judgement.why.pbo", params={"cases": _percent(chance)}, good=good, weight=weight)


def _band(figures: Figures) -> Reason | None:
    low, high = figures["band_low"], figures["band_high"]
    if not isfinite(low + high):
        return None
    good = low > 0.0
    params = {"low": round(100.0 * low), "high": round(100.0 * high)}
    return Reason(key="judgement.why.band", params=params, good=good, weight=_FOR + 0.4 if good else _AGAINST + 0.6)


def _costs(figures: Figures) -> Reason | None:
    made = figures["double_costs_return"]
    if not isfinite(made):
        return None
    if made > 0.0:
        return Reason(
            key="judgement.why.costs_earned", params={"percent": _percent(made)}, good=True, weight=_FOR + 0.6
        )
    return Reason(key="judgement.why.costs_lost", params={"percent": _percent(-made)}, weight=_AGAINST + 0.8)


def _hold(figures: Figures) -> Reason | None:
    market, made = figures["buy_and_hold_return"], figures["total_return"]
    if not isfinite(market):
        return None
    good = not figures["sharpe"] <= figures["buy_and_hold_sharpe"]
    params = {"market": round(100.0 * market), "percent": round(100.0 * made)}
    key = "judgement.why.hold_worse" if good else "judgement.why.hold_better"
    return Reason(key=key, params=params, good=good, weight=_FOR + 0.3 if good else _AGAINST + 0.7)


def _walk(figures: Figures) -> Reason | None:
    kept = figures["walk_efficiency"]
    if not isfinite(kept):
        return None
    good = kept >= EFFICIENCY
    key = "judgement.why.walk_kept" if kept > 0.0 else "judgement.why.walk_lost"
    weight = _FOR + 0.75 if good else _AGAINST + 0.75
    return Reason(key=key, params={"percent": _percent(kept)}, good=good, weight=weight)


def _neighbours(figures: Figures) -> Reason | None:
    kept = figures["neighbours_kept"]
    if not isfinite(kept):
        return None
    good = kept >= PLATEAU
    weight = _FOR + 0.2 if good else _AGAINST + 0.4
    key = "judgement.why.neighbours"
    return Reason(key=key, params={"percent": max(_percent(kept), 0)}, good=good, weight=weight)


def _drawdown(figures: Figures) -> Reason | None:
    fall = figures["drawdown_95"]
    if not isfinite(fall):
        return None
    good = fall > RUINOUS
    weight = _FOR + 0.1 if good else _AGAINST + 0.65
    return Reason(key="judgement.why.drawdown", params={"percent": _percent(-fall)}, good=good, weight=weight)


_RULES: tuple[Callable[[Figures], Reason | None], ...] = (
    _earned,
    _luck,
    _market,
    _timing,
    _unseen,
    _few_trades,
    _few_days,
    _deflated,
    _track,
    _overfit,
    _band,
    _costs,
    _hold,
    _walk,
    _neighbours,
    _drawdown,
)


# -- words ------------------------------------------------------------------------------------------------------------


def _percent(share: float) -> int:
    return round(100.0 * share)


def _of_cases(name: str, chance: float, figures: Figures, weight: float, *, good: bool, clear: float) -> Reason:
    """Return the reason that so many in a hundred would do as well, ``clear`` (0 to 1) saying how much that weighs."""
    key = f"judgement.why.{name}" + ("_one" if figures["trials"] <= 1 else "") + ("_rare" if chance < 0.005 else "")
    params = {"trials": round(figures["trials"]), "cases": _percent(chance)}
    return Reason(key=key, params=params, good=good, weight=weight + 0.75 * clear)
