"""Conditions that are functions: another condition is another search, and the same one the same in every process."""

import subprocess
import sys
from functools import partial

import pytest

from cambist.backtest.optimise.run import written
from cambist.strategies._digest import digest_of_function

MADE = """
import sys
MOST = 90
NAMES = ("fast", "slow")
def helper(one):
    return one <= 3
def around(most):
    def condition(params, low=2, *, step=1):
        return all(params[name] in {"a", "b", "c"} for name in NAMES) and params["slow"] <= min(most, MOST)
    def odd(params):
        return helper(params["slow"])
    return condition, odd
"""


def digests(source: str = MADE, most: int = 5) -> list[str]:
    around: dict[str, object] = {}
    exec(source, around)
    return [digest_of_function(one) for one in around["around"](most)]  # type: ignore[operator]


def test_the_same_code_has_the_same_digest():
    assert digests() == digests()
    assert digests("# a line above\n" + MADE) == digests()


@pytest.mark.parametrize(
    ("old", "new", "which"),
    [
        ("MOST = 90", "MOST = 20", 0),
        ('"fast", "slow")', '"slow",)', 0),
        ("low=2", "low=3", 0),
        ("step=1", "step=2", 0),
        ('"b", "c"}', '"b", "d"}', 0),
        ("params[name] in", "params[name] not in", 0),
        ("one <= 3", "one <= 4", 1),
    ],
)
def test_whatever_changes_the_condition_changes_its_digest(old, new, which):
    assert old in MADE
    assert digests(MADE.replace(old, new))[which] != digests()[which]


def test_what_is_around_it_counts():
    assert digests(most=5)[0] != digests(most=6)[0]
    conditions = [lambda params, most=most: params["slow"] <= most for most in (20, 90)]
    inner = [lambda params, most=most: any(one <= most for one in params.values()) for most in (20, 20)]
    assert len(set(written(conditions))) == 2
    assert len(set(written(inner))) == 1
    assert len({digest_of_function(partial(conditions[0], most=most)) for most in (1, 2)}) == 2


def test_objects_that_are_called_are_told_apart_by_what_they_hold():
    class AtMost:
        def __init__(self, most):
            self.most = most

        def __call__(self, params):
            return params["slow"] <= self.most

        def of(self, params):
            return self(params)

    assert digest_of_function(AtMost(3)) == digest_of_function(AtMost(3)) != digest_of_function(AtMost(4))
    assert digest_of_function(AtMost(3).of) == digest_of_function(AtMost(3).of) != digest_of_function(AtMost(4).of)
    assert written([AtMost(3)])[0].startswith("AtMost#")


def test_what_refers_to_itself_has_a_digest():
    def again(params):
        return again(params) if params else bool(held)

    held: list[object] = [again]
    held.append(held)
    assert digest_of_function(again) == digest_of_function(again)


def test_every_process_gives_the_same():
    code = (
        f"source = {MADE!r}\n"
        "from cambist.strategies._digest import digest_of_function\n"
        "exec(source)\nprint(*[digest_of_function(one) for one in around(5)])"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] == digests()
