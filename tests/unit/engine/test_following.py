"""Orders are followed event by event, though the account is ahead: what is told of them is what became of them."""

from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.test_desk import NATIVE, NOTHING, PLAIN, SPEC, World

from cambist.domain.event import AccountEvent
from cambist.domain.order import Role
from cambist.domain.wire import from_text
from cambist.engine.account import Account
from cambist.engine.desk import step
from cambist.engine.following import Followed, Follower
from cambist.engine.recovery import Journaled


def lived(seed: int, traits) -> list[AccountEvent]:
    """Return what was journaled in a bad time: answers lost, doubled, out of order, and crashes."""
    world = World(seed, traits)
    for _ in range(12):
        world.ts += 60_000
        world.decide()
        world.candle()
        world.ask()
        world.deliver(0.7)
    world.calm_down()
    return [from_text(Journaled, entry.body).event for entry in world.journal.entries]


def told_of(events: list[AccountEvent], account: Account, chance: Random) -> list[list[Followed]]:
    """Take ``events`` as the engine does: many through the desk, then each to who follows; return what was told."""
    follower, told, left = Follower(account), [], list(events)
    while left:
        size = chance.randint(1, 9)
        batch, left = left[:size], left[size:]
        outcomes = [step(account, event) for event in batch]
        for event, outcome in zip(batch, outcomes, strict=True):
            changed, fill = follower.take(event, outcome)
            assert fill is None or any(fill.trade_id in one.one.trades for one in changed)
            told.append(changed)
    return told


def stands(one) -> tuple:
    return one.life, one.filled, one.request, one.trades


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100_000), st.sampled_from([NATIVE, PLAIN, NOTHING]))
def test_what_is_told_last_of_an_order_is_how_it_stands(seed, traits):
    events, chance = lived(seed, traits), Random(seed)
    account = Account(SPEC, traits)
    unheard = chance.randrange(30)
    for event in events[:unheard]:  # before anybody listened
        step(account, event)
    over = {name for name, one in account.orders.items() if one.settled}
    last: dict[str, Followed] = {}
    entered = []
    for changed in told_of(events[unheard:], account, chance):
        last |= {one.one.request.client_id: one for one in changed}
        entered += [one.one.request.client_id for one in changed if one.over and one.one.order.role is Role.ENTRY]
    assert last.keys() >= account.orders.keys() - over, "each order is told of"
    for name, followed in last.items():
        assert stands(followed.one) == stands(account.orders[name])
    entries = {name: one for name, one in account.orders.items() if one.filled and one.order.role is Role.ENTRY}
    assert len(entered) == len(set(entered)), "an entry is over once"
    assert {name for name, one in entries.items() if one.settled} - over <= set(entered) <= entries.keys()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000))
def test_what_is_told_does_not_depend_on_how_many_were_journaled_together(seed):
    events = lived(seed, NATIVE)
    one_by_one, in_batches = (told_of(events, Account(SPEC, NATIVE), chance) for chance in (_One(), Random(seed)))
    assert [[stands(one.one) for one in changed] for changed in one_by_one] == [
        [stands(one.one) for one in changed] for changed in in_batches
    ]


class _One(Random):
    def randint(self, a: int, b: int) -> int:
        del b
        return a


def test_the_average_is_of_the_fills_that_were_seen():
    events, chance = lived(7, NATIVE), Random(7)
    account = Account(SPEC, NATIVE)
    entries = [
        followed
        for changed in told_of(events, account, chance)
        for followed in changed
        if followed.over and followed.one.order.role is Role.ENTRY
    ]
    assert entries
    for followed in entries:
        assert followed.average is not None
        assert abs(followed.spent - followed.average * followed.one.filled) < Decimal("1e-15")
