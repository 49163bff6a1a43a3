"""The port `Tallies`: in one process, and in a real Redis."""

import socket
from collections.abc import Callable
from itertools import count

import pytest
from tests.contract.room import found_room
from tests.databases import RedisServer, redis_program
from tests.offices import office_in

from cambist.accounts.tallies import OwnTallies
from cambist.accounts.throttle import Throttle
from cambist.adapters.bus.tallies import RedisTallies
from cambist.domain.errors import BadInput, BusFailed, TooMany
from cambist.ports.tallies import Tallies
from cambist.usecases.quota import Quota

NOW = 1_800_000_000_000
_names, _people = count(1), count(1_000_000)


@pytest.fixture(params=["own", "redis"])
def open_tallies(request: pytest.FixtureRequest):
    """Return what opens the same tallies, as one more process would."""
    if request.param == "own":
        own = OwnTallies()
        yield lambda: own
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    opened = []

    def one_more() -> Tallies:
        opened.append(RedisTallies(server.url))
        return opened[-1]

    yield one_more
    for one in opened:
        one.close()


OpenTallies = Callable[[], Tallies]


def fresh() -> str:
    return f"n{next(_names)}"


def seen(tallies: Tallies, *names: str) -> list[object]:
    found: list[object] = []

    def look(notes):
        found[:] = notes
        return notes

    tallies.change(names, look, 60_000)
    return found


def test_what_one_notes_the_other_sees(open_tallies: OpenTallies):
    one, other, names = open_tallies(), open_tallies(), [fresh(), fresh()]
    assert seen(one, *names) == [None, None]
    one.change(names, lambda _: [[3, NOW], None], 60_000)
    assert seen(other, *names) == [[3, NOW], None]
    other.change(names[::-1], lambda notes: [notes[1], None], 60_000)
    assert seen(one, *names) == [None, [3, NOW]]


def test_what_is_raised_leaves_all_as_it_was(open_tallies: OpenTallies):
    tallies, names = open_tallies(), [fresh(), fresh()]
    tallies.change(names, lambda _: [1, 2], 60_000)

    def refuse(notes):
        raise TooMany("people.too_many_tries", seconds=1)

    with pytest.raises(TooMany):
        tallies.change(names, refuse, 60_000)
    assert seen(tallies, *names) == [1, 2]


def test_of_changes_at_once_none_is_lost(open_tallies: OpenTallies):
    opened, name = [open_tallies() for _ in range(8)], fresh()

    def add(n: int) -> None:
        for _ in range(10):
            opened[n].change([name], lambda notes: [(notes[0] or 0) + 1], 60_000)

    found_room(add, TooMany)
    assert seen(opened[0], name) == [80]


def test_who_fails_at_several_doors_waits_at_all(open_tallies: OpenTallies):
    doors, name, address = [Throttle(open_tallies()) for _ in range(8)], fresh(), fresh()
    assert found_room(lambda n: doors[n].enter(name, address, NOW), TooMany) == 5
    with pytest.raises(TooMany):
        Throttle(open_tallies()).enter(name, "elsewhere", NOW)
    doors[0].succeeded(name, address)
    doors[1].enter(name, address, NOW)


def test_an_hour_s_work_is_counted_at_all_doors(open_tallies: OpenTallies):
    doors, person = [Quota("assistant", at_once=9, per_hour=3, tallies=open_tallies()) for _ in range(8)], next(_people)

    def work(n: int) -> None:
        with doors[n].taken(person, NOW):
            pass

    assert found_room(work, TooMany) == 3


def test_the_offices_of_all_processes_count_together(redis_server: RedisServer, tmp_path):
    offices = [office_in(tmp_path, BUS_URL=redis_server.url) for _ in range(2)]
    name = fresh()
    for at in range(5):
        offices[at % 2].throttle.enter(name, fresh(), NOW)
    for office in offices:
        with pytest.raises(TooMany):
            office.throttle.enter(name, fresh(), NOW)


def test_notes_go_by_themselves_in_redis(redis_server: RedisServer):
    tallies, name = RedisTallies(redis_server.url), fresh()
    tallies.change([name], lambda _: [1], 60_000)
    assert 0 < tallies._redis.pttl(f"cambist-tallies:{name}") <= 60_000
    tallies.close()


def test_over_a_restart_of_redis_it_counts_on(tmp_path):
    server = RedisServer(redis_program(), tmp_path)
    server.start()
    try:
        tallies = RedisTallies(server.url)
        tallies.change(["a"], lambda _: [1], 60_000)
        server.stop()
        server.start()
        assert seen(tallies, "a") == [None]  # over the connection that it had
        tallies.close()
    finally:
        server.stop()


def test_nobody_waits_for_good_for_a_redis_that_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tallies = RedisTallies(f"redis://:hunter2@127.0.0.1:{silent.getsockname()[1]}/0")
        with pytest.raises(BusFailed) as caught:
            tallies.change(["a"], lambda notes: notes, 60_000)
        assert "hunter2" not in str(caught.value)
        tallies.close()


def test_an_address_that_is_none_is_refused_without_its_password():
    with pytest.raises(BadInput) as caught:
        RedisTallies("http://:hunter2@127.0.0.1")
    assert "hunter2" not in str(caught.value)
