"""Order books: levels, what an order takes, and when a book is no longer to be trusted."""

from decimal import Decimal
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.domain.order import Side
from cambist.domain.tick import DepthTick
from cambist.market.order_book import BookKeeper, BookSnapshot, OrderBook, Step, kraken_checksum, okx_checksum


def levels(*pairs: tuple[str, str]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(price), Decimal(quantity)) for price, quantity in pairs)


def change(first: int, last: int, bids=(), asks=()) -> DepthTick:
    return DepthTick(symbol="X/Y", first_update=first, last_update=last, bids=bids, asks=asks)


def snapshot(last: int, bids=(), asks=()) -> BookSnapshot:
    return BookSnapshot(symbol="X/Y", last_update=last, bids=bids, asks=asks)


def discarded(keeper: BookKeeper) -> bool:
    return keeper.book is None


def a_book() -> OrderBook:
    book = OrderBook("X/Y")
    book.load(levels(("99", "1"), ("98", "2")), levels(("101", "1"), ("102", "2"), ("103", "3")), 7)
    return book


def test_levels_are_best_first():
    book = a_book()
    assert book.best_bid == (Decimal(99), Decimal(1))
    assert book.best_ask == (Decimal(101), Decimal(1))
    book.change(levels(("98.5", "4")), levels(("101", "0"), ("100.5", "1")), 8)
    assert book.bids() == list(levels(("99", "1"), ("98.5", "4"), ("98", "2")))
    assert book.asks(2) == list(levels(("100.5", "1"), ("102", "2")))
    assert book.last_update == 8
    assert not book.crossed


def test_a_level_that_is_not_there_can_be_removed():
    book = a_book()
    book.change(levels(("50", "0")), (), 8)
    assert len(book.bids()) == 2


@pytest.mark.parametrize(("bid", "crossed"), [("100.9", False), ("101", True), ("101.5", True)])
def test_a_crossed_book_is_seen(bid, crossed):
    book = a_book()
    book.change(levels((bid, "1")), ())
    assert book.crossed is crossed


def test_an_empty_book_has_no_best():
    book = OrderBook("X/Y")
    assert book.best_bid is None
    assert book.best_ask is None
    assert not book.crossed
    assert book.take(Side.BUY, Decimal(10)) is None


def test_what_an_order_takes():
    book = a_book()
    taken = book.take(Side.BUY, Decimal(101) + Decimal(102))
    assert taken is not None
    assert (taken.quantity, taken.worst, taken.complete) == (Decimal(2), Decimal(102), True)
    assert taken.average == Decimal("101.5")
    sold = book.take(Side.SELL, Decimal(99))
    assert sold is not None
    assert (sold.quantity, sold.worst) == (Decimal(1), Decimal(99))


def test_an_order_that_is_too_large_takes_all_there_is():
    taken = a_book().take(Side.SELL, Decimal(1000))
    assert taken is not None
    assert (taken.quantity, taken.notional, taken.complete) == (Decimal(3), Decimal(99 + 2 * 98), False)


def test_a_book_of_some_depth_forgets_the_rest():
    book = OrderBook("X/Y", depth=2)
    book.load(levels(("99", "1"), ("98", "1"), ("97", "1")), levels(("101", "1"), ("102", "1"), ("103", "1")))
    book.change(levels(("100", "1")), levels(("100.5", "1")))
    assert [price for price, _ in book.bids()] == [100, 99]
    assert [price for price, _ in book.asks()] == [Decimal("100.5"), 101]


changes = st.lists(
    st.tuples(st.booleans(), st.integers(1, 30), st.integers(0, 3)),
    max_size=80,
)


@given(changes)
def test_a_book_is_what_a_plain_table_would_be(made):
    book = OrderBook("X/Y")
    tables: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for is_ask, price, quantity in made:
        level = ((Decimal(price), Decimal(quantity)),)
        book.change(*(((), level) if is_ask else (level, ())))
        tables[is_ask][price] = quantity
    bids, asks = ({price: q for price, q in table.items() if q} for table in tables)
    assert book.bids() == [(Decimal(price), Decimal(bids[price])) for price in sorted(bids, reverse=True)]
    assert book.asks() == [(Decimal(price), Decimal(asks[price])) for price in sorted(asks)]
    assert book.bids(3) == book.bids()[:3]
    assert book.best_ask == next(iter(book.asks()), None)


# -- the rules of the sequence ----------------------------------------------------------------------------------------


def test_changes_wait_for_the_snapshot_and_old_ones_are_dropped():
    keeper = BookKeeper("X/Y")
    assert keeper.change(change(5, 8, levels(("90", "1")))) is Step.WAITING
    assert keeper.change(change(9, 11, levels(("91", "1")))) is Step.WAITING
    assert keeper.change(change(12, 12, levels(("92", "1")))) is Step.WAITING
    assert keeper.snapshot(snapshot(10, levels(("89", "1"))))
    assert keeper.book is not None
    assert [price for price, _ in keeper.book.bids()] == [92, 91, 89]
    assert keeper.book.last_update == 12
    assert keeper.change(change(11, 12)) is Step.STALE
    assert keeper.change(change(12, 14)) is Step.APPLIED


def test_a_snapshot_older_than_the_stream_is_refused():
    keeper = BookKeeper("X/Y")
    keeper.change(change(20, 21))
    assert not keeper.snapshot(snapshot(18))
    assert discarded(keeper)
    assert keeper.snapshot(snapshot(19))
    assert keeper.book is not None


def test_a_gap_discards_the_book_and_a_new_snapshot_mends_it():
    keeper = BookKeeper("X/Y")
    keeper.snapshot(snapshot(10, levels(("90", "1"))))
    assert keeper.change(change(13, 14, levels(("91", "1")))) is Step.GAP
    assert discarded(keeper)
    assert keeper.lost is not None
    assert (keeper.lost.first, keeper.lost.last) == (11, 12)
    assert keeper.change(change(15, 15, levels(("92", "1")))) is Step.WAITING
    assert keeper.snapshot(snapshot(13, levels(("90", "1"))))
    assert keeper.book is not None
    assert [price for price, _ in keeper.book.bids()] == [92, 91, 90]


def test_a_gap_among_the_waiting_changes_needs_another_snapshot():
    keeper = BookKeeper("X/Y")
    for tick in (change(5, 6), change(9, 10), change(11, 12)):
        keeper.change(tick)
    assert not keeper.snapshot(snapshot(5))
    assert keeper.snapshot(snapshot(9))
    assert keeper.book is not None
    assert keeper.book.last_update == 12


@given(st.lists(st.integers(1, 4), min_size=1, max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_one_lost_change_is_always_found(lengths, lost, at):
    ticks, update = [], 100
    for length in lengths:
        ticks.append(change(update, update + length - 1))
        update += length
    lost, at = lost % len(ticks), at % len(ticks)
    keeper = BookKeeper("X/Y")
    for tick in ticks[:at]:
        keeper.change(tick)
    keeper.snapshot(snapshot(ticks[at].first_update - 1))
    steps = [keeper.change(tick) for number, tick in enumerate(ticks[at:], start=at) if number != lost]
    assert (Step.GAP in steps) == (at <= lost < len(ticks) - 1)


def test_checksums_keep_the_decimals_of_the_text():
    bids, asks = levels(("0.04990", "0.00000500")), levels(("0.05005", "0.00000500"))
    assert kraken_checksum(bids, asks) != kraken_checksum(levels(("0.0499", "0.00000500")), asks)
    # the examples in the venue's documents
    bids, asks = levels(("3366.1", "7")), levels(("3366.8", "9"), ("3368", "8"))
    assert okx_checksum(bids, asks) == crc("3366.1:7:3366.8:9:3368:8")


def crc(text: str) -> int:
    value = crc32(text.encode())
    return value - 2**32 if value >= 2**31 else value
