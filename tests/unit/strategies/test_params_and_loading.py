"""Parameters as people give them, and strategies by name or from files."""

from pathlib import Path
from typing import Any

import pytest

import cambist as cb
from cambist.domain.errors import BadInput, BadStrategy
from cambist.domain.text import speak
from cambist.strategies._base import Strategy
from cambist.strategies._load import AnyStrategy, from_source, samples, source_of
from cambist.strategies._param import param


class Tuned(cb.Strategy):
    fast = cb.param(10, low=5, high=50)
    share = cb.param(0.5, low=0.1, high=1.0)
    shorts = cb.param(False)
    frame = cb.param("4h", choices=("1h", "4h"))


class Wider(Tuned):
    slow = cb.param(30)
    fast = cb.param(12, low=2)


def test_defaults_and_inheritance():
    assert Tuned().values() == {"fast": 10, "share": 0.5, "shorts": False, "frame": "4h"}
    assert Wider(slow=40).values() == {"fast": 12, "share": 0.5, "shorts": False, "frame": "4h", "slow": 40}
    assert Tuned(fast=50).fast == 50


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"fast": "7"}, 7),
        ({"fast": "7.0"}, 7),
        ({"fast": 7.0}, 7),
        ({"share": "0.25"}, 0.25),
        ({"share": 1}, 1.0),
        ({"shorts": "true"}, True),
        ({"shorts": "Yes"}, True),
        ({"shorts": "0"}, False),
        ({"shorts": True}, True),
        ({"frame": "1h"}, "1h"),
    ],
)
def test_values_are_read_as_the_type_of_the_default(given, value):
    (name,) = given
    found = getattr(Tuned(**given), name)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fast": 4}, "fast: 4 will not do. Give a number from 5 to 50."),
        ({"fast": "51"}, "fast: '51' will not do. Give a number from 5 to 50."),
        ({"fast": 7.5}, "fast: 7.5 will not do. This parameter is of type int."),
        ({"fast": "seven"}, "fast: 'seven' will not do. This parameter is of type int."),
        ({"fast": None}, "fast: None will not do. This parameter is of type int."),
        ({"share": "much"}, "share: 'much' will not do. This parameter is of type float."),
        ({"share": float("nan")}, "share: nan will not do. This parameter is of type float."),
        ({"shorts": "perhaps"}, "shorts: 'perhaps' will not do. This parameter is of type bool."),
        ({"frame": "5h"}, "frame: '5h' will not do. Choose one of: 1h, 4h."),
        ({"fats": 9}, "fats: 9 will not do. The strategy has no such parameter. Perhaps: fast"),
        ({"xyz": 9}, "xyz: 9 will not do. The strategy has no such parameter. Perhaps: fast, share, shorts, frame"),
    ],
)
def test_wrong_values_are_named_with_what_would_be_right(given, said):
    with pytest.raises(BadInput) as refused:
        Tuned(**given)
    assert str(refused.value) == said


@pytest.mark.parametrize("given", ["inf", "nan", float("inf"), float("nan")])
def test_what_is_no_finite_number_is_refused(given):
    for name in ("fast", "share"):
        with pytest.raises(BadInput, match=name):
            Tuned(**{name: given})


def test_a_parameter_with_one_bound_only_says_which():
    with pytest.raises(BadInput, match="fast: 1 will not do") as refused:
        Wider(fast=1)
    assert "None" not in str(refused.value)


def test_a_default_out_of_its_own_bounds_is_refused_at_once():
    with pytest.raises(BadInput, match="default: 3 will not do"):
        cb.param(3, low=5)


def test_refusals_speak_french():
    speak("fr")
    try:
        with pytest.raises(BadInput) as refused:
            Tuned(fats=9)
        assert str(refused.value) == ("fats : 9 ne convient pas. La stratégie n'a pas ce paramètre. Peut-être : fast")
    finally:
        speak("en")


# -- loading ----------------------------------------------------------------------------------------------------------

TWO = """
import cambist as cb

class One(cb.Strategy):
    fast = cb.param(3)

class Two(cb.SignalStrategy):
    pass
"""


@pytest.fixture
def file(tmp_path):
    def write(source: str, name: str = "mine.py") -> str:
        path: Path = tmp_path / name
        path.write_text(source, encoding="utf-8")
        return str(path)

    return write


def test_samples_are_found_by_file_and_by_class_name():
    assert set(samples()) == {
        "bollinger_breakout", "donchian_trend", "ema_cross", "multi_timeframe_trend", "rsi_reversion",
    }  # fmt: skip
    for name, strategy in samples().items():
        assert cb.load_strategy(name) is strategy
        assert cb.load_strategy(strategy.__name__) is strategy


def test_an_unknown_name_brings_up_the_near_ones():
    with pytest.raises(BadStrategy) as refused:
        cb.load_strategy("ema_cros")
    assert str(refused.value).startswith("strategy: 'ema_cros' will not do. There is no such file, nor a strategy")
    assert "Known: ema_cross" in str(refused.value)
    with pytest.raises(BadStrategy, match="bollinger_breakout, donchian_trend"):
        cb.load_strategy("zzz")
    with pytest.raises(BadStrategy, match="There is no such file"):
        cb.load_strategy("nowhere/mine.py")


def test_one_class_of_several_is_named_after_a_colon(file):
    path = file(TWO)
    assert cb.load_strategy(f"{path}:One").__name__ == "One"
    assert cb.load_strategy(f"{path}:Two").__name__ == "Two"
    with pytest.raises(BadStrategy, match="The file holds several strategies; name one: One, Two"):
        cb.load_strategy(path)


def test_a_class_that_is_not_there_is_told_with_those_that_are(file):
    for source, known in ((TWO, "One, Two"), ("class Only(Strategy):\n    pass\n", "Only")):
        with pytest.raises(BadStrategy, match=f"no such strategy. There are: {known}"):
            cb.load_strategy(f"{file(source)}:Three")
    with pytest.raises(BadStrategy, match="The file must hold a class"):
        cb.load_strategy(f"{file('x = 1')}:Three")


def test_a_file_without_a_strategy_is_refused(file):
    with pytest.raises(BadStrategy, match="The file must hold a class derived from Strategy, SignalStrategy or"):
        cb.load_strategy(file("x = 1\n"))


def test_strategies_that_are_merely_imported_do_not_count(file):
    source = "from cambist.strategies.ema_cross import EmaCross\nclass Mine(EmaCross):\n    pass\n"
    assert cb.load_strategy(file(source)).__name__ == "Mine"


def test_a_syntax_error_is_told_with_line_and_column(file):
    path = file("class Mine(Strategy):\n    def next(self):\n        if True\n            pass\n")
    with pytest.raises(BadStrategy) as refused:
        cb.load_strategy(path)
    assert str(refused.value) == f"strategy: {path!r} will not do. Line 3, column 16: expected ':'"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\nreturn 1\n", "Line 2, column 1: 'return' outside function"),
        ("class A:\n    break\n", "Line 2, column 5: 'break' outside loop"),
        ("x = 1\0\n", "Python cannot read it: source code string cannot contain null bytes"),
        ("(" * 10_000, "Python cannot read it: |Line 1, "),
        ("x = 1\nimport sys\nsys.exit(3)\n", r"It ends the program when it is loaded \(line 3\)"),
        ("exit()\n", r"It ends the program when it is loaded \(line 1\)"),
    ],
)
def test_what_no_parser_finds_is_told_too(file, source, said):
    with pytest.raises(BadStrategy, match=said):
        cb.load_strategy(file(source))


def test_a_file_is_utf_8_with_or_without_its_mark(tmp_path):
    path = tmp_path / "mine.py"
    path.write_bytes("x = 1\n# séance\n".encode("latin-1"))
    with pytest.raises(BadStrategy, match=r"not text in UTF-8 \(line 2\)"):
        cb.load_strategy(str(path))
    path.write_text("class Mine(Strategy):\n    pass\n", encoding="utf-8-sig")
    assert cb.load_strategy(str(path)).__name__ == "Mine"


def test_an_import_error_is_told_with_its_line(file):
    path = file("import cambist as cb\n\nimport no_such_thing\n")
    with pytest.raises(BadStrategy) as refused:
        cb.load_strategy(path)
    assert "It cannot be loaded: ModuleNotFoundError: No module named 'no_such_thing' (line 3)" in str(refused.value)
    speak("fr")
    try:
        assert "Elle ne peut pas être chargée" in str(refused.value)
    finally:
        speak("en")


def test_whatever_a_file_raises_is_told_with_the_line_of_the_file_itself(file):
    path = file("import json\n\nSETTINGS = json.loads('{')\n")
    with pytest.raises(BadStrategy) as refused:
        cb.load_strategy(path)
    assert "JSONDecodeError" in str(refused.value)
    assert "(line 3)" in str(refused.value)


def test_a_bare_strategy_is_a_strategy_and_with_should_long_a_template():
    plain = from_source("class Mine(Strategy):\n    def next(self):\n        self.buy()\n", "mine.py")
    assert issubclass(plain, cb.Strategy)
    template = from_source("class Mine(Strategy):\n    def should_long(self):\n        return True\n", "mine.py")
    assert issubclass(template, cb.TemplateStrategy)
    signals = from_source("class Mine(SignalStrategy):\n    fast = param(3)\n", "mine.py")
    assert issubclass(signals, cb.SignalStrategy)
    assert list(signals.params) == ["fast"]


def test_the_code_of_a_loaded_strategy_is_part_of_its_result(file):
    from tests.unit.backtest.made import walk

    first, second = (
        cb.backtest(cb.load_strategy(file(TWO.replace("param(3)", f"param({n})")) + ":One"), walk(9)) for n in (3, 4)
    )
    assert first.code_hash != second.code_hash
    assert first.data_hash == second.data_hash


TYPED = """
class Base(Strategy):
    shift = {shift}

    def next(self):
        pass


class Mine(Base):
    fast = param({fast}, low=2, high=50)

    def next(self):
        if self.ema({length}) > 1:
            self.buy()
"""


def _typed_in(shift: int = 1, fast: int = 10, length: int = 5) -> AnyStrategy:
    """Return a strategy as a console knows it: of no file."""
    names: dict[str, Any] = {"__name__": "typed_in", "Strategy": Strategy, "param": param}
    exec(TYPED.format(shift=shift, fast=fast, length=length), names)
    found: AnyStrategy = names["Mine"]
    return found


def test_what_is_typed_in_anew_is_another_strategy_only_if_it_does_something_else():
    assert source_of(_typed_in()) == source_of(_typed_in())
    told = {source_of(_typed_in(**other)) for other in ({}, {"shift": 2}, {"fast": 11}, {"length": 6})}
    assert len(told) == 4
