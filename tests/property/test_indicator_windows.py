"""The last value over a window equals the last value over all history, for every indicator in the catalogue.

This is what lets one function serve research (all history) and live trading (the last ``warmup`` candles). It catches
warm-ups that are too short, sums that drift, and most ways of looking ahead.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist import indicators
from cambist.domain.timeframe import DAY_MS

ENDS = 6
"""How many windows are compared in one history."""


def candles(seed: int, count: int, volatility: float, price: float, per_day: int) -> dict[str, np.ndarray]:
    """Return a geometric random walk: six steps a candle, so that highs and lows are those of a path."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, volatility / np.sqrt(6), count * 6)
    path = price * np.exp(np.cumsum(steps)).reshape(count, 6)
    path = np.column_stack((np.concatenate(([price], path[:-1, -1])), path))
    return {
        "ts": 19_000.0 * DAY_MS + DAY_MS // per_day * np.arange(count),
        "open": path[:, 0],
        "high": path.max(axis=1),
        "low": path.min(axis=1),
        "close": path[:, -1],
        "volume": rng.lognormal(2.0, 1.0, count),
    }


def outputs(result) -> tuple[np.ndarray, ...]:
    return result if isinstance(result, tuple) else (result,)


def typical(values: np.ndarray) -> float:
    known = np.abs(values[~np.isnan(values)])
    return float(np.median(known)) if known.size else 0.0


def some(name: str, param: indicators.Param) -> st.SearchStrategy:
    """Draw a parameter from half to twice its default, which keeps warm-ups to some thousands of candles."""
    if name == "candles_per_day":
        return st.sampled_from((1, 6, 24, 96, 288))
    low, high = max(param.low, param.default / 2), min(param.high, param.default * 2)
    if isinstance(param.default, int):
        return st.integers(int(np.ceil(low)), int(high))
    return st.floats(low, high)


@pytest.mark.parametrize("card", indicators.catalog(), ids=lambda card: card.name)
def test_a_window_gives_the_same_last_value(card):
    function = indicators.find(card.name)

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(
        params=st.fixed_dictionaries({name: some(name, param) for name, param in card.params.items()}),
        seed=st.integers(0, 2**32 - 1),
        extra=st.integers(ENDS, 1_000),
        volatility=st.floats(1e-4, 3e-2),
        price=st.sampled_from((1e-6, 1.0, 60_000.0)),
    )
    def check(params, seed, extra, volatility, price):
        window = card.warmup(**params)
        table = candles(seed, window + extra, volatility, price, params.get("candles_per_day", 24))
        history = [table[name] for name in card.inputs]
        whole = outputs(function(*history, **params))
        # Relative to the value, or to the usual size of the output where the value is near zero.
        usual = [typical(np.diff(values) if card.relative_level else values) for values in whole]
        for end in np.linspace(window + 1, window + extra, ENDS).astype(int):
            part = outputs(function(*(column[end - window : end] for column in history), **params))
            for name, all_of_it, last, size in zip(card.outputs, whole, part, usual, strict=True):
                expected, got = all_of_it[end - 1], last[-1]
                if card.relative_level:  # only differences mean anything
                    expected, got = expected - all_of_it[end - 2], got - last[-2]
                assert np.isnan(expected) == np.isnan(got), f"{name}: {expected} {got}"
                assert np.isnan(got) or abs(got - expected) <= 1e-9 * max(abs(expected), size), (
                    f"{name}: {got} over {window} candles, {expected} over all"
                )

    check()
