"""Candles for comparing with TA-Lib: nothing is known of them but that they are candles."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def candles() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    close = 30_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.002, 20_000)))
    high = close * np.exp(np.abs(rng.normal(0.0, 0.001, close.size)))
    low = close * np.exp(-np.abs(rng.normal(0.0, 0.001, close.size)))
    return {"high": high, "low": low, "close": close}
