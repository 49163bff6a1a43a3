import threading

import pytest

from cambist.accounts.tallies import OwnTallies
from cambist.accounts.throttle import FORGOTTEN_MS, LONGEST_MS, Throttle
from cambist.domain.errors import TooMany

NOW = 1_800_000_000_000


def wait_s(throttle: Throttle, name: str, address: str, now_ms: int) -> float:
    try:
        throttle.enter(name, address, now_ms)
    except TooMany as error:
        return error.retry_after_s or -1.0
    return 0.0


def test_after_five_failures_each_try_waits_longer():
    throttle = Throttle()
    assert [wait_s(throttle, "ann", "a", NOW) for _ in range(5)] == [0.0] * 5
    now, waits = NOW, []
    for _ in range(12):
        waits.append(wait_s(throttle, "ann", "a", now))
        now += int(waits[-1] * 1000)
        assert wait_s(throttle, "ann", "a", now) == 0.0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, LONGEST_MS / 1000, LONGEST_MS / 1000]


def test_a_try_that_was_refused_does_not_make_it_longer():
    throttle = Throttle()
    for _ in range(5):
        throttle.enter("ann", "a", NOW)
    assert {wait_s(throttle, "ann", "a", NOW) for _ in range(100)} == {1.0}


def test_who_comes_in_begins_anew():
    throttle = Throttle()
    for _ in range(5):
        throttle.enter("ann", "a", NOW)
    throttle.succeeded("ann", "a")
    assert [wait_s(throttle, "ann", "a", NOW) for _ in range(5)] == [0.0] * 5


def test_one_address_that_tries_many_names_waits_too_and_others_do_not():
    throttle = Throttle()
    assert [wait_s(throttle, f"name{at}", "a", NOW) for at in range(20)] == [0.0] * 20
    assert wait_s(throttle, "another", "a", NOW) == 1.0
    assert wait_s(throttle, "another", "b", NOW) == 0.0


def test_success_with_one_name_does_not_free_an_address_that_guesses_others():
    throttle = Throttle()
    for at in range(20):
        throttle.enter(f"name{at}", "a", NOW)
    throttle.succeeded("name0", "a")
    throttle.enter("name0", "a", NOW)
    assert wait_s(throttle, "name0", "a", NOW) == 1.0


def test_people_who_all_come_in_with_two_tries_each_do_not_lock_their_address():
    throttle = Throttle(tallies := OwnTallies())
    for at in range(60):
        name, now = f"name{at % 30}", NOW + at * 60_000
        throttle.enter(name, "a", now)  # asked for the second factor
        throttle.enter(name, "a", now + 8_000)
        throttle.succeeded(name, "a")
    assert tallies.notes == {}


def test_a_try_that_is_spared_counts_for_its_name_alone():
    throttle = Throttle()
    for _ in range(5):
        throttle.enter("ann", "a", NOW)
        throttle.spared("a")
    assert wait_s(throttle, "ann", "a", NOW) == 1.0
    assert wait_s(throttle, "bob", "a", NOW) == 0.0


def test_after_an_hour_all_is_forgotten():
    throttle = Throttle()
    for _ in range(5):
        throttle.enter("ann", "a", NOW)
    assert wait_s(throttle, "ann", "a", NOW + FORGOTTEN_MS) == 0.0


def test_tries_at_the_same_time_are_counted_before_they_are_judged():
    throttle, passed = Throttle(), []
    gate = threading.Barrier(40)

    def attempt() -> None:
        gate.wait()
        if wait_s(throttle, "ann", "a", NOW) == 0.0:
            passed.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 5


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr("cambist.accounts.tallies._MOST", 100)
    throttle = Throttle(tallies := OwnTallies())
    for at in range(1_000):
        throttle.enter(f"name{at}", f"address{at}", NOW)
    assert len(tallies.notes) == 100


def test_what_somebody_gave_as_a_name_is_not_written_down():
    throttle = Throttle(tallies := OwnTallies())
    throttle.enter("a password by mistake \ud800", "203.0.113.7", NOW)
    assert len(tallies.notes) == 2
    assert not [note for note in tallies.notes if "password" in note or "203" in note]


def test_the_error_says_how_long_in_words():
    throttle = Throttle()
    for _ in range(5):
        throttle.enter("ann", "a", NOW)
    with pytest.raises(TooMany, match="1 s"):
        throttle.enter("ann", "a", NOW + 400)
