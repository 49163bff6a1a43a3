import pytest

from cambist.domain.axis import numeric, size, value_at
from cambist.domain.search import Axis


def test_steps_are_exact_as_people_count():
    axis = Axis(name="stop", low=0.1, high=0.7, step=0.2)
    assert size(axis) == 4
    assert [value_at(axis, place) for place in range(4)] == [0.1, 0.3, 0.5, 0.7]  # 0.1 + 0.2 is not 0.3 in floats


def test_a_step_that_does_not_end_at_the_high_end_stays_below_it():
    axis = Axis(name="fast", low=5, high=50, step=7, whole=True)
    assert size(axis) == 7
    assert value_at(axis, 6) == 47
    assert isinstance(value_at(axis, 6), int)


def test_whole_numbers_have_steps_of_one():
    assert size(Axis(name="fast", low=2, high=100, whole=True)) == 99


def test_a_stretch_cannot_be_counted():
    axis = Axis(name="stop", low=0.0, high=1.0)
    assert size(axis) is None
    with pytest.raises(ValueError, match="stop"):
        value_at(axis, 0)


def test_words_and_truths_are_no_numbers():
    assert numeric(Axis(name="a", values=(1, 2.5)))
    assert numeric(Axis(name="a", low=1, high=2))
    assert not numeric(Axis(name="a", values=(False, True)))
    assert not numeric(Axis(name="a", values=("1h",)))
