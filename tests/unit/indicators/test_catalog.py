"""What holds for every indicator: it does not look ahead, starts with NaN, bears short, flat and tiny histories."""

import subprocess
import sys

import numpy as np
import pytest
from tests.unit.indicators.reference import skender_quotes, spy

from cambist import indicators
from cambist.domain.errors import BadInput
from cambist.domain.text import all_texts, speak
from cambist.domain.timeframe import DAY_MS

CARDS = indicators.catalog()
HOUR_MS = DAY_MS // 24
COUNT = 1_500
OFTEN_UNKNOWN = {"support_resistance"}
"""NaN also later: a level exists only while a swing stands."""

every = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)


def market(seed: int = 7, count: int = COUNT) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
    open_ = np.concatenate(([100.0], close[:-1]))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0.0, 0.003, count)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0.0, 0.003, count)))
    ts = 19_000.0 * DAY_MS + HOUR_MS * np.arange(count)
    return {"ts": ts, "open": open_, "high": high, "low": low, "close": close, "volume": rng.lognormal(2.0, 1.0, count)}


def flat(price: float = 0.1, volume: float = 0.0, count: int = COUNT) -> dict[str, np.ndarray]:
    prices = dict.fromkeys(("open", "high", "low", "close"), np.full(count, price))
    return {"ts": 19_000.0 * DAY_MS + HOUR_MS * np.arange(count), "volume": np.full(count, volume), **prices}


def params_of(card) -> dict[str, int]:
    return {"candles_per_day": 24} if "candles_per_day" in card.params else {}


def run(card, table, part: slice = slice(None), params: dict | None = None) -> dict[str, np.ndarray]:
    """Return the outputs by name, over a part of the candles; a warning of numpy's is an error here."""
    with np.errstate(all="raise", under="ignore"):
        columns = [table[name][part] for name in card.inputs]
        result = indicators.find(card.name)(*columns, **params_of(card) if params is None else params)
    values = result if isinstance(result, tuple) else (result,)
    assert getattr(result, "_fields", card.outputs) == card.outputs
    return dict(zip(card.outputs, values, strict=True))


@every
def test_outputs_are_rows_of_floats_and_inputs_stay_as_they_are(card):
    table = market()
    for values in run(card, table).values():
        assert values.dtype == np.float64
        assert values.shape == (COUNT,)
        assert not any(np.shares_memory(values, column) for column in table.values())
    for name, column in market().items():
        np.testing.assert_array_equal(table[name], column)


@every
def test_the_future_does_not_change_the_past(card):
    table = market()
    before = run(card, table)
    for cut in (COUNT // 2, COUNT - 1):
        other = {name: column.copy() for name, column in table.items()}
        for name in ("open", "high", "low", "close", "volume"):
            other[name][cut:] = other[name][cut:][::-1] * 1.7
        for name, values in run(card, other).items():
            np.testing.assert_array_equal(values[:cut], before[name][:cut], err_msg=name)
        for name, values in run(card, table, slice(cut)).items():
            np.testing.assert_array_equal(values, before[name][:cut], err_msg=name)


@every
def test_nan_comes_first_and_only_there(card):
    for name, values in run(card, market()).items():
        unknown = np.isnan(values)
        head = int(np.argmin(unknown))
        assert head < card.warmup(**params_of(card)), f"{name} is still NaN when warmed up"
        assert not unknown[head:].any() or card.name in OFTEN_UNKNOWN, name


@every
def test_short_histories_give_nan_not_errors(card):
    table = market()
    for size in (0, 1, 2, 3, 5, 13):
        for name, values in run(card, table, slice(size)).items():
            assert values.shape == (size,)
            assert np.isinf(values).sum() == 0, name
    first = {name: int(np.argmin(np.isnan(values))) for name, values in run(card, table).items()}
    for name, values in run(card, table, slice(max(first.values()))).items():
        assert np.isnan(values[: first[name]]).all(), name


@every
@pytest.mark.parametrize("table", [flat(), flat(volume=5.0), flat(0.0)], ids=["flat", "flat and traded", "zero"])
def test_flat_prices_give_plain_numbers(card, table):
    for name, values in run(card, table).items():
        assert not np.isinf(values).any(), name
        known = values[~np.isnan(values)]
        assert known.size or card.name in OFTEN_UNKNOWN, name
        assert np.all(np.abs(known - known[:1]) <= 1e-12 * np.abs(known)), f"{name} moves though nothing does"


@every
def test_flat_stretch_after_a_lively_one_gives_plain_numbers(card):
    table, quiet = market(), slice(COUNT // 2, None)
    last = table["close"][COUNT // 2 - 1]
    for name in ("open", "high", "low", "close"):
        table[name][quiet] = last
    table["volume"][quiet] = 0.0
    values = run(card, table)
    for name, before in run(card, market()).items():
        calm = values[name][quiet]
        assert not np.isinf(calm).any(), name
        bound = 3.0 * np.nanmax(np.abs(before)) + 1e-9
        assert np.nanmax(np.abs(calm), initial=0.0) <= bound, f"{name}: rounding taken for movement"


@every
def test_a_head_of_nan_is_passed_over(card):
    table, blank = market(), np.full(7, np.nan)
    padded = {name: np.concatenate((blank, column)) for name, column in table.items()}
    for name, values in run(card, padded).items():
        np.testing.assert_array_equal(values[7:], run(card, table)[name])
        assert np.isnan(values[:7]).all()


@every
def test_a_coin_that_costs_next_to_nothing_is_a_coin(card):
    """A power of two changes no digit of a price, so only a threshold that someone wrote down could show."""
    table, scale = market(), 2.0**-34
    tiny = table | {name: table[name] * scale for name in ("open", "high", "low", "close")}
    for name, values in run(card, tiny).items():
        unit = dict(zip(card.outputs, card.units, strict=True))[name]
        factor = scale if unit in ("price", "distance") else 1.0
        np.testing.assert_allclose(values / factor, run(card, table)[name], rtol=1e-9, atol=1e-9, err_msg=name)


@every
@pytest.mark.parametrize("quotes", ["bitcoin", "spy"])
def test_a_window_of_real_candles_is_enough(card, quotes):
    table: dict[str, np.ndarray] = dict(spy() if quotes == "spy" else skender_quotes("bitcoin"))
    table["ts"] = 15_000.0 * DAY_MS + DAY_MS * np.arange(table["close"].size)
    params = {"candles_per_day": 1} if "candles_per_day" in card.params else {}
    if card.name == "kama":
        params = {"slow": 10}  # the usual 30 needs more days than there are
    window, size = card.warmup(**params), table["close"].size
    whole = run(card, table, params=params)
    for end in np.linspace(window + 1, size, 12).astype(int):
        for name, values in run(card, table, slice(end - window, end), params).items():
            expected, got = whole[name][end - 1], values[-1]
            if card.relative_level:
                expected, got = expected - whole[name][end - 2], got - values[-2]
            usual = np.nanmedian(np.abs(whole[name]))
            assert np.isnan(expected) == np.isnan(got)
            assert np.isnan(got) or abs(got - expected) <= 1e-9 * max(abs(expected), usual), name


@every
def test_what_is_outside_the_card_is_refused(card):
    function, columns = indicators.find(card.name), [market()[name] for name in card.inputs]
    for name, param in card.params.items():
        for value in (param.low - 1, param.high + 1, float("nan"), "many", None, True):
            with pytest.raises(BadInput) as caught:
                function(*columns, **{name: value})
            assert caught.value.field == name
            assert caught.value.value is value
    if len(columns) > 1:
        with pytest.raises(BadInput, match=str(COUNT)) as caught:
            function(*columns[:-1], columns[-1][1:])
        assert caught.value.value == COUNT - 1


def test_numbers_arrive_in_the_type_of_their_default():
    close = market()["close"]
    expected = indicators.bollinger(close, 20, 2.0).upper
    for period, multiplier in ((np.int32(20), 2), (20.0, np.float32(2.0))):
        np.testing.assert_array_equal(indicators.bollinger(close, period, multiplier=multiplier).upper, expected)
    np.testing.assert_array_equal(indicators.bollinger(list(close)).upper, expected)
    np.testing.assert_array_equal(indicators.sma(close[::2]), indicators.sma(close[::2].copy()))


def test_refusals_say_what_is_right_in_both_languages():
    with pytest.raises(BadInput) as caught:
        indicators.sma(market()["close"], 2.5)
    assert "Give a whole number from 2 to 10000." in str(caught.value)
    speak("fr")
    assert "Donnez un nombre entier de 2 à 10000." in str(caught.value)
    speak("en")
    with pytest.raises(BadInput, match="Give one row of numbers"):
        indicators.sma([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(BadInput, match="Give one row of numbers"):
        indicators.sma(["a", "b"])
    with pytest.raises(TypeError, match="close"):
        indicators.sma()
    with pytest.raises(TypeError, match="length"):
        indicators.sma(market()["close"], length=3)
    assert "indicator.lengths" in all_texts()


def test_a_card_that_differs_from_its_function_is_refused():
    with pytest.raises(TypeError, match="parameters"):

        @indicators._card.indicator(
            title="",
            inputs="close",
            outputs="x",
            unit="",
            warmup=lambda: 1,
            source="",
            period=indicators.Param(3, 1, 9),
        )
        def crooked(close, period=4):
            return close


def test_plain_averages_do_not_load_the_compiler():
    """Importing numba takes most of a second, which whoever asks for what TA-Lib has should not wait for."""
    code = (
        "import sys; from cambist import indicators as i; i.ema([1.0] * 30), i.atr; assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
