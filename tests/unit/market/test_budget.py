"""The arithmetic of a request budget, the time given by the test."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.market.budget import Budget, Limit, Returns, Ticket, Urgency

MINUTE = 60_000
steps = st.lists(
    st.tuples(st.integers(0, 20_000), st.integers(1, 40), st.sampled_from(Urgency)), min_size=1, max_size=60
)


def budget(**limits: Limit) -> Budget:
    made = Budget()
    for key, limit in limits.items():
        made.open(key, limit)
    return made


def asked(made: Budget, urgency: Urgency, **costs: int) -> Ticket:
    ticket = Ticket(urgency, costs)
    made.ask(ticket)
    return ticket


@settings(max_examples=200, deadline=None)
@given(steps)
def test_no_minute_ever_sees_more_than_the_capacity_and_all_leave_at_last(asks):
    made = budget(ip=Limit(capacity=100, per_ms=MINUTE, reserve=20))
    now, left = 0, []
    for wait, cost, urgency in asks:
        now += wait
        asked(made, urgency, ip=cost)
        left += [(now, ticket.costs["ip"]) for ticket in made.take(now)]
    while (following := made.next_ms(now)) is not None:
        assert following > now
        now = following
        taken = made.take(now)
        assert taken
        left += [(now, ticket.costs["ip"]) for ticket in taken]
    assert len(left) == len(asks)
    for start, _ in left:
        assert sum(cost for ts, cost in left if start <= ts < start + MINUTE) <= 100


@settings(max_examples=200, deadline=None)
@given(steps)
def test_a_counter_that_comes_back_steadily_never_overflows(asks):
    limit = Limit(capacity=150, per_ms=45_000, returns=Returns.STEADILY, reserve=30)
    made = budget(key=limit)
    now, level, at, left = 0, 0.0, 0, 0

    def check(tickets: list[Ticket]) -> None:
        nonlocal level, at, left
        level, at = max(0.0, level - (now - at) * 150 / 45_000), now
        level += sum(ticket.costs["key"] for ticket in tickets)
        left += len(tickets)
        assert level <= 150 + 1e-6

    for wait, cost, urgency in asks:
        now += wait
        asked(made, urgency, key=cost)
        check(made.take(now))
    while (following := made.next_ms(now)) is not None:
        now = following
        check(made.take(now))
    assert left == len(asks)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(Urgency), min_size=2, max_size=40))
def test_the_urgent_leave_first_and_equals_as_they_came(urgencies):
    made = budget(ip=Limit(capacity=1, per_ms=10))
    number = {asked(made, urgency, ip=1): index for index, urgency in enumerate(urgencies)}
    order = []
    for now in range(0, 10 * len(urgencies), 10):
        order += [(ticket.urgency, number[ticket]) for ticket in made.take(now)]
    assert len(order) == len(urgencies)
    assert all(earlier < later for earlier, later in pairwise(order))


def test_idle_time_fills_it_up_again_at_once():
    made = budget(ip=Limit(capacity=50, per_ms=MINUTE))
    asked(made, Urgency.MARKET, ip=50)
    assert len(made.take(0)) == 1
    asked(made, Urgency.MARKET, ip=50)
    assert made.take(MINUTE - 1) == []
    assert made.next_ms(MINUTE - 1) == MINUTE
    assert len(made.take(MINUTE)) == 1


def test_a_reserve_is_kept_for_cancels_and_protections():
    made = budget(ip=Limit(capacity=100, per_ms=MINUTE, reserve=30))
    for _ in range(100):
        asked(made, Urgency.ORDER, ip=1)
    assert len(made.take(0)) == 70
    cancel, stop = asked(made, Urgency.CANCEL, ip=10), asked(made, Urgency.PROTECTIVE, ip=20)
    assert made.take(1) == [cancel, stop]


def test_a_large_request_is_not_starved_by_small_ones_behind_it():
    made = budget(ip=Limit(capacity=100, per_ms=MINUTE))
    asked(made, Urgency.MARKET, ip=60)
    made.take(0)
    large, small = asked(made, Urgency.ACCOUNT, ip=80), asked(made, Urgency.MARKET, ip=1)
    assert made.take(1_000) == []
    assert made.take(MINUTE) == [large, small]


def test_what_is_dearer_than_the_whole_budget_leaves_when_it_is_empty():
    made = budget(ip=Limit(capacity=10, per_ms=MINUTE))
    asked(made, Urgency.MARKET, ip=1)
    made.take(0)
    dear = asked(made, Urgency.MARKET, ip=25)
    assert made.take(MINUTE - 1) == []
    assert made.take(MINUTE) == [dear]


def test_what_is_dearer_than_a_steady_budget_waits_no_longer_than_until_it_is_empty():
    made = budget(ip=Limit(capacity=10, per_ms=MINUTE, returns=Returns.STEADILY))
    asked(made, Urgency.MARKET, ip=1)
    made.take(0)
    dear = asked(made, Urgency.MARKET, ip=25)
    assert made.next_ms(0) == 6_000
    assert made.take(5_999) == []
    assert made.take(6_000) == [dear]


def test_a_clock_that_is_set_back_gives_nothing_back_twice():
    made = budget(key=Limit(capacity=100, per_ms=10_000, returns=Returns.STEADILY))
    asked(made, Urgency.MARKET, key=100)
    made.take(0)
    assert [made.used("key", now) for now in (5_000, 1_000, 5_000)] == [50, 50, 50]


def test_one_key_that_is_spent_does_not_hold_up_another():
    made = budget(ip=Limit(capacity=100, per_ms=MINUTE), a=Limit(capacity=1, per_ms=10_000), b=Limit(capacity=1))
    asked(made, Urgency.ORDER, ip=1, a=1)
    made.take(0)
    waits, leaves = asked(made, Urgency.ORDER, ip=1, a=1), asked(made, Urgency.ORDER, ip=1, b=1)
    assert made.take(1) == [leaves]
    assert made.take(10_000) == [waits]


def test_nothing_leaves_during_a_ban():
    made = budget(ip=Limit(capacity=100, per_ms=MINUTE))
    cancel = asked(made, Urgency.CANCEL, ip=1)
    made.ban("ip", 5_000)
    made.ban("ip", 4_000)  # a shorter one does not shorten it
    assert made.take(4_999) == []
    assert made.next_ms(0) == 5_000
    assert made.banned_until(["ip"], 4_999) == 5_000
    assert made.lifted(4_999) == []
    assert made.take(5_000) == [cancel]
    assert made.lifted(5_000) == ["ip"]


def test_the_venues_word_counts_if_it_is_worse_than_ours():
    made = budget(ip=Limit(capacity=100, per_ms=MINUTE))
    asked(made, Urgency.MARKET, ip=30)
    made.take(0)
    made.learn("ip", 10, 1)
    assert made.used("ip", 1) == 30
    made.learn("ip", 95, 1)
    assert made.used("ip", 1) == 95
    made.learn("unknown", 95, 1)
    asked(made, Urgency.MARKET, ip=6)
    assert made.take(2) == []


def test_seats_are_given_back_with_the_answer_and_withdrawn_tickets_take_none():
    made = budget(seats=Limit(capacity=1, returns=Returns.WHEN_DONE))
    first, gone, second = (asked(made, Urgency.MARKET, seats=1) for _ in range(3))
    assert made.take(0) == [first]
    assert made.next_ms(0) is None
    made.withdraw(gone)
    made.done(first)
    assert made.take(1) == [second]
